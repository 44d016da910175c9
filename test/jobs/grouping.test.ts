import { describe, expect, test } from 'vitest';
import { validateJob } from '../../jobs/define.js';
import { defineJob } from '../../jobs/index.js';
import { definePipeline, stagesOf } from '../../jobs/pipeline.js';
import { type PlainOutput, runPlain } from '../../jobs/plain.js';
import type { Job } from '../../jobs/types.js';

function run(job: Job, records: readonly unknown[], budgetBytes = 1e6): PlainOutput {
  const splits = [records.map((record, offset) => ({ record, offset, input: 'in' }))];
  return runPlain({ job, splits, reduces: 1, budgetBytes, params: {}, seed: '' }) as PlainOutput;
}

const traffic = defineJob({
  name: 'traffic',
  groupBy: 'host',
  aggregates: { visits: 'count', bytes: { sum: 'bytes' }, least: { min: 'bytes' }, most: { max: 'bytes' } },
});

describe('a job that groups', () => {
  test('counts and adds up by a field, and names what it gives', () => {
    const lines = ['{"host":"b","bytes":5}', '{"bytes":-1,"host":"a"}', '{"host":"b","bytes":2.5}'];
    expect(run(traffic, lines).parts[0]).toBe(
      'a {"visits":1,"bytes":-1,"least":-1,"most":-1}\nb {"visits":2,"bytes":7.5,"least":2.5,"most":5}\n',
    );
  });

  test('gives an array where the aggregates are a list', () => {
    const job = defineJob({
      name: 'list',
      groupBy: 'k',
      aggregates: [{ max: 'v' }, 'count'],
      outputFormat: 'tsv',
    });
    expect(run(job, ['{"k":"x","v":3}', '{"k":"x","v":4}']).parts[0]).toBe('x\t4\t2\n');
  });

  test('takes any value for a key, in its JSON text', () => {
    const job = defineJob({ name: 'keys', groupBy: 'k', aggregates: ['count'], outputFormat: 'tsv' });
    const keys = ['"a"', '1.50', '-0', 'null', 'true', '[1, "x"]', '{"a": 1}', '"\\ud800"'];
    expect(
      run(
        job,
        keys.map((key) => `{"k":${key}}`),
      ).parts[0],
    ).toBe('0\t1\n1.5\t1\n[1,"x"]\t1\na\t1\nnull\t1\ntrue\t1\n{"a":1}\t1\n\ufffd\t1\n');
  });

  test('leaves out and counts what is no object, lacks the field or lacks a number', () => {
    const lines = [
      ...[
        '',
        'no json',
        '"text"',
        '[]',
        'null',
        '{}',
        '{"host":"a"}',
        '{"bytes":1}',
        '{"host":"a","bytes":"1"}',
      ],
      ...['{"host":"a","bytes":1e400}', '{"host":"a","bytes":null}'],
    ];
    const { parts, counters } = run(traffic, [...lines, '{"host":"a","bytes":1}']);
    expect(parts[0]).toBe('a {"visits":1,"bytes":1,"least":1,"most":1}\n');
    expect(Object.fromEntries(counters)).toMatchObject({
      'lines not understood': lines.length,
      'map.records.in': lines.length + 1,
      'map.records.out': 1,
    });
  });

  test('takes no inherited field for one of the record', () => {
    const job = defineJob({ name: 'inherited', groupBy: 'toString', aggregates: ['count'] });
    expect(run(job, ['{}', '{"toString":"x"}']).parts[0]).toBe('x [1]\n');
  });

  test('refuses a sum that is no number any more', () => {
    const lines = Array(2).fill('{"host":"a","bytes":1e308}');
    expect(() => run(traffic, lines)).toThrow('a sum of key "a" is not a finite number');
  });

  test('is the same when it is validated once more, as a bundled one is', () => {
    const again = validateJob({ ...traffic });
    expect(run(again, ['{"host":"a","bytes":1}'])).toEqual(run(traffic, ['{"host":"a","bytes":1}']));
  });

  test('groups what the stage before it gave', () => {
    const first = defineJob({
      name: 'first',
      map(line, emit) {
        emit(line, 1);
      },
      reduce: () => 1,
    });
    const second = defineJob({ name: 'second', groupBy: 'key', aggregates: [{ sum: 'value' }] });
    const [, stage] = stagesOf(definePipeline({ name: 'two', stages: [first, second] }), {});
    expect(
      run(stage!, [{ key: 'a', value: 2 }, { key: 'a', value: 3 }, '{"key":"a","value":9}']).parts[0],
    ).toBe('a [5]\n');
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sum } from '../../../jobs/aggregates.js';
import type { Job } from '../../../jobs/types.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import { sampleBoundaries } from '../../../runtime/data/sample.js';
import { temporaryDirectory } from './temporary.js';

it('lines that are no records leave the keys beside them to be looked at', async () => {
  const cwd = temporaryDirectory();
  const line = (index: number): string =>
    index % 150 === 7 ? '{"n": ' : `{"n":"${String(index).padStart(5, '0')}"}`;
  const lines = Array.from({ length: 20_000 }, (_, index) => `${line(index)}\n`);
  writeFileSync(join(cwd, 'in.ndjson'), lines.join(''));
  const job: Job = {
    name: 'by number',
    inputFormat: 'ndjson',
    partition: 'range',
    map: (record: { n: string }, emit) => emit(record.n, 1),
    reduce: sum,
  };
  const files = await resolveInputs(['in.ndjson'], { cwd });
  const boundaries = await sampleBoundaries({ job, files, reduces: 4, params: {}, seed: '0' });
  expect(boundaries!.map((key) => Math.round(Number(key) / 1000))).toEqual([5, 10, 15]);
});

it('no record is looked at twice, however small the input', async () => {
  const cwd = temporaryDirectory();
  const key = (index: number): string => String(index).padStart(4, '0');
  writeFileSync(join(cwd, 'in.txt'), Array.from({ length: 300 }, (_, index) => `${key(index)}\n`).join(''));
  const seen: string[] = [];
  const job: Job = {
    name: 'by number',
    partition: 'range',
    map: (line: string, emit) => {
      seen.push(line);
      emit(line, 1);
    },
    reduce: sum,
  };
  const files = await resolveInputs(['in.txt'], { cwd });
  const boundaries = await sampleBoundaries({ job, files, reduces: 2, params: {}, seed: '0' });
  expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => key(index)));
  expect(boundaries).toEqual([key(150)]);
});

describe('of a look at keys', () => {
  const byLine: Job = {
    name: 'by line',
    partition: 'range',
    map: (line: string, emit) => {
      if (line === 'bad') throw new RangeError('no such line');
      emit(line, 1);
    },
    reduce: sum,
  };
  const of = async (inputs: Record<string, string>) => {
    const cwd = temporaryDirectory();
    for (const [name, content] of Object.entries(inputs)) writeFileSync(join(cwd, name), content);
    const files = await resolveInputs(Object.keys(inputs), { cwd });
    return { job: byLine, files, reduces: 2, params: {}, seed: '0' };
  };

  it('what the job throws, and what cannot be read, are left to the task', async () => {
    const look = await of({ 'a.txt': 'a\nb\nbad\n', 'b.gz': 'no gzip at all' });
    expect(await sampleBoundaries(look)).toHaveLength(1);
  });

  it('a bug of ours is not left to anybody', async () => {
    const calling = (what: string): void => {
      if (what === 'map') throw new TypeError('a bug');
    };
    await expect(sampleBoundaries({ ...(await of({ 'a.txt': 'a\n' })), calling })).rejects.toThrow('a bug');
  });
});

import { describe, expect, test } from 'vitest';
import { count, defineJob, max, min, sum } from '../../jobs/index.js';
import { ReduceTask } from '../../jobs/reduce-task.js';
import type { Job } from '../../jobs/types.js';

const context = { task: 'reduce-1', params: {}, seed: '7' };

function task(reduce: unknown, more: Partial<Job> = {}) {
  const written: unknown[] = [];
  const job = { name: 'j', map() {}, reduce, ...more } as Job;
  const reduceTask = new ReduceTask({ job, context, write: (key, value) => written.push([key, value]) });
  return { reduceTask, written };
}

describe('a reduce task', () => {
  test('writes what reduce returns, and nothing for undefined', () => {
    const { reduceTask, written } = task((key: string, values: Iterable<number>) =>
      key === 'b' ? undefined : [...values],
    );
    reduceTask.start();
    for (const key of ['a', 'b', 'c']) reduceTask.reduceGroup(key, [1, 2]);
    reduceTask.finish();
    expect(written).toEqual([
      ['a', [1, 2]],
      ['c', [1, 2]],
    ]);
    expect(reduceTask.counters).toEqual([
      ['reduce.groups.in', 3],
      ['reduce.records.in', 6],
      ['reduce.records.out', 2],
    ]);
  });

  test('writes a line for each value of a generator, and of an async one', async () => {
    const sync = task(function* (_key: string, values: Iterable<number>) {
      for (const value of values) yield value > 1 ? value : undefined;
    });
    sync.reduceTask.start();
    expect(sync.reduceTask.reduceGroup('k', [1, 2, 3])).toBeUndefined();
    expect(sync.written).toEqual([
      ['k', 2],
      ['k', 3],
    ]);
    const async = task(async function* (_key: string, values: Iterable<number>) {
      for (const value of values) {
        await null;
        yield value;
      }
    });
    async.reduceTask.start();
    await async.reduceTask.reduceGroup('k', [1, 2]);
    expect(async.written).toEqual([
      ['k', 1],
      ['k', 2],
    ]);
  });

  test('awaits an async reduce', async () => {
    const { reduceTask, written } = task(async (_key: string, values: Iterable<number>) => {
      await null;
      return sum('', values);
    });
    reduceTask.start();
    await reduceTask.reduceGroup('k', [1, 2]);
    expect(written).toEqual([['k', 3]]);
    expect(reduceTask.counters).toContainEqual(['reduce.records.in', 2]);
  });

  test('counts values that reduce leaves unread', () => {
    const { reduceTask } = task((_key: string, values: Iterable<number>) => {
      for (const value of values) return value;
    });
    reduceTask.start();
    reduceTask.reduceGroup('k', [1, 2, 3]);
    reduceTask.reduceGroup('l', [4, 5]);
    expect(reduceTask.counters).toContainEqual(['reduce.records.in', 5]);
  });

  test('refuses to read the values twice, as they are streamed', () => {
    const { reduceTask } = task(
      (_key: string, values: Iterable<number>) => [...values].length + [...values].length,
    );
    reduceTask.start();
    expect(() => reduceTask.reduceGroup('k', [1])).toThrow('the values of key "k" a second time');
  });

  test('lets what reduce throws through untouched', async () => {
    const mistake = new Error('mine');
    const { reduceTask } = task(() => {
      throw mistake;
    });
    reduceTask.start();
    expect(() => reduceTask.reduceGroup('k', [1])).toThrow(mistake);
    const late = task(async () => {
      throw mistake;
    });
    late.reduceTask.start();
    await expect(late.reduceTask.reduceGroup('k', [1])).rejects.toBe(mistake);
  });

  test('runs setup and teardown once, and is used in order', () => {
    const calls: string[] = [];
    const { reduceTask } = task(() => 1, {
      setup: ({ task }) => void calls.push(task),
      teardown: () => void calls.push('end'),
    });
    expect(() => reduceTask.reduceGroup('k', [1])).toThrow(
      'ReduceTask.reduceGroup: the task reduce-1 is new',
    );
    reduceTask.start();
    reduceTask.finish();
    expect(calls).toEqual(['reduce-1', 'end']);
  });

  test('hands on a status', () => {
    const said: string[] = [];
    const job = defineJob({ name: 'j', map() {}, reduce: (key, _values, ctx) => ctx.status(`at ${key}`) });
    const reduceTask = new ReduceTask({
      job,
      context: { ...context, onStatus: (text) => said.push(text) },
      write() {},
    });
    reduceTask.start();
    reduceTask.reduceGroup('k', [1]);
    expect(said).toEqual(['at k']);
  });
});

test('sum, count, min and max say what they are called', () => {
  const { reduceTask, written } = task((_key: string, values: Iterable<number>, ctx: never) => {
    const all = [...values];
    return [sum('', all), count('', all, ctx), min('', all), max('', all)];
  });
  reduceTask.start();
  reduceTask.reduceGroup('k', [3, -1, 5, 3]);
  expect(written).toEqual([['k', [10, 4, -1, 5]]]);
});

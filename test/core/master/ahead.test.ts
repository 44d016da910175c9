import { describe, expect, test } from 'vitest';
import { checkMaster } from '../../../core/invariants.js';
import { benchWith, second, specOf } from '../bench.js';

describe('tasks ahead of time', () => {
  test('are given to whoever asks, as a share of what is left', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 42 }));
    const [one, two] = workers;
    bench.askAhead(one!, 100);
    // Of n that are left each of two may have a quarter queued up: the ninth would be of 32 that were 33.
    expect(one!.running.length - 1).toBe(8);
    bench.askAhead(two!, 100);
    expect(two!.running.length - 1).toBe(6);
    checkMaster(bench.master);
  });

  test('come one by one at the end: nobody queues up what another could run', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 20 }));
    for (const worker of workers) bench.askAhead(worker, 100);
    let most = 0;
    for (let turn = 0; bench.job().mapsCommitted < 20; turn++) {
      const worker = workers[turn % 2]!;
      const next = worker.running[0];
      if (next && next.task < 20) bench.complete(worker, next);
      const left = 20 - bench.job().mapsCommitted;
      if (left <= 6) most = Math.max(most, ...workers.map(({ running }) => running.length));
    }
    expect(most).toBeLessThanOrEqual(3);
  });

  test('are not given to a worker that has not asked', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 40 }));
    expect(bench.runs(workers[0]!)).toHaveLength(1);
  });

  test('go first to a slot that is free', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 40 }));
    bench.askAhead(workers[0]!, 3);
    const late = bench.join('worker-2', { slots: 2 });
    expect(late.running).toHaveLength(2);
  });

  test('are never tasks that have failed before', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 40 }));
    const [one, two] = workers;
    bench.fail(one!, one!.running[0]!);
    bench.askAhead(two!, 4);
    const tries = [...one!.running, ...two!.running].filter(({ n }) => n > 1);
    for (const { task } of tries)
      expect(two!.running[0]!.task === task || one!.running[0]!.task === task).toBe(true);
    expect(two!.running.slice(1).every(({ n }) => n === 1)).toBe(true);
  });

  test('go back uncounted with a worker that is lost', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 40 }));
    const [one, two] = workers;
    bench.askAhead(one!, 5);
    expect(one!.running).toHaveLength(6);
    bench.pass(20 * second, [one!]);
    expect(bench.job().troubles.size).toBe(0);
    bench.askAhead(two!, 100);
    bench.completeAll();
    expect(bench.job().mapsCommitted).toBe(40);
  });
});

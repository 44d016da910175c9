import { describe, expect, test } from 'vitest';
import { armedAt } from '../../../core/deadlines.js';
import { median } from '../../../core/histogram.js';
import { attemptKey } from '../../../core/ids.js';
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

  test('have not begun while they are queued up: their time runs from when their turn comes', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 40 }, { taskTimeoutUs: 3 * second }));
    const [worker] = workers;
    bench.askAhead(worker!, 8);
    for (let turn = 0; turn < 8; turn++) {
      bench.pass(2 * second);
      bench.complete(worker!, worker!.running[0]!);
    }
    expect(median(bench.master.leading!.jobs.get(1)!.maps.durations)).toBeLessThan(2.6 * second);
    bench.pass(3 * second - 1);
    expect(bench.decided('attempt-timed-out')).toEqual([]);
    const stuck = worker!.running[0]!;
    bench.pass(1);
    expect(bench.decided('attempt-timed-out')).toMatchObject([{ attempt: stuck }]);
  });

  test('have begun when their worker says so in a beat or a hello, whatever was thought', () => {
    for (const again of [false, true]) {
      const { bench, workers } = benchWith(1, specOf({ maps: 40 }, { taskTimeoutUs: 3 * second }));
      const [worker] = workers;
      bench.askAhead(worker!, 4);
      const [first, next] = worker!.running;
      if (again) {
        bench.hangUp(worker!);
        bench.join('worker-1', { running: [next!] });
      } else {
        worker!.running = [next!, first!];
        bench.beat(worker!);
      }
      expect(armedAt(bench.master.deadlines, 'attempt-timeout', attemptKey(next!))).toBe(
        bench.now + 3 * second,
      );
    }
  });

  test('whose order was lost time out when their turn has come', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 5 }, { taskTimeoutUs: 3 * second }));
    const [worker] = workers;
    bench.delivering = false;
    bench.askAhead(worker!, 4);
    const [lost] = bench.decided('attempt-assigned').slice(1);
    worker!.inbox = [];
    bench.complete(worker!, worker!.running[0]!);
    bench.pass(3 * second);
    expect(bench.decided('attempt-timed-out')).toMatchObject([{ attempt: lost!.attempt }]);
  });

  test('have no second copies while they are queued up', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 10 }, { speculation: true }));
    const [one, two] = workers;
    bench.askAhead(one!, 100);
    one!.progress.set(attemptKey(one!.running[0]!), { done: 999, total: 1000 });
    while (two!.running.length > 0) {
      bench.pass(second);
      bench.complete(two!, two!.running[0]!);
    }
    bench.pass(10 * second);
    expect(one!.running.length).toBeGreaterThan(1);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('are not blamed when the process of their worker ends: what had begun is', () => {
    for (const end of ['crashed', 'killed'] as const) {
      const { bench, workers } = benchWith(2, specOf({ maps: 40 }));
      const [one] = workers;
      bench.askAhead(one!, 5);
      bench.complete(one!, one!.running[0]!);
      const [begun] = one!.running;
      bench.join('worker-1', { incarnation: 2, previous: { incarnation: 1, end } });
      const failed = end === 'crashed' ? 1 : 0;
      expect([...bench.job().troubles.keys()]).toEqual([begun!.task]);
      expect(bench.job().troubles.get(begun!.task)).toMatchObject({ failed, deaths: 1 });
    }
  });

  test('are not queued up behind one to which something bad has happened', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 40 }));
    const [one] = workers;
    const [suspect] = one!.running;
    const next = bench.join('worker-1', { incarnation: 2, previous: { incarnation: 1, end: 'crashed' } });
    bench.complete(next, next.running[0]!);
    expect(next.running).toMatchObject([{ task: suspect!.task, n: 2 }]);
    bench.askAhead(next, 10);
    expect(next.running).toHaveLength(1);
    bench.complete(next, next.running[0]!);
    expect(next.running.length).toBeGreaterThan(1);
  });
});

import { describe, expect, test } from 'vitest';
import { armedAt } from '../../../core/deadlines.js';
import { Bench, type BenchOptions, benchWith, type FakeWorker, second, specOf } from '../bench.js';

interface Plan extends BenchOptions {
  readonly workers: number;
  readonly slots?: number;
  readonly maps: number;
  /** Maps that finish after two seconds; the others go on. */
  readonly finish: number;
  readonly speculation?: boolean;
}

/** So many maps on so many workers, of which the first ones are quick. */
function running(plan: Plan): { bench: Bench; workers: FakeWorker[] } {
  const { workers: count, maps, finish, speculation = true, ...options } = plan;
  const made = benchWith(count, specOf({ maps }, { speculation }), options);
  made.bench.pass(2 * second);
  for (let task = 0; task < finish; task++) {
    const worker = made.workers.find((one) => one.running.some((attempt) => attempt.task === task))!;
    made.bench.complete(worker, worker.running.find((attempt) => attempt.task === task)!);
  }
  return made;
}

describe('a speculative copy', () => {
  test('is made of a straggler, elsewhere, once nothing waits', () => {
    const { bench, workers } = running({ workers: 2, maps: 2, finish: 1 });
    bench.pass(10 * second);
    expect(bench.decided('attempt-speculated')).toMatchObject([
      { attempt: { task: 1, n: 1 }, node: 'worker-1' },
    ]);
    expect(bench.runs(workers[0]!)).toEqual(['map-1@2']);
    expect(bench.runs(workers[1]!)).toEqual(['map-1@1']);
  });

  test('is not made of an attempt that is too young', () => {
    const { bench } = running({ workers: 2, maps: 2, finish: 1 });
    bench.pass(3 * second - 1);
    expect(bench.decided('attempt-speculated')).toEqual([]);
    bench.pass(2 * second);
    expect(bench.decided('attempt-speculated')).toHaveLength(1);
  });

  test('is not made while no task of the phase has finished: there is nothing to compare with', () => {
    const { bench } = running({ workers: 3, maps: 2, finish: 0 });
    bench.pass(60 * second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('is made when only stragglers are left', () => {
    const { bench } = running({ workers: 4, maps: 4, finish: 2 });
    bench.pass(10 * second);
    expect(bench.decided('attempt-speculated')).toHaveLength(1);
  });

  test('is made of the attempt with the longest time left', () => {
    const { bench, workers } = running({ workers: 4, maps: 4, finish: 1 });
    const progress = (worker: FakeWorker, done: number) =>
      worker.progress.set(`1.${worker.running[0]!.task}.1.1`, { done, total: 100 });
    progress(workers[1]!, 50);
    progress(workers[2]!, 20);
    progress(workers[3]!, 90);
    bench.pass(10 * second);
    expect(bench.decided('attempt-speculated')).toMatchObject([{ attempt: { task: 2 } }]);
  });

  test('is not made of one that will be done as soon as any', () => {
    const { bench, workers } = running({ workers: 2, maps: 2, finish: 1 });
    workers[1]!.progress.set('1.1.1.1', { done: 99, total: 100 });
    bench.pass(20 * second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('is not made while something waits for a slot', () => {
    const { bench, workers } = running({ workers: 2, maps: 4, finish: 1 });
    expect(bench.runs(workers[0]!)).toEqual(['map-2@1']);
    bench.pass(60 * second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('does not take the slot of a task that came back a moment ago', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1, reduces: 3 }, { speculation: true }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.pass(2 * second);
    const quick = workers.find((worker) => bench.runs(worker).includes('reduce-0@1'))!;
    bench.complete(quick, quick.running[0]!);
    expect(bench.runs(quick)).toEqual(['reduce-2@1']);
    bench.pass(10 * second);
    bench.complete(quick, quick.running[0]!, { inputs: 'outdated' });
    bench.now = armedAt(bench.master.deadlines, 'speculate', '')!;
    bench.step({ type: 'clock.reached', deadline: { kind: 'speculate', id: '' } });
    expect(bench.decided('attempt-speculated')).toEqual([]);
    expect(bench.runs(quick)).toEqual(['reduce-2@2']);
  });

  test('never runs on the same worker, though it has slots', () => {
    const { bench, workers } = running({ workers: 1, slots: 3, maps: 2, finish: 1 });
    bench.pass(60 * second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
    expect(bench.runs(workers[0]!)).toEqual(['map-1@1']);
  });

  test('takes at most a tenth of all slots, and at least one', () => {
    const few = running({ workers: 4, slots: 2, maps: 8, finish: 4 });
    few.bench.pass(60 * second);
    expect(few.bench.decided('attempt-speculated')).toHaveLength(1);
    const many = running({ workers: 10, slots: 3, maps: 30, finish: 10 });
    many.bench.pass(60 * second);
    expect(many.bench.decided('attempt-speculated')).toHaveLength(3);
  });

  test('shares that tenth with the copies of all other jobs', () => {
    const { bench, workers } = benchWith(4, specOf({ maps: 4 }, { speculation: true }), { slots: 4 });
    bench.submit(specOf({ maps: 4, output: '/other' }, { speculation: true }), 'request-2');
    bench.pass(2 * second);
    for (const job of [1, 2]) {
      for (const worker of workers) {
        const quick = worker.running.find((one) => one.job === job && one.task < 2);
        if (quick) bench.complete(worker, quick);
      }
    }
    bench.pass(60 * second);
    expect(bench.decided('attempt-speculated')).toHaveLength(1);
  });

  test('that is left alone when the original’s worker dies is the task’s attempt, and takes no part of that tenth', () => {
    const { bench, workers } = running({ workers: 4, maps: 4, finish: 2 });
    bench.pass(10 * second);
    const [copy] = bench.decided('attempt-speculated');
    const original = workers.find((one) =>
      one.running.some(({ task, n }) => task === copy!.attempt!.task && n === 1),
    );
    bench.hangUp(original!);
    bench.pass(10 * second, [original!]);
    expect(bench.decided('attempt-speculated')).toHaveLength(2);
  });

  test('that is left alone is not stopped by draining', () => {
    const { bench, workers } = running({ workers: 2, maps: 2, finish: 1 });
    bench.pass(10 * second);
    bench.hangUp(workers[1]!);
    bench.pass(2 * second, [workers[1]!]);
    bench.drain();
    expect(bench.runs(workers[0]!)).toEqual(['map-1@2']);
  });

  test('is one of two that a new leader finds, whichever it hears of first', () => {
    for (const order of [
      [11, 12],
      [12, 11],
    ]) {
      const bench = new Bench();
      bench.submit(specOf({ maps: 1 }));
      const workers = order.map((n) =>
        bench.join(`worker-${n}`, { running: [{ job: 1, task: 0, epoch: 1, n }] }),
      );
      bench.drain();
      expect(workers.flatMap((one) => bench.runs(one))).toHaveLength(1);
    }
  });

  test('is not made while it is looked into whether another leads, or has led, in this epoch', () => {
    const { bench } = running({ workers: 3, maps: 2, finish: 1 });
    bench.reading = false;
    bench.join('worker-4', { epochSeen: 1, slotSeen: bench.master.durable.slot + 5 });
    bench.pass(10 * second);
    expect(bench.master.role).toBe('leader');
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('is made though a task waits, when that may only go to the straggler’s busy worker', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 3 }, { speculation: true }));
    const [quick, slow] = workers;
    bench.pass(2 * second);
    bench.complete(quick!, quick!.running[0]!);
    bench.fail(quick!, quick!.running[0]!);
    expect(bench.runs(quick!)).toEqual([]);
    bench.pass(10 * second);
    expect(bench.decided('attempt-speculated')).toMatchObject([{ attempt: { task: 1 }, node: 'worker-1' }]);
    expect(bench.runs(slow!)).toEqual(['map-1@1']);
  });

  test('is stopped when the original is first, and the other way round', () => {
    for (const winner of [0, 1]) {
      const { bench, workers } = running({ workers: 2, maps: 2, finish: 1 });
      bench.pass(10 * second);
      const [quick, slow] = winner === 0 ? [workers[0]!, workers[1]!] : [workers[1]!, workers[0]!];
      const loser = bench.name(slow.running[0]!);
      bench.complete(quick, quick.running[0]!);
      expect(bench.revoked(slow)).toEqual([`${loser} superseded`]);
      expect(bench.job().mapsCommitted).toBe(2);
      bench.completeAll();
      expect(bench.job().phase).toBe('publishing');
    }
  });

  test('that fails leaves the original running, and counts', () => {
    const { bench, workers } = running({ workers: 2, maps: 2, finish: 1 });
    bench.pass(10 * second);
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    expect(bench.runs(workers[1]!)).toEqual(['map-1@1']);
    expect(bench.job().troubles.get(1)).toMatchObject({ failed: 1 });
    bench.pass(60 * second);
    expect(bench.runs(workers[0]!)).toEqual([]);
  });

  test('is not made when the job forbids it', () => {
    const { bench } = running({ workers: 2, maps: 2, finish: 1, speculation: false });
    bench.pass(60 * second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('is counted in the status', () => {
    const { bench } = running({ workers: 2, maps: 2, finish: 1 });
    bench.pass(10 * second);
    bench.submit();
    expect(bench.told.at(-1)).toMatchObject({
      maps: { total: 2, done: 1, running: 1, attempts: 3, speculative: 1 },
    });
  });
});

import { describe, expect, test } from 'vitest';
import { attemptKey } from '../../../core/ids.js';
import { checkMaster } from '../../../core/invariants.js';
import { noteOutput } from '../../../core/master/inputs.js';
import { type Bench, benchWith, type FakeWorker, second, specOf } from '../bench.js';

const half = { slowstartPermille: 500 };

/** The worker says of its reduces that they wait. */
function waits(worker: FakeWorker, done = 0): void {
  for (const attempt of worker.running)
    worker.progress.set(attemptKey(attempt), { done, total: 100, waiting: true });
}

function told(worker: FakeWorker): string[] {
  return worker.heard.flatMap((message) =>
    message.type === 'outputs.changed'
      ? [
          `${message.from}: ${message.changes.map(({ attempt, holder }) => `${attempt.task}${holder ? '' : ' gone'}`)}`,
        ]
      : [],
  );
}

/** Two maps, one committed, the other on worker-1, and the reduce waiting on worker-2. */
function waiting(policy = {}): { bench: Bench; workers: FakeWorker[] } {
  const made = benchWith(2, specOf({ maps: 2, reduces: 1 }, { ...half, ...policy }));
  const [one, two] = made.workers;
  made.bench.complete(two!, two!.running[0]!);
  expect(made.bench.runs(one!)).toEqual(['map-0@1']);
  expect(made.bench.runs(two!)).toEqual(['reduce-0@1']);
  waits(two!);
  return made;
}

/** One of two maps is committed, the other on worker-1; a reduce waits on worker-3, and worker-2 is free for a copy. */
function copying(): { bench: Bench; workers: FakeWorker[] } {
  const made = benchWith(3, specOf({ maps: 2, reduces: 1 }, { ...half, speculation: true }));
  const [one, two, three] = made.workers;
  made.bench.complete(two!, two!.running[0]!);
  expect(made.bench.runs(one!)).toEqual(['map-0@1']);
  expect(made.bench.runs(three!)).toEqual(['reduce-0@1']);
  waits(three!);
  return made;
}

describe('slowstart', () => {
  test('gives reduces out once the fraction of maps is committed, and none is left to be given out', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 4, reduces: 2 }, half), { slots: 3 });
    const [worker] = workers;
    bench.complete(worker!, worker!.running[0]!);
    expect(bench.runs(worker!)).toEqual(['map-1@1', 'map-2@1', 'map-3@1']);
    bench.complete(worker!, worker!.running[0]!);
    expect(bench.runs(worker!)).toEqual(['map-2@1', 'map-3@1', 'reduce-0@1']);
    expect(bench.decided('attempt-assigned').at(-1)).toMatchObject({ facts: { early: true } });
  });

  test('of 0 gives them out at once, of 1000 after the last map', () => {
    const eager = benchWith(3, specOf({ maps: 2, reduces: 1 }, { slowstartPermille: 0 }));
    expect(eager.bench.runs(eager.workers[2]!)).toEqual(['reduce-0@1']);
    const patient = benchWith(3, specOf({ maps: 2, reduces: 1 }));
    patient.bench.complete(patient.workers[0]!, patient.workers[0]!.running[0]!);
    expect(patient.workers.flatMap((worker) => patient.bench.runs(worker))).toEqual(['map-1@1']);
  });

  test('does not give slots to waiting reduces while a map of another job has none', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2, reduces: 1 }, half));
    bench.submit(specOf({ maps: 1, output: '/other' }), 'request-2');
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    expect(workers[1]!.running).toMatchObject([{ job: 2, task: 0 }]);
  });

  test('tells waiting reduces of outputs as they come and go, with a beat or the last of them', () => {
    const { bench, workers } = benchWith(3, specOf({ maps: 3, reduces: 1 }, { slowstartPermille: 300 }));
    const [one, two, three] = workers;
    const first = three!.running[0]!;
    bench.complete(three!, first);
    expect(told(three!)).toEqual(['0: 2']);
    bench.complete(two!, two!.running[0]!);
    expect(told(three!)).toEqual(['0: 2']);
    bench.pass(second);
    expect(told(three!)).toEqual(['0: 2', '1: 1']);
    bench.complete(one!, one!.running[0]!);
    expect(told(three!)).toEqual(['0: 2', '1: 1', '2: 0']);
  });

  test('tells outputs of a job with many maps in portions, but a loss and the last of them at once', () => {
    const { bench } = benchWith(1, specOf({ maps: 600, reduces: 1 }));
    const job = bench.job();
    const view = bench.master.leading!.jobs.get(1)!;
    const tellableAfter = (task: number, holder?: string): number => {
      const attempt = { job: 1, task, epoch: 1, n: 1 };
      noteOutput(job, view, { attempt, digest: 'content', ...(holder ? { holder } : {}) });
      return view.tellable;
    };
    expect([0, 1, 2, 3, 4, 5, 6].map((task) => tellableAfter(task, 'worker-1'))).toEqual([
      0, 0, 3, 3, 3, 6, 6,
    ]);
    expect(tellableAfter(6)).toBe(8);
    job.mapsCommitted = 600;
    expect(tellableAfter(6, 'worker-1')).toBe(9);
    expect(tellableAfter(7, 'worker-1')).toBe(10);
  });

  test('ends up with reduces that have read the present generation of every map', () => {
    const { bench, workers } = waiting();
    bench.complete(workers[1]!, workers[1]!.running[0]!, { inputs: 'of-one-map-only' });
    expect(bench.verdicts(workers[1]!).at(-1)).toBe('reduce-0@1 inputs-changed');
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });
});

describe('a waiting reduce', () => {
  test('does not run out of time, and has all of it once it has what it waited for', () => {
    const { bench, workers } = waiting({ taskTimeoutUs: 20 * second });
    workers[0]!.progress.set('1.0.1.1', { done: 1, total: 1e9 });
    for (let step = 0; step < 10; step++) {
      workers[0]!.progress.set('1.0.1.1', { done: step + 1, total: 1e9 });
      bench.pass(19 * second);
    }
    expect(bench.decided('attempt-timed-out')).toEqual([]);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    workers[1]!.progress.clear();
    bench.pass(20 * second - 1);
    expect(bench.decided('attempt-timed-out')).toEqual([]);
    bench.pass(1);
    expect(bench.decided('attempt-timed-out')).toMatchObject([{ attempt: { task: 2 } }]);
  });

  test('that says so for ever, though all maps are there, runs out of time like any other', () => {
    const { bench, workers } = waiting({ taskTimeoutUs: 20 * second });
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    waits(workers[1]!);
    bench.pass(40 * second);
    expect(bench.decided('attempt-timed-out')).not.toEqual([]);
  });

  test('that has not heard yet that all maps are there waits for none: no map can be owed its slot', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 1 }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    waits(workers[0]!);
    bench.pass(2 * second);
    bench.submit(specOf({ maps: 1, output: '/other' }), 'request-2');
    checkMaster(bench.master);
    expect(bench.decided('attempt-preempted')).toEqual([]);
    expect(bench.runs(workers[0]!)).toEqual(['reduce-0@1']);
  });

  test('is not copied as a straggler, and its waiting does not count as work', () => {
    const { bench, workers } = copying();
    bench.pass(60 * second);
    expect(bench.decided('attempt-speculated').map(({ attempt }) => attempt!.task)).toEqual([0]);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.pass(second);
    bench.complete(workers[2]!, workers[2]!.running[0]!);
    const { durations } = bench.master.leading!.jobs.get(1)!.reduces;
    expect(durations.buckets.length).toBeLessThan(100);
    expect(bench.job().phase).toBe('publishing');
  });

  test('leaves a worker free for a copy of the map that it waits for, where copies are allowed', () => {
    const { bench, workers } = copying();
    expect(bench.runs(workers[1]!)).toEqual([]);
    bench.pass(10 * second);
    expect(bench.runs(workers[1]!)).toEqual(['map-0@2']);
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    expect(workers.flatMap((worker) => bench.runs(worker))).toEqual(['reduce-0@1']);
  });

  test('gives way to a map that finds no slot, uncounted', () => {
    const { bench, workers } = waiting();
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    expect(bench.runs(workers[1]!)).toEqual(['map-0@2']);
    expect(bench.revoked(workers[1]!)).toEqual(['reduce-0@1 preempted']);
    expect(bench.decided('attempt-revoked')).toMatchObject([{ facts: { why: 'preempted' } }]);
    expect(bench.job().troubles.get(2)).toBeUndefined();
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });

  test('gives way to a map of another job, the least advanced first, and no more than are needed', () => {
    const { bench, workers } = benchWith(3, specOf({ maps: 2, reduces: 2 }, half));
    const [one, two, three] = workers;
    bench.complete(two!, two!.running[0]!);
    expect([one, two, three].flatMap((worker) => bench.runs(worker!))).toEqual([
      'map-0@1',
      'reduce-1@1',
      'reduce-0@1',
    ]);
    waits(two!, 50);
    waits(three!, 20);
    bench.pass(second);
    bench.submit(specOf({ maps: 1, output: '/other' }), 'request-2');
    expect(three!.running).toMatchObject([{ job: 2 }]);
    expect(bench.runs(two!)).toEqual(['reduce-1@1']);
    expect(bench.decided('attempt-revoked')).toHaveLength(1);
  });

  test('is stopped once while its slot is not free yet', () => {
    const { bench, workers } = benchWith(3, specOf({ maps: 2, reduces: 2 }, half));
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    for (const worker of workers.slice(1)) waits(worker);
    bench.pass(second);
    bench.delivering = false;
    bench.submit(specOf({ maps: 1, output: '/other' }), 'request-2');
    bench.pass(3 * second);
    expect(bench.decided('attempt-revoked')).toHaveLength(1);
    expect(bench.master.leading!.preempting.size).toBe(1);
    bench.delivering = true;
    bench.pass(second);
    expect(bench.master.leading!.preempting.size).toBe(0);
    expect(workers.flatMap((worker) => worker.running).some(({ job }) => job === 2)).toBe(true);
  });

  test('keeps its slot when the map may not run on its worker', () => {
    const { bench, workers } = waiting();
    const [one, two] = workers;
    bench.fail(one!, one!.running[0]!);
    bench.fail(two!, two!.running[0]!);
    expect([...bench.runs(one!), ...bench.runs(two!)].sort()).toEqual(['map-0@3', 'reduce-0@2']);
  });

  test('that works again is not preempted', () => {
    const { bench, workers } = waiting();
    workers[1]!.progress.clear();
    bench.pass(second);
    bench.submit(specOf({ maps: 1, output: '/other' }), 'request-2');
    expect(bench.decided('attempt-revoked')).toEqual([]);
  });

  test('after a takeover waits on, told of everything anew', () => {
    const { bench, workers } = waiting();
    const two = workers[1]!;
    bench.hangUp(two);
    two.heard.length = 0;
    const again = bench.join('worker-2');
    waits(again);
    bench.pass(second);
    expect(told(again)).toEqual(['0: 1']);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(told(again)).toEqual(['0: 1', '1: 0']);
  });
});

test('an idle map while waiting reduces hold all slots is found by the rule', () => {
  const { bench, workers } = waiting();
  bench.complete(workers[0]!, workers[0]!.running[0]!);
  bench.hangUp(workers[0]!);
  const { leading } = bench.master;
  const live = [...leading!.workers.get('worker-2')!.live.values()][0]!;
  live.waiting = true;
  leading!.waiting.set(attemptKey(live.id), 'worker-2');
  leading!.ready.clear();
  leading!.workers.get('worker-1')!.session = 0;
  bench.master.durable.jobs[0]!.commits[0]!.valid = false;
  leading!.jobs.get(1)!.idleMaps.push(0);
  expect(() => checkMaster(bench.master)).toThrow('M11');
});

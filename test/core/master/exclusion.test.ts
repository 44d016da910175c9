import { describe, expect, test } from 'vitest';
import { armedAt } from '../../../core/deadlines.js';
import { checkMaster } from '../../../core/invariants.js';
import type { MasterState } from '../../../core/master/state.js';
import { type Bench, benchWith, type FakeWorker, second, specOf } from '../bench.js';

const many = specOf({ maps: 40 }, { maxAttempts: 9 });
const slots = 3;
const first = 30 * second;

/** The worker fails so many of the tasks that it has had longest. */
function failing(bench: Bench, worker: FakeWorker, times: number): void {
  for (let time = 0; time < times; time++) bench.fail(worker, worker.running[0]!);
}

/** The worker finishes all that it was given before. */
function finishing(bench: Bench, worker: FakeWorker): void {
  for (const attempt of [...worker.running]) bench.complete(worker, attempt);
}

function excluded(bench: Bench) {
  return bench.decided('worker-excluded').map(({ node, facts }) => [node, facts?.forUs]);
}

describe('a worker that fails three tasks of a job', () => {
  test('is given nothing of that job for a while', () => {
    const { bench, workers } = benchWith(2, many, { slots });
    failing(bench, workers[0]!, 2);
    expect(bench.runs(workers[0]!)).toHaveLength(3);
    failing(bench, workers[0]!, 1);
    expect(excluded(bench)).toEqual([['worker-1', first]]);
    expect(bench.runs(workers[0]!)).toEqual(['map-6@1', 'map-7@1', 'map-8@1']);
    finishing(bench, workers[0]!);
    expect(bench.runs(workers[0]!)).toEqual([]);
    bench.pass(first - 1);
    expect(bench.runs(workers[0]!)).toEqual([]);
    bench.pass(1);
    expect(bench.decided('worker-readmitted')).toMatchObject([
      { node: 'worker-1', facts: { why: 'served' } },
    ]);
    expect(bench.runs(workers[0]!)).toHaveLength(3);
  });

  test('finishes what it runs', () => {
    const { bench, workers } = benchWith(2, many, { slots });
    failing(bench, workers[0]!, 3);
    const last = workers[0]!.running[0]!;
    bench.complete(workers[0]!, last);
    expect(bench.commits()).toContain(`${bench.name(last)} by worker-1`);
  });

  test('may work for other jobs', () => {
    const { bench, workers } = benchWith(2, many, { slots });
    failing(bench, workers[0]!, 3);
    finishing(bench, workers[0]!);
    bench.submit(specOf({ maps: 2, output: '/other' }), 'request-2');
    expect(workers[0]!.running).toMatchObject([{ job: 2 }, { job: 2 }]);
  });

  test('counts tasks, not failures: one task twice is one', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { maxAttempts: 9 }));
    failing(bench, workers[0]!, 4);
    expect(bench.runs(workers[0]!)).toEqual(['map-0@5']);
    bench.join('worker-2');
    failing(bench, workers[0]!, 1);
    expect(excluded(bench)).toEqual([]);
  });
});

describe('a worker on probation', () => {
  function onProbation(): { bench: Bench; workers: FakeWorker[] } {
    const made = benchWith(2, many, { slots });
    failing(made.bench, made.workers[0]!, 3);
    finishing(made.bench, made.workers[0]!);
    made.bench.pass(first);
    return made;
  }

  test('is excluded by one more failure, for twice the time, up to the cap', () => {
    const { bench, workers } = onProbation();
    const times = [];
    for (let forUs = 2 * first; times.length < 6; forUs = Math.min(600 * second, 2 * forUs)) {
      failing(bench, workers[0]!, 1);
      times.push(excluded(bench).at(-1)![1]);
      bench.pass(forUs);
    }
    expect(times).toEqual([60, 120, 240, 480, 600, 600].map((seconds) => seconds * second));
  });

  test('has a clean slate after a success', () => {
    const { bench, workers } = onProbation();
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    failing(bench, workers[0]!, 2);
    expect(excluded(bench)).toHaveLength(1);
    failing(bench, workers[0]!, 1);
    expect(excluded(bench).at(-1)).toEqual(['worker-1', first]);
  });
});

describe('a task that fails on two workers', () => {
  test('is blamed itself: the first one is readmitted', () => {
    const { bench, workers } = benchWith(2, many, { slots });
    failing(bench, workers[0]!, 3);
    expect(excluded(bench)).toHaveLength(1);
    finishing(bench, workers[1]!);
    expect(bench.runs(workers[1]!)).toEqual(['map-0@2', 'map-1@2', 'map-2@2']);
    failing(bench, workers[1]!, 1);
    expect(bench.decided('worker-readmitted')).toMatchObject([
      { node: 'worker-1', facts: { why: 'task-blamed', probation: false } },
    ]);
    expect(armedAt(bench.master.deadlines, 'exclusion', '1 worker-1')).toBeUndefined();
  });

  test('counts against neither', () => {
    const { bench, workers } = benchWith(2, many, { slots });
    failing(bench, workers[0]!, 2);
    finishing(bench, workers[1]!);
    failing(bench, workers[1]!, 2);
    const { conduct } = bench.master.leading!.jobs.get(1)!;
    expect([...conduct.values()].flatMap(({ failed }) => failed)).toEqual([]);
  });
});

describe('the last live worker', () => {
  test('is never excluded', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 40 }, { maxAttempts: 99 }), { slots });
    failing(bench, workers[0]!, 9);
    expect(excluded(bench)).toEqual([]);
  });

  test('is readmitted when the others go', () => {
    const { bench, workers } = benchWith(3, many, { slots });
    failing(bench, workers[0]!, 3);
    failing(bench, workers[1]!, 3);
    expect(excluded(bench).map(([node]) => node)).toEqual(['worker-1', 'worker-2']);
    bench.hangUp(workers[2]!);
    expect(bench.decided('worker-readmitted')).toMatchObject([
      { node: 'worker-1', facts: { why: 'last-worker' } },
    ]);
    expect(bench.runs(workers[0]!)).toHaveLength(3);
    finishing(bench, workers[1]!);
    expect(bench.runs(workers[1]!)).toEqual([]);
  });

  test('is whoever is left: a third is not excluded once two are', () => {
    const { bench, workers } = benchWith(3, many, { slots });
    for (const worker of workers) failing(bench, worker, 3);
    expect(excluded(bench)).toHaveLength(2);
  });
});

describe('an exclusion', () => {
  test('outlives the session and the life of the worker', () => {
    const { bench, workers } = benchWith(2, many, { slots });
    failing(bench, workers[0]!, 3);
    bench.hangUp(workers[0]!);
    const again = bench.join('worker-1', { incarnation: 2 });
    expect(again.running).toEqual([]);
    bench.pass(first);
    expect(bench.runs(again)).toHaveLength(3);
  });

  test('ends with its job', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 8 }), { slots });
    failing(bench, workers[0]!, 3);
    bench.completeAll();
    bench.step({ type: 'output.published', job: 1 });
    expect(armedAt(bench.master.deadlines, 'exclusion', '1 worker-1')).toBeUndefined();
  });

  test('also keeps speculative copies away', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 6 }, { speculation: true, maxAttempts: 9 }), {
      slots,
    });
    bench.pass(second);
    failing(bench, workers[0]!, 3);
    finishing(bench, workers[0]!);
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    bench.pass(first - second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('that is not kept to is found by the rule', () => {
    const { bench, workers } = benchWith(2, many);
    bench.pass(second);
    failing(bench, workers[1]!, 1);
    const { conduct } = bench.master.leading!.jobs.get(1)!;
    conduct.set('worker-2', { failed: [], exclusions: 1, sinceUs: 5, untilUs: 9, probation: false });
    expect(() => checkMaster(bench.master as MasterState)).toThrow('M10');
  });
});

import { describe, expect, test } from 'vitest';
import { checkShares } from '../../../core/step-invariants.js';
import { type Bench, benchWith, type FakeWorker, second, specOf } from '../bench.js';

/** `2.0` for the first task of job 2, of everything that runs, worker by worker. */
function running(workers: readonly FakeWorker[]): string[] {
  return workers.flatMap((worker) => worker.running.map(({ job, task }) => `${job}.${task}`));
}

/** A long job on three workers, one of which is done with its first map, and a short job that came meanwhile. */
function shortBehindLong(sharing: 'fair' | 'fifo'): { bench: Bench; workers: FakeWorker[] } {
  const made = benchWith(3, specOf({ maps: 20 }), { config: { sharing } });
  made.bench.submit(specOf({ maps: 3, output: '/short' }), 'request-2');
  const [one] = made.workers;
  made.bench.complete(one!, one!.running[0]!);
  return made;
}

describe('fair sharing', () => {
  test('gives the next slot to the job with the fewest attempts', () => {
    const { bench, workers } = shortBehindLong('fair');
    expect(running(workers)).toEqual(['2.0', '1.1', '1.2']);
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    expect(running(workers)).toEqual(['2.0', '1.3', '1.2']); // of equals the oldest
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(running(workers)).toEqual(['2.1', '1.3', '1.2']);
  });

  test('deals free slots out one by one, and the reduces of a job whose maps are done count as its maps did', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 3 }), { slots: 1 });
    bench.submit(specOf({ maps: 9, output: '/other' }), 'request-2');
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const late = bench.join('worker-2', { slots: 4 });
    expect(running([workers[0]!, late])).toEqual(['2.0', '1.1', '1.2', '2.1', '1.3']);
  });

  test('leaves slots to whoever can use them', () => {
    const { bench, workers } = shortBehindLong('fair');
    const late = bench.join('worker-4', { slots: 6 });
    expect(running([late])).toEqual(['2.1', '1.3', '2.2', '1.4', '1.5', '1.6']);
    expect(running(workers)).toEqual(['2.0', '1.1', '1.2']);
  });

  test('gives a worker that is excluded from one job tasks of the other', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 30 }, { maxAttempts: 9 }), { slots: 3 });
    const [one, two] = workers;
    for (let failures = 0; failures < 3; failures++) bench.fail(one!, one!.running[0]!);
    for (const attempt of [...one!.running]) bench.complete(one!, attempt);
    expect(running([one!])).toEqual([]);
    bench.submit(specOf({ maps: 9, output: '/other' }), 'request-2');
    expect(running([one!])).toEqual(['2.0', '2.1', '2.2']);
    expect(running([two!])).toEqual(['1.3', '1.4', '1.5']);
  });

  test('takes what reduces of any job wait for as room for maps of the other', () => {
    const early = { slowstartPermille: 300 };
    const { bench, workers } = benchWith(3, specOf({ maps: 3, reduces: 3 }, early));
    const [, two, three] = workers;
    bench.complete(two!, two!.running[0]!);
    bench.complete(three!, three!.running[0]!);
    expect(running(workers)).toEqual(['1.0', '1.3', '1.4']);
    bench.submit(specOf({ maps: 2, output: '/other' }), 'request-2');
    bench.pass(second);
    expect(running(workers)).toEqual(['1.0', '2.0', '2.1']);
    expect(bench.decided('attempt-preempted')).toHaveLength(2);
    expect(bench.job().troubles.size).toBe(0);
  });

  test('of tasks ahead of time: a short job is not kept out by the queues of a long one', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 200 }));
    for (const worker of workers) bench.askAhead(worker, 8);
    bench.submit(specOf({ maps: 2, output: '/short' }), 'request-2');
    // All slots are full and all queues as well: what is asked for next is given to the short job.
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(workers[0]!.running.at(-1)).toMatchObject({ job: 2, task: 0 });
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    expect(workers[1]!.running.at(-1)).toMatchObject({ job: 2, task: 1 });
  });

  test('of tasks ahead of time: no queue is given more of a short job than its share of it', () => {
    const { bench, workers } = benchWith(4, specOf({ maps: 400 }));
    bench.submit(specOf({ maps: 8, output: '/short' }), 'request-2');
    for (const worker of workers) bench.askAhead(worker, 8);
    const ofShort = workers.map((worker) => worker.running.filter(({ job }) => job === 2).length);
    expect(ofShort).toEqual([1, 1, 1, 1]);
  });
});

describe('first come, first served', () => {
  test('gives no slot to a later job while an earlier one can use any', () => {
    const { bench, workers } = shortBehindLong('fifo');
    while (bench.job(1).mapsCommitted < 17) bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(running(workers)).toEqual(['1.19', '1.1', '1.2']);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(running(workers)).toEqual(['2.0', '1.1', '1.2']);
  });
});

describe('the rule of fair shares', () => {
  test('is broken by a slot that goes to the job with more attempts', () => {
    const { bench, workers } = shortBehindLong('fair');
    const assigned = {
      type: 'decide',
      decision: 'attempt-assigned',
      attempt: workers[2]!.running[0]!,
      node: 'worker-3',
      facts: { task: 'map-2', speculative: false },
    } as const;
    expect(() => checkShares(bench.master, [assigned])).not.toThrow(); // both had one before
    bench.master.leading!.jobs.get(2)!.live = 0;
    expect(() => checkShares(bench.master, [assigned])).toThrow('job 2 could have used it');
  });
});

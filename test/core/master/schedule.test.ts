import { describe, expect, test } from 'vitest';
import { benchWith, second, specOf } from '../bench.js';

describe('giving out tasks', () => {
  test('takes maps in their order, then reduces, and no reduce before the last map', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 3, reduces: 2 }), { slots: 2 });
    const worker = workers[0]!;
    const seen: string[][] = [bench.runs(worker)];
    while (bench.runs(worker).length > 0) {
      bench.complete(worker, worker.running[0]!);
      seen.push(bench.runs(worker));
    }
    expect(seen).toEqual([
      ['map-0@1', 'map-1@1'],
      ['map-1@1', 'map-2@1'],
      ['map-2@1'],
      ['reduce-0@1', 'reduce-1@1'],
      ['reduce-1@1'],
      [],
    ]);
  });

  test('tells a reduce where all map outputs lie, before it is told to run', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2, reduces: 1 }));
    for (const worker of workers) bench.complete(worker, worker.running[0]!);
    const reader = workers.find((worker) => worker.running.length > 0)!;
    const told = reader.heard.filter((one) => one.type !== 'attempt.answer').slice(-2);
    expect(told).toMatchObject([
      {
        type: 'outputs.changed',
        from: 0,
        changes: [
          { attempt: { task: 0 }, digest: 'content-of-1-0', holder: 'worker-1' },
          { attempt: { task: 1 }, digest: 'content-of-1-1', holder: 'worker-2' },
        ],
      },
      { type: 'attempt.assign', attempt: { task: 2 }, outputsVersion: 2, work: 'work-hash', output: '/out' },
    ]);
  });

  test('spreads tasks over workers instead of filling the first', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 8 }), { slots: 2 });
    expect(workers.map((worker) => bench.runs(worker).length)).toEqual([2, 2]);
    for (const worker of workers) for (const attempt of [...worker.running]) bench.complete(worker, attempt);
    expect(workers.map((worker) => bench.runs(worker).length)).toEqual([2, 2]);
  });

  test('goes from job to job in the order of their acceptance', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }), { slots: 3 });
    bench.submit(specOf({ maps: 3, output: '/other' }), 'request-2');
    expect(workers[0]!.running.map(({ job, task }) => `${job}.${task}`)).toEqual(['1.0', '2.0', '2.1']);
  });

  test('never repeats a task where it failed while another worker lives', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    const [one, two] = workers;
    bench.fail(one!, one!.running[0]!);
    expect(bench.runs(one!)).toEqual([]);
    expect(bench.runs(two!)).toEqual(['map-0@2']);
    bench.fail(two!, two!.running[0]!);
    expect([...bench.runs(one!), ...bench.runs(two!)]).toEqual(['map-0@3']);
  });

  test('waits for a busy worker rather than repeat a task where it failed', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }));
    const [one, two] = workers;
    bench.fail(one!, one!.running[0]!);
    bench.pass(5 * second);
    expect(bench.runs(one!)).toEqual([]);
    bench.complete(two!, two!.running[0]!);
    expect(bench.runs(two!)).toEqual(['map-0@2']);
  });

  test('repeats a task where it failed when nobody else is left', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    const [one, two] = workers;
    bench.fail(one!, one!.running[0]!);
    bench.hangUp(two!);
    bench.pass(2 * bench.config.reconnectUs, [two!]);
    expect(bench.runs(one!)).toEqual(['map-0@3']);
  });

  test('numbers attempts of a task 1, 2, 3 in its epoch, and never gives a number twice', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { maxAttempts: 9 }));
    for (let n = 1; n <= 5; n++) {
      expect(workers[0]!.running).toEqual([{ job: 1, task: 0, epoch: 1, n }]);
      bench.fail(workers[0]!, workers[0]!.running[0]!);
    }
  });
});

describe('the end of a job', () => {
  test('publishes the committed reduces in order, with counters of committed attempts only', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 2, reduces: 2 }));
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    bench.completeAll();
    expect(bench.published).toMatchObject([
      {
        job: 1,
        requestId: 'request-1',
        work: 'work-hash',
        output: '/out',
        counters: [['records', 4]],
        parts: [
          { attempt: { task: 2 }, digest: 'content-of-1-2', bytes: 10 },
          { attempt: { task: 3 }, digest: 'content-of-1-3', bytes: 10 },
        ],
      },
    ]);
  });

  test('is published only after the record of no return is durable', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 1 }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.confirm();
    expect(bench.appending?.records).toEqual([{ type: 'job.publishing', job: 1 }]);
    expect(bench.published).toEqual([]);
    bench.confirm();
    expect(bench.published).toHaveLength(1);
    expect(bench.job().phase).toBe('publishing');
  });

  test('is told to clients and workers once it is durable', () => {
    const { bench, workers } = benchWith(1);
    bench.completeAll();
    bench.mark();
    bench.step({ type: 'output.published', job: 1 });
    expect(bench.told).toMatchObject([
      { type: 'job.status', phase: 'published', counters: [['records', 3]] },
    ]);
    expect(workers[0]!.heard).toEqual([{ type: 'job.ended', epoch: 1, incarnation: 1, job: 1 }]);
    bench.step({ type: 'output.published', job: 1 });
    expect(bench.records().filter((record) => record.type === 'job.published')).toHaveLength(1);
  });

  test('is a failure when the output can never be published', () => {
    const { bench } = benchWith(1);
    bench.completeAll();
    bench.step({ type: 'output.refused', job: 1, message: 'it exists' });
    expect(bench.job()).toMatchObject({
      phase: 'failed',
      failure: { reason: 'publish-refused', message: 'it exists' },
    });
  });

  test('frees what ran for it', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 2 }, { maxAttempts: 1 }), { slots: 2 });
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    expect(bench.job().phase).toBe('failed');
    expect(bench.master.leading!.workers.get('worker-1')!.live.size).toBe(0);
    bench.pass(1000 * second);
    expect(bench.decided('attempt-timed-out')).toEqual([]);
  });
});

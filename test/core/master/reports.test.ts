import { describe, expect, test } from 'vitest';
import { type Bench, benchWith, type FakeWorker, second, specOf } from '../bench.js';

/** Worker 1 fell silent with map-0@1, and worker 2 has been given map-0@2; then worker 1 finishes after all. */
function late(lateReports: 'first-commit' | 'owner-only'): {
  bench: Bench;
  one: FakeWorker;
  two: FakeWorker;
} {
  const { bench, workers } = benchWith(2, specOf({ maps: 1 }, { lateReports }));
  const [one, two] = workers;
  bench.pass(bench.config.workerLeaseUs, [one!]);
  expect(bench.runs(two!)).toEqual(['map-0@2']);
  bench.complete(one!, one!.running[0]!);
  bench.mark();
  return { bench, one: bench.join('worker-1'), two: two! };
}

describe('a late report', () => {
  test('is taken under first-commit, and the new owner is stopped', () => {
    const { bench, one, two } = late('first-commit');
    expect(bench.decided('late-report-accepted')).toHaveLength(1);
    expect(bench.commits()).toEqual(['map-0@1 by worker-1']);
    expect(bench.verdicts(one)).toEqual(['map-0@1 committed']);
    expect(bench.revoked(two)).toEqual(['map-0@2 superseded']);
    expect(bench.job().mapsCommitted).toBe(1);
  });

  test('is refused under owner-only, and the owner’s is taken', () => {
    const { bench, one, two } = late('owner-only');
    expect(bench.decided('late-report-refused')).toMatchObject([{ facts: { verdict: 'not-owner' } }]);
    expect(bench.verdicts(one)).toEqual(['map-0@1 not-owner']);
    bench.complete(two, two.running[0]!);
    expect(bench.commits()).toEqual(['map-0@2 by worker-2']);
  });

  test.each(['first-commit', 'owner-only'] as const)('after the commit is refused under %s', (policy) => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }, { lateReports: policy }));
    const [one, two] = workers;
    bench.pass(bench.config.workerLeaseUs, [one!]);
    bench.complete(two!, two!.running[0]!);
    bench.complete(one!, one!.running[0]!);
    const again = bench.join('worker-1');
    expect(bench.verdicts(again)).toEqual(['map-0@1 superseded']);
    expect(bench.decided('late-report-refused')).toMatchObject([
      { facts: { verdict: 'superseded', committedN: 2, by: 'worker-2' } },
    ]);
    expect(bench.job().mapsCommitted).toBe(1);
    expect(bench.commits()).toEqual(['map-0@2 by worker-2']);
  });

  test('counts in the status as stale, whether it was refused at once or when its batch was formed', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }));
    const [one, two] = workers;
    const lost = one!.running[0]!;
    bench.pass(bench.config.workerLeaseUs, [one!]);
    bench.complete(two!, two!.running[0]!);
    expect(bench.runs(two!)).toEqual(['map-0@2']);
    bench.confirming = false;
    bench.complete(one!, lost);
    bench.complete(two!, two!.running[0]!, { digest: 'other' });
    const again = bench.join('worker-1');
    while (bench.appending) bench.confirm();
    bench.confirming = true;
    expect(bench.verdicts(again)).toEqual(['map-0@1 superseded']);
    expect(bench.decided('nondeterminism-seen')).toHaveLength(1);
    bench.submit();
    expect(bench.told.at(-1)).toMatchObject({ type: 'job.status', maps: { done: 2, stale: 1 } });
  });

  test('of a job that has ended says so', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 2 }, { maxAttempts: 1 }), { slots: 2 });
    const [first, second] = [...workers[0]!.running];
    bench.fail(workers[0]!, first!);
    expect(bench.job().phase).toBe('failed');
    bench.complete(workers[0]!, second!);
    expect(bench.verdicts(workers[0]!)).toEqual(['map-0@1 dead', 'map-1@1 job-ended']);
  });
});

describe('a report that comes twice', () => {
  test('is answered twice and committed once', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const worker = workers[0]!;
    const attempt = worker.running[0]!;
    const report = { attempt, output: bench.outputOf(attempt), counters: [] };
    bench.complete(worker, attempt);
    bench.report(worker, report);
    expect(bench.verdicts(worker)).toEqual(['map-0@1 committed', 'map-0@1 committed']);
    expect(bench.decided('duplicate-report')).toHaveLength(1);
    expect(bench.commits()).toEqual(['map-0@1 by worker-1']);
    expect(bench.job().mapsCommitted).toBe(1);
  });

  test('while its commit is under way waits for that', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const worker = workers[0]!;
    const attempt = worker.running[0]!;
    bench.confirming = false;
    bench.complete(worker, attempt);
    bench.report(worker, { attempt, output: bench.outputOf(attempt), counters: [] });
    bench.mark();
    bench.confirm();
    expect(bench.verdicts(worker)).toEqual(['map-0@1 committed']);
    expect(bench.appending).toBeUndefined();
  });
});

describe('the last task of a phase', () => {
  test('ends it once, though others are committed in the same batch', () => {
    const { bench, workers } = benchWith(3, specOf({ maps: 3, reduces: 3 }));
    for (const phase of ['maps', 'reduces'] as const) {
      bench.confirming = false;
      for (const worker of workers) bench.complete(worker, worker.running[0]!);
      bench.confirm();
      expect(bench.appending?.records).toHaveLength(2);
      bench.confirming = true;
      bench.confirm();
      expect(bench.decided(`${phase}-done`)).toHaveLength(1);
    }
  });

  test('ends it again after one of them was lost', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const map = workers[0]!.running[0]!;
    bench.complete(workers[0]!, map);
    bench.starve(workers[0]!, workers[0]!.running[0]!, map);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(bench.decided('maps-done')).toHaveLength(2);
  });
});

describe('a dead attempt', () => {
  test('is never committed, though it reports', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    const [one, two] = workers;
    const attempt = one!.running[0]!;
    bench.fail(one!, attempt);
    expect(bench.runs(two!)).toEqual(['map-0@2']);
    bench.report(one!, { attempt, output: bench.outputOf(attempt), counters: [] });
    expect(bench.verdicts(one!)).toEqual(['map-0@1 dead', 'map-0@1 dead']);
    expect(bench.commits()).toEqual([]);
  });
});

describe('a failed attempt', () => {
  test('goes back to the queue, and fails the job at the limit', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { maxAttempts: 3 }));
    const worker = workers[0]!;
    for (const n of [1, 2, 3]) {
      expect(bench.runs(worker)).toEqual([`map-0@${n}`]);
      bench.fail(worker, worker.running[0]!, { message: `boom ${n}` });
    }
    expect(bench.runs(worker)).toEqual([]);
    expect(bench.job()).toMatchObject({
      phase: 'failed',
      failure: { reason: 'task-failed', task: 0, failure: { message: 'boom 3' } },
    });
    expect(worker.heard.at(-1)).toMatchObject({ type: 'job.ended', job: 1 });
  });

  test('said to nobody counts all the same: the next hello repeats it, and once is enough', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { maxAttempts: 2 }));
    const attempt = workers[0]!.running[0]!;
    bench.hangUp(workers[0]!);
    bench.fail(workers[0]!, attempt);
    bench.confirming = false;
    bench.join('worker-1');
    bench.hangUp(bench.workers.get('worker-1')!);
    bench.join('worker-1'); // while the record is on its way
    bench.confirm();
    const worker = bench.join('worker-1');
    expect(bench.records().filter(({ type }) => type === 'attempt.failed')).toHaveLength(1);
    expect(bench.decided('attempt-failed')).toHaveLength(1);
    expect(bench.job()).toMatchObject({ phase: 'open', failures: [{ attempt }] });
    expect(worker.broken).toEqual([]);
    expect(bench.runs(worker)).toEqual(['map-0@2']);
  });

  test('of a task that is committed by now is answered, and does not count', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    const [one, two] = workers;
    bench.pass(bench.config.workerLeaseUs, [one!]);
    const late = one!.running[0]!;
    bench.complete(two!, two!.running[0]!);
    bench.fail(one!, late);
    const again = bench.join('worker-1');
    expect(again.broken).toEqual([]);
    expect(bench.job().failures).toEqual([]);
  });

  test('is what the job failed by, however many others failed in the same batch', () => {
    const { bench, workers } = benchWith(12, specOf({ maps: 12 }, { maxAttempts: 1 }));
    bench.confirming = false;
    bench.submit(specOf({ output: 'elsewhere' }), 'request-2'); // until its append is answered, failures gather
    for (const worker of workers) bench.fail(worker, worker.running[0]!, { message: `of ${worker.node}` });
    bench.confirm();
    expect(bench.appending?.records).toHaveLength(12);
    while (bench.appending) bench.confirm();
    expect(bench.job().failures).toHaveLength(8);
    expect(bench.job().failure).toMatchObject({ task: 0, failure: { message: 'of worker-1' } });
  });

  test('that was stopped by order is not counted, and goes back too', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const worker = workers[0]!;
    worker.stopping.push(worker.running.pop()!);
    bench.stopped(worker, worker.stopping[0]!);
    expect(bench.runs(worker)).toEqual(['map-0@2']);
    expect(bench.job().troubles.size).toBe(0);
  });

  test('said twice is counted once', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const attempt = workers[0]!.running[0]!;
    bench.confirming = false;
    bench.fail(workers[0]!, attempt);
    bench.fail(workers[0]!, attempt);
    workers[0]!.credit = 2;
    while (bench.appending) bench.confirm();
    expect(bench.job().troubles.get(0)!.failed).toBe(1);
    bench.beat(workers[0]!);
    expect(bench.runs(workers[0]!)).toEqual(['map-0@2']);
  });

  test('is not given out again while its failure is on its way to the journal', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    bench.confirming = false;
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    bench.beat(workers[1]!);
    expect([...bench.runs(workers[0]!), ...bench.runs(workers[1]!)]).toEqual([]);
    bench.confirm();
    expect(bench.runs(workers[1]!)).toEqual(['map-0@2']);
  });

  test.each([
    ['input-changed', 'input-changed'],
    ['disk', 'disk'],
  ] as const)('of kind %s names itself as the job’s end', (kind, reason) => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { maxAttempts: 1 }));
    bench.fail(workers[0]!, workers[0]!.running[0]!, { kind });
    expect(bench.job().failure).toMatchObject({ reason });
  });
});

describe('an input that cannot be read', () => {
  test('gives the reduce back uncounted and has the map made again', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 2, reduces: 1 }));
    const worker = workers[0]!;
    for (const _ of [0, 1]) bench.complete(worker, worker.running[0]!);
    const source = bench.job().commits[1]!.attempt;
    expect(bench.runs(worker)).toEqual(['reduce-0@1']);
    bench.mark();
    bench.starve(worker, worker.running[0]!, source);
    expect(bench.decided('task-invalidated')).toMatchObject([{ attempt: source }]);
    bench.beat(worker);
    expect(bench.runs(worker)).toEqual(['map-1@2']);
    bench.complete(worker, worker.running[0]!);
    expect(bench.runs(worker)).toEqual(['reduce-0@2']);
    const changes = worker.heard.flatMap((one) => (one.type === 'outputs.changed' ? one.changes : []));
    expect(changes.map((one) => [bench.name(one.attempt), one.holder])).toEqual([
      ['map-1@1', undefined],
      ['map-1@2', 'worker-1'],
    ]);
    bench.complete(worker, worker.running[0]!);
    expect(bench.job()).toMatchObject({ phase: 'publishing' });
    expect(bench.job().troubles.get(2)).toBeUndefined();
  });

  test('keeps reduces back until the loss is durable', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 2 }), { slots: 2 });
    const worker = workers[0]!;
    bench.complete(worker, worker.running[0]!);
    const source = bench.job().commits[0]!.attempt;
    bench.confirming = false;
    bench.starve(worker, worker.running[0]!, source);
    bench.beat(worker);
    expect(bench.runs(worker)).toEqual(['reduce-1@1']);
    bench.confirm();
    bench.beat(worker);
    expect(bench.runs(worker)).toEqual(['reduce-1@1', 'map-0@2']);
  });

  test('said by two readers is one loss', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 2 }), { slots: 2 });
    const worker = workers[0]!;
    bench.complete(worker, worker.running[0]!);
    const source = bench.job().commits[0]!.attempt;
    bench.confirming = false;
    for (const reader of [...worker.running]) bench.starve(worker, reader, source);
    while (bench.appending) bench.confirm();
    bench.confirming = true;
    bench.completeAll();
    bench.beat(worker);
    bench.completeAll();
    expect(bench.job()).toMatchObject({ phase: 'publishing' });
    expect(bench.job().troubles.get(0)).toMatchObject({ invalidated: 1, failed: 0 });
  });

  test('of an attempt that is not the committed one loses nothing', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 1 }));
    const worker = workers[0]!;
    bench.complete(worker, worker.running[0]!);
    bench.starve(worker, worker.running[0]!, { job: 1, task: 0, epoch: 1, n: 9 });
    expect(bench.job().mapsCommitted).toBe(1);
    bench.beat(worker);
    expect(bench.runs(worker)).toEqual(['reduce-0@2']);
  });
});

describe('a map that comes out different when it is made again', () => {
  /** Two maps, two reduces on two workers; both reduces run, and map-0 is lost and given to a worker again. */
  function remade(reducesCommitted: number) {
    const { bench, workers } = benchWith(3, specOf({ maps: 2, reduces: 2 }));
    const [one, two, three] = workers as [FakeWorker, FakeWorker, FakeWorker];
    bench.complete(one, one.running[0]!);
    bench.complete(two, two.running[0]!);
    const running = () => [one, two, three].find((worker) => bench.runs(worker).includes('reduce-0@1'))!;
    if (reducesCommitted > 0) bench.complete(running(), running().running[0]!);
    const source = bench.job().commits[0]!.attempt;
    const reader = [one, two, three].find((worker) => worker.running.some((one) => one.task > 1))!;
    bench.starve(reader, reader.running.find((one) => one.task > 1)!, source);
    for (const worker of [one, two, three]) bench.beat(worker);
    const maker = [one, two, three].find((worker) => bench.runs(worker).includes('map-0@2'))!;
    return { bench, maker, workers: [one, two, three] };
  }

  test('revokes the reduces that may have read the old content, with a warning, and goes on', () => {
    const { bench, maker, workers } = remade(0);
    const readers = workers.filter((worker) => worker.running.some((one) => one.task > 1));
    expect(readers).toHaveLength(1);
    bench.complete(maker, maker.running[0]!, { digest: 'different' });
    expect(bench.decided('nondeterminism-seen')).toMatchObject([{ facts: { task: 'map-0', otherN: 1 } }]);
    expect(bench.revoked(readers[0]!)[0]).toMatch(/^reduce-\d@1 inputs-changed$/);
    expect(bench.decided('attempt-revoked')).toContainEqual(
      expect.objectContaining({ node: readers[0]!.node, facts: { why: 'inputs-changed' } }),
    );
    bench.completeAll();
    expect(bench.job()).toMatchObject({ phase: 'publishing', reducesCommitted: 2 });
  });

  test('refuses a reduce that had read the old content and was quicker than the order to stop', () => {
    const { bench, maker, workers } = remade(0);
    const reader = workers.find((worker) => worker.running.some((one) => one.task > 1))!;
    const attempt = reader.running[0]!;
    const output = bench.outputOf(attempt);
    bench.delivering = false;
    bench.complete(maker, maker.running[0]!, { digest: 'different' });
    bench.complete(reader, attempt, output);
    bench.deliver(reader);
    expect(bench.verdicts(reader)).toContain(`${bench.name(attempt)} inputs-changed`);
    expect(bench.job().reducesCommitted).toBe(0);
  });

  test('fails the job once a reduce has committed', () => {
    const { bench, maker } = remade(1);
    bench.complete(maker, maker.running[0]!, { digest: 'different' });
    expect(bench.job()).toMatchObject({
      phase: 'failed',
      failure: { reason: 'nondeterministic', attempts: [{ n: 1 }, { n: 2 }] },
    });
    expect(bench.published).toEqual([]);
  });

  test('changes nothing when the content is the same', () => {
    const { bench, maker } = remade(1);
    bench.complete(maker, maker.running[0]!);
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
    expect(bench.decided('nondeterminism-seen')).toEqual([]);
  });
});

describe('an attempt that beats without progress', () => {
  test('is stopped and counted, and the next one has twice the time', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { taskTimeoutUs: 30 * second }));
    const worker = workers[0]!;
    bench.pass(30 * second);
    expect(bench.decided('attempt-timed-out')).toMatchObject([{ facts: { limitUs: 30 * second } }]);
    expect(bench.revoked(worker)).toEqual(['map-0@1 timeout']);
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 1, timedOut: 1 });
    expect(bench.runs(worker)).toEqual(['map-0@2']);
    bench.pass(60 * second - 1);
    expect(bench.decided('attempt-timed-out')).toHaveLength(1);
    bench.pass(1);
    expect(bench.decided('attempt-timed-out')).toHaveLength(2);
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 2, timedOut: 2 });
  });

  test('has its time again with every step forward', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { taskTimeoutUs: 30 * second }));
    const worker = workers[0]!;
    for (let done = 1; done <= 5; done++) {
      worker.progress.set('1.0.1.1', { done, total: 9 });
      bench.pass(25 * second);
    }
    expect(bench.decided('attempt-timed-out')).toEqual([]);
    bench.pass(30 * second);
    expect(bench.decided('attempt-timed-out')).toMatchObject([{ facts: { done: 5, total: 9 } }]);
  });

  test('that finishes in time is left alone', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }, { taskTimeoutUs: 30 * second }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.pass(90 * second);
    expect(bench.decided('attempt-timed-out')).toEqual([]);
  });
});

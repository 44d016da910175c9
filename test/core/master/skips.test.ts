import { describe, expect, test } from 'vitest';
import { skipsMax } from '../../../core/durable/skips.js';
import { type Bench, benchWith, type FakeWorker, specOf } from '../bench.js';

const skipping = { skipBadRecords: true, maxAttempts: 3 };

/** Whoever runs the task fails it at this record. */
function failAt(bench: Bench, task: number, record: string): void {
  const { worker, attempt } = runnerOf(bench, task);
  bench.fail(worker, attempt, { record });
}

function runnerOf(
  bench: Bench,
  task: number,
): { worker: FakeWorker; attempt: FakeWorker['running'][number] } {
  for (const worker of bench.workers.values()) {
    const attempt = worker.running.find((one) => one.task === task);
    if (attempt) return { worker, attempt };
  }
  throw new Error(`nobody runs task ${task}`);
}

function orders(bench: Bench, task: number) {
  return [...bench.workers.values()]
    .flatMap((worker) => worker.heard)
    .filter((message) => message.type === 'attempt.assign')
    .filter(({ attempt }) => attempt.task === task)
    .sort((a, b) => a.attempt.n - b.attempt.n)
    .map(({ skip }) => skip);
}

describe('two failures at one record', () => {
  test('skip it in later attempts, and no longer count', () => {
    const { bench } = benchWith(2, specOf({ maps: 1 }, skipping));
    failAt(bench, 0, '7');
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 1 });
    failAt(bench, 0, '7');
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 0, nodes: [] });
    expect(bench.decided('record-skipped')).toMatchObject([{ facts: { record: '7' } }]);
    expect(orders(bench, 0)).toEqual([undefined, undefined, ['7']]);
    bench.expectFolded();
  });

  test('are needed for each record: a task with many bad ones ends all the same', () => {
    const { bench } = benchWith(1, specOf({ maps: 1 }, skipping));
    for (const record of ['3', '5', '9', '4']) for (let time = 0; time < 2; time++) failAt(bench, 0, record);
    expect(orders(bench, 0).at(-1)).toEqual(['3', '4', '5', '9']);
    expect(bench.job().phase).toBe('open');
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });

  test('at different records are two failures', () => {
    const { bench } = benchWith(1, specOf({ maps: 1 }, skipping));
    for (const record of ['1', '2', '3']) failAt(bench, 0, record);
    expect(bench.job()).toMatchObject({ phase: 'failed', failure: { reason: 'task-failed' } });
  });

  test('count when the job does not skip, and where no record is known', () => {
    const strict = benchWith(1, specOf({ maps: 1 }, { maxAttempts: 3 })).bench;
    for (let time = 0; time < 3; time++) failAt(strict, 0, '7');
    expect(strict.job().phase).toBe('failed');
    const { bench } = benchWith(1, specOf({ maps: 1 }, skipping));
    for (let time = 0; time < 3; time++)
      bench.fail(bench.workers.get('worker-1')!, { ...runnerOf(bench, 0).attempt });
    expect(bench.job().phase).toBe('failed');
  });

  test('a copy that fails at a record after it was skipped does not count either', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }, { ...skipping, speculation: true }));
    bench.pass(2_000_000);
    bench.complete(workers[1]!, runnerOf(bench, 1).attempt);
    bench.pass(10_000_000);
    expect(bench.runs(workers[1]!)).toEqual(['map-0@2']);
    bench.fail(workers[1]!, workers[1]!.running[0]!, { record: '7' });
    bench.pass(10_000_000);
    bench.fail(workers[0]!, workers[0]!.running[0]!, { record: '7' });
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 0 });
  });

  test('save the job when the second comes while the first is about to end it', () => {
    const { bench, workers } = benchWith(
      2,
      specOf({ maps: 2 }, { ...skipping, maxAttempts: 1, speculation: true }),
    );
    bench.pass(2_000_000);
    bench.complete(workers[1]!, runnerOf(bench, 1).attempt);
    bench.pass(10_000_000);
    const [first, second] = workers.map((worker) => worker.running[0]!);
    expect([first, second]).toMatchObject([{ n: 1 }, { n: 2 }]);
    bench.confirming = false;
    bench.fail(workers[1]!, second!, { record: '7' });
    bench.fail(workers[0]!, first!, { record: '7' });
    while (bench.appending) bench.confirm();
    expect(bench.decided('intent-dropped')).toMatchObject([{ facts: { intent: 'fail-job' } }]);
    expect(bench.job().phase).toBe('open');
    expect(orders(bench, 0).at(-1)).toEqual(['7']);
  });

  test('are no longer skipped when there are too many: then the job is broken, not its records', () => {
    const { bench } = benchWith(1, specOf({ maps: 1 }, skipping));
    for (let record = 0; bench.job().phase === 'open' && record < 2 * skipsMax; record++) {
      for (let time = 0; time < 2 && bench.job().phase === 'open'; time++) failAt(bench, 0, String(record));
    }
    expect(bench.job().phase).toBe('failed');
    expect(orders(bench, 0).at(-1)).toHaveLength(skipsMax);
  });

  test('do not exclude the workers they happened on', () => {
    const { bench } = benchWith(3, specOf({ maps: 3 }, { ...skipping, maxAttempts: 9 }), { slots: 3 });
    for (const task of [0, 1, 2]) for (let time = 0; time < 2; time++) failAt(bench, task, '1');
    expect(bench.decided('worker-excluded')).toEqual([]);
    for (const { failed } of bench.master.leading!.jobs.get(1)!.conduct.values()) expect(failed).toEqual([]);
  });
});

describe('what a committed attempt left out', () => {
  /** map-0 is committed without record 7, its file is lost, and it is run again. */
  function remade(reduces: number): Bench {
    const { bench } = benchWith(2, specOf({ maps: 1, reduces }, skipping));
    for (let time = 0; time < 2; time++) failAt(bench, 0, '7');
    const { worker, attempt } = runnerOf(bench, 0);
    bench.complete(worker, attempt);
    if (reduces > 1) bench.complete(...lastOf(bench, 1));
    const [reader, reduce] = lastOf(bench, reduces);
    bench.starve(reader, reduce, attempt);
    return bench;
  }
  function lastOf(bench: Bench, task: number): [FakeWorker, FakeWorker['running'][number]] {
    const { worker, attempt } = runnerOf(bench, task);
    return [worker, attempt];
  }

  test('is durable, and left out again when it is made again', () => {
    const bench = remade(1);
    expect(bench.records()).toContainEqual(
      expect.objectContaining({ type: 'task.committed', skipped: ['7'] }),
    );
    expect(orders(bench, 0).at(-1)).toEqual(['7']);
    bench.expectFolded();
  });

  test('may grow while no reduce has used it: other content is no contradiction then', () => {
    const bench = remade(1);
    for (let time = 0; time < 2; time++) failAt(bench, 0, '8');
    expect(orders(bench, 0).at(-1)).toEqual(['7', '8']);
    const { worker, attempt } = runnerOf(bench, 0);
    bench.complete(worker, attempt, { digest: 'without-7-and-8' });
    expect(bench.decided('nondeterminism-seen')).toEqual([]);
    expect(bench.job().phase).toBe('open');
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });

  test('is all that is left out once a reduce has used it', () => {
    const bench = remade(2);
    for (let time = 0; time < 2; time++) failAt(bench, 0, '8');
    expect(orders(bench, 0).at(-1)).toEqual(['7']);
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 2 });
  });

  test('is all that is left out, though it had grown before a reduce used it', () => {
    const { bench } = benchWith(4, specOf({ maps: 1, reduces: 2 }, skipping));
    for (let time = 0; time < 2; time++) failAt(bench, 0, '7');
    const [holder, map] = lastOf(bench, 0);
    bench.complete(holder, map);
    bench.starve(...lastOf(bench, 2), map);
    for (let time = 0; time < 2; time++) failAt(bench, 0, '8');
    expect(orders(bench, 0).at(-1)).toEqual(['7', '8']);
    bench.complete(...lastOf(bench, 1));
    const [worker, attempt] = lastOf(bench, 0);
    bench.complete(worker, attempt, { digest: 'without-7-and-8' });
    expect(bench.verdicts(worker).at(-1)).toBe(`map-0@${attempt.n} superseded`);
    expect(orders(bench, 0).at(-1)).toEqual(['7']);
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });

  test('is what counts: a completion that left out something else is of no use', () => {
    const bench = remade(2);
    const { worker, attempt } = runnerOf(bench, 0);
    worker.skips.delete(`1.0.1.${attempt.n}`);
    bench.complete(worker, attempt, { digest: 'with-7' });
    expect(bench.verdicts(worker).at(-1)).toBe(`map-0@${attempt.n} superseded`);
    expect(bench.job().phase).toBe('open');
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });

  test('left out alike, other content is a contradiction', () => {
    const bench = remade(2);
    const { worker, attempt } = runnerOf(bench, 0);
    bench.complete(worker, attempt, { digest: 'something-else' });
    expect(bench.job()).toMatchObject({ phase: 'failed', failure: { reason: 'nondeterministic' } });
  });

  test('a late report that left out something else is refused without a warning', () => {
    const { bench, workers } = benchWith(3, specOf({ maps: 1 }, { ...skipping, speculation: false }));
    const lost = workers[0]!;
    const late = lost.running.pop()!;
    bench.hangUp(lost);
    bench.pass(2_000_000, [lost]);
    for (let time = 0; time < 2; time++) failAt(bench, 0, '7');
    const { worker, attempt } = runnerOf(bench, 0);
    bench.complete(worker, attempt);
    lost.running = [late];
    const back = bench.join('worker-1');
    bench.complete(back, late, { digest: 'with-7' });
    expect(bench.decided('late-report-refused')).toHaveLength(1);
    expect(bench.decided('nondeterminism-seen')).toEqual([]);
  });
});

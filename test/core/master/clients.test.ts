import { describe, expect, test } from 'vitest';
import { Bench, benchWith, second, specOf } from '../bench.js';

/** Another master, that has read what the first has written, and does not get the lease. */
function standbyOf({ store }: Bench): Bench {
  const standby = new Bench({ asleep: true, node: 'master-2', store });
  standby.granting = false;
  standby.step({ type: 'node.started' });
  return standby;
}

describe('a submit', () => {
  test('is answered only when the job is durable', () => {
    const bench = new Bench();
    bench.confirming = false;
    bench.submit();
    expect(bench.told).toEqual([]);
    bench.confirm();
    expect(bench.told).toMatchObject([{ type: 'job.status', job: 1, phase: 'map', requestId: 'request-1' }]);
  });

  test('said again and again makes one job', () => {
    const bench = new Bench();
    bench.confirming = false;
    for (let i = 0; i < 3; i++) bench.submit();
    bench.confirm();
    bench.submit();
    expect(bench.appending).toBeUndefined();
    expect(bench.master.durable.jobs).toHaveLength(1);
    expect(bench.told.length).toBeGreaterThanOrEqual(2);
  });

  test('after the end is answered with the end', () => {
    const { bench } = benchWith(1);
    bench.completeAll();
    bench.step({ type: 'output.published', job: 1 });
    bench.mark();
    bench.submit();
    expect(bench.told).toMatchObject([{ phase: 'published', counters: [['records', 3]] }]);
  });

  test('is answered by a standby too, when the journal says that the job has ended', () => {
    const { bench } = benchWith(1);
    bench.completeAll();
    bench.step({ type: 'output.published', job: 1 });
    const standby = standbyOf(bench);
    standby.submit();
    expect(standby.master.role).toBe('standby');
    expect(standby.told).toMatchObject([
      { type: 'job.status', epoch: 1, phase: 'published', counters: [['records', 3]], workers: 0 },
    ]);
  });

  test('is answered by a standby with the failure of a job that failed', () => {
    const { bench, workers } = benchWith(1, specOf({}, { maxAttempts: 1 }));
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    const standby = standbyOf(bench);
    standby.submit();
    expect(standby.told).toMatchObject([{ phase: 'failed', failure: { reason: 'task-failed' } }]);
  });

  test('of a job that has not ended, or that it does not know, a standby sends to the leader', () => {
    const { bench } = benchWith(1);
    bench.completeAll();
    const standby = standbyOf(bench);
    standby.submit();
    standby.submit(specOf({ output: '/other' }), 'request-2', 99);
    expect(bench.job().phase).toBe('publishing');
    expect(standby.told).toMatchObject([
      { type: 'master.notLeading', leader: 'master-1' },
      { type: 'master.notLeading', leader: 'master-1' },
    ]);
  });

  test('whose output overlaps is refused for good', () => {
    const bench = new Bench();
    bench.submit();
    bench.mark();
    bench.submit(specOf({ output: '/out/inside' }), 'request-2');
    expect(bench.told).toMatchObject([
      { type: 'job.refused', requestId: 'request-2', reason: 'output-overlaps' },
    ]);
    expect(bench.decided('job-refused')).toHaveLength(1);
    expect(bench.master.durable.jobs).toHaveLength(1);
  });

  test('is refused only by a leader that has looked at the journal’s end first', () => {
    const bench = new Bench();
    bench.submit();
    bench.mark();
    bench.reading = false;
    bench.submit(specOf({ output: '/out/inside' }), 'request-2');
    expect(bench.told).toEqual([]);
    expect(bench.effects).toContainEqual({ type: 'journal.read', from: bench.store.length });
    bench.submit(specOf({ output: '/out/inside' }), 'request-2');
    bench.step(bench.entriesFrom(bench.store.length + 1));
    expect(bench.told.map((message) => message.type)).toEqual(['job.refused']);
  });

  test('is not refused on the strength of a read that began before it was judged', () => {
    const bench = new Bench();
    bench.submit();
    bench.reading = false;
    bench.pass(bench.config.masterLeaseUs / 2);
    expect(bench.master.journal.reading).toBe(true);
    bench.submit(specOf({ output: '/out/inside' }), 'request-2');
    bench.mark();
    bench.step(bench.entriesFrom(bench.store.length + 1));
    expect(bench.told).toEqual([]);
    expect(bench.effects).toContainEqual({ type: 'journal.read', from: bench.store.length });
    bench.step(bench.entriesFrom(bench.store.length + 1));
    expect(bench.told.map((message) => message.type)).toEqual(['job.refused']);
  });

  test('is not refused by a leader that finds out meanwhile that it leads no more', () => {
    const bench = new Bench();
    bench.submit();
    bench.mark();
    bench.granting = false;
    bench.foreign({ type: 'leader.began', epoch: 2, leader: { node: 'master-2', incarnation: 1 } });
    bench.submit(specOf({ output: '/out/inside' }), 'request-2');
    expect(bench.master.role).toBe('standby');
    expect(bench.told.filter((message) => message.type === 'job.refused')).toEqual([]);
  });

  test('that was judged hopeless is accepted when the way is free at the second look', () => {
    const { bench, workers } = benchWith(1, specOf({}, { maxAttempts: 1 }));
    bench.reading = false;
    bench.submit(specOf({ output: '/out/inside' }), 'request-2');
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    expect(bench.job().phase).toBe('failed');
    bench.step(bench.entriesFrom(bench.store.length + 1));
    expect(bench.job(2)).toMatchObject({ requestId: 'request-2', phase: 'open' });
  });

  test('of a job that is over the limit is refused with the reason', () => {
    const bench = new Bench({ config: { tasksMax: 2 } });
    bench.submit(specOf({ maps: 2, reduces: 1 }));
    expect(bench.told).toMatchObject([{ type: 'job.refused', reason: 'limit' }]);
  });

  test('of a job that was accepted and is unknown is refused only by a master that has read as far', () => {
    const bench = new Bench();
    bench.reading = false;
    bench.submit(specOf(), 'request-1', bench.store.length + 1);
    expect(bench.told).toEqual([]);
    bench.step(bench.entriesFrom(bench.master.durable.slot + 1));
    expect(bench.told).toMatchObject([{ type: 'job.refused', reason: 'gone', slot: bench.store.length }]);
    expect(bench.master.durable.jobs).toEqual([]);
  });

  test('is followed: progress is told soon, many changes in one message', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 4 }), { slots: 4 });
    bench.mark();
    for (const attempt of [...workers[0]!.running].slice(0, 3)) bench.complete(workers[0]!, attempt);
    expect(bench.told).toEqual([]);
    bench.pass(1 * second);
    expect(bench.told).toMatchObject([{ maps: { total: 4, done: 3, running: 1 }, workers: 1 }]);
  });

  test('shows counted failures with where they were', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.mark();
    bench.fail(workers[0]!, workers[0]!.running[0]!);
    bench.pass(1 * second);
    expect(bench.told).toMatchObject([
      { maps: { failed: 1, attempts: 2 }, failures: [{ node: 'worker-1', failure: { message: 'boom' } }] },
    ]);
  });
});

describe('a drain', () => {
  test('lets what runs finish and begins nothing more', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 3 }), { slots: 2 });
    bench.mark();
    bench.drain();
    expect(bench.decided('draining')).toHaveLength(1);
    expect(bench.told.at(-1)).toMatchObject({ draining: true, maps: { running: 2 } });
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(bench.runs(workers[0]!)).toEqual(['map-1@1']);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.pass(1 * second);
    expect(bench.runs(workers[0]!)).toEqual([]);
    expect(bench.told.at(-1)).toMatchObject({ draining: true, maps: { done: 2, running: 0 } });
    expect(bench.job().phase).toBe('open');
  });

  test('said twice is one drain', () => {
    const { bench } = benchWith(1);
    bench.drain();
    bench.drain();
    expect(bench.decided('draining')).toHaveLength(1);
  });

  test('does not wait for speculative copies', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }, { speculation: true }));
    bench.pass(2 * second);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.pass(10 * second);
    expect(bench.runs(workers[0]!)).toEqual(['map-1@2']);
    bench.drain();
    expect(bench.runs(workers[0]!)).toEqual([]);
    expect(bench.runs(workers[1]!)).toEqual(['map-1@1']);
  });

  test('makes no speculative copies', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }, { speculation: true }));
    bench.pass(2 * second);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.drain();
    bench.pass(30 * second);
    expect(bench.decided('attempt-speculated')).toEqual([]);
  });

  test('is not over after a takeover before every worker had the time to say what it runs', () => {
    const { bench } = benchWith(1, specOf({ maps: 2 }));
    const next = new Bench({ node: 'master-2', store: bench.store });
    next.drain();
    expect(next.told.at(-1)).toMatchObject({ draining: false, maps: { running: 0 } });
    next.join('worker-1', { running: [{ job: 1, task: 0, epoch: 1, n: 1 }] });
    next.pass(next.config.workerLeaseUs);
    next.drain();
    expect(next.told.at(-1)).toMatchObject({ draining: true, maps: { running: 1 } });
  });

  test('is not over while all that is left is on its way to the journal', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 1 }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.confirm();
    expect(bench.job()).toMatchObject({ phase: 'open', reducesCommitted: 1 });
    bench.drain();
    expect(bench.told.at(-1)).toMatchObject({ draining: false, reduces: { done: 1, running: 0 } });
  });

  test('is over after a takeover as soon as all workers have said what they run, where it is known how many there are', () => {
    const { bench } = benchWith(2, specOf({ maps: 2 }));
    const next = new Bench({ node: 'master-2', store: bench.store, config: { workers: 2 } });
    next.drain();
    next.join('worker-1');
    next.drain();
    expect(next.told.at(-1)).toMatchObject({ draining: false });
    next.join('worker-2');
    next.drain();
    expect(next.told.at(-1)).toMatchObject({ draining: true, maps: { running: 0 } });
  });

  test('tells whoever asks how its job stands, though nobody follows it', () => {
    const { bench } = benchWith(1, specOf({ maps: 2 }));
    const next = new Bench({ node: 'master-2', store: bench.store });
    expect(next.told).toEqual([]);
    next.drain();
    expect(next.told).toMatchObject([{ type: 'job.status', requestId: 'request-1' }]);
  });

  test('does not wait for reduces that wait for maps which nobody runs', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2, reduces: 1 }, { slowstartPermille: 500 }));
    const [one, two] = workers;
    bench.complete(two!, two!.running[0]!);
    expect(bench.runs(two!)).toEqual(['reduce-0@1']);
    bench.drain();
    expect(bench.runs(two!)).toEqual(['reduce-0@1']);
    bench.fail(one!, one!.running[0]!);
    expect(bench.runs(two!)).toEqual([]);
    expect(two!.heard.at(-1)).toMatchObject({ type: 'attempt.revoke', reason: 'draining' });
  });

  test('never interrupts publishing', () => {
    const { bench } = benchWith(1);
    bench.completeAll();
    bench.drain();
    bench.step({ type: 'output.published', job: 1 });
    expect(bench.job().phase).toBe('published');
  });
});

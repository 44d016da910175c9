import { describe, expect, test } from 'vitest';
import { Bench, benchWith, specOf } from '../bench.js';

describe('one append at a time', () => {
  test('what comes up meanwhile waits for the next batch', () => {
    const { bench, workers } = benchWith(3, specOf({ maps: 3 }));
    const [one, two, three] = workers as [never, never, never];
    bench.confirming = false;
    bench.mark();
    for (const worker of [one, two, three])
      bench.complete(worker, (worker as (typeof workers)[0]).running[0]!);
    expect(bench.appends).toHaveLength(1);
    expect(bench.appends[0]!.records).toHaveLength(1);
    bench.confirm();
    expect(bench.appends).toHaveLength(2);
    expect(bench.appends[1]!.records.map((record) => record.type)).toEqual([
      'task.committed',
      'task.committed',
    ]);
    expect(bench.appends[1]!.slot).toBe(bench.appends[0]!.slot + 1);
  });

  test('nothing is answered before the store has confirmed it', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const worker = workers[0]!;
    bench.confirming = false;
    bench.complete(worker, worker.running[0]!);
    expect(bench.verdicts(worker)).toEqual([]);
    expect(bench.decided('task-committed')).toEqual([]);
    bench.confirm();
    expect(bench.verdicts(worker)).toEqual(['map-0@1 committed']);
    expect(bench.runs(worker)).toEqual(['reduce-0@1']);
  });

  test('the nonce is different in every append and every life', () => {
    const { bench } = benchWith(2);
    bench.completeAll();
    const again = new Bench({ store: bench.store, incarnation: 2 });
    const nonces = again.store.map((entry) => entry.nonce);
    expect(new Set(nonces).size).toBe(nonces.length);
    expect(again.master.role).toBe('leader');
  });
});

describe('an append of unknown outcome', () => {
  function unclearCommit(happened: boolean) {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }));
    const [one, two] = workers;
    bench.confirming = false;
    bench.complete(one!, one!.running[0]!);
    bench.mark();
    bench.unclear(happened);
    return { bench, one: one!, two: two! };
  }

  test.each([true, false])('is sent again unchanged, nothing added (it had happened: %s)', (happened) => {
    const { bench, one, two } = unclearCommit(happened);
    const before = bench.master.journal.pending!;
    bench.complete(two, two.running[0]!);
    expect(bench.appends).toEqual([]);
    bench.pass(bench.config.appendRetryUs);
    expect(bench.appends).toHaveLength(1);
    expect(bench.appends[0]).toMatchObject({
      slot: before.slot,
      nonce: before.nonce,
      records: before.records,
    });
    expect(bench.decided('append-retried')).toHaveLength(1);
    bench.confirm();
    expect(bench.verdicts(one)).toEqual(['map-0@1 committed']);
    bench.confirm();
    expect(bench.verdicts(two)).toEqual(['map-1@1 committed']);
    expect(bench.commits()).toHaveLength(2);
    bench.expectFolded();
  });

  test('is not given up when the master stops leading meanwhile', () => {
    const { bench } = unclearCommit(false);
    const { nonce } = bench.master.journal.pending!;
    bench.granting = false;
    bench.step({ type: 'lease.lost' });
    expect(bench.master.role).toBe('standby');
    expect(bench.master.journal.pending).toMatchObject({ nonce, inFlight: false });
    bench.pass(bench.config.appendRetryUs);
    expect(bench.appends.map((append) => append.nonce)).toEqual([nonce]);
    bench.confirm();
    expect(bench.job().mapsCommitted).toBe(1);
    bench.expectFolded();
  });

  test('goes before the next epoch of the same master', () => {
    const { bench } = unclearCommit(false);
    bench.step({ type: 'lease.lost' });
    expect(bench.master.role).toBe('campaigning');
    expect(bench.appends).toEqual([]);
    bench.pass(bench.config.appendRetryUs);
    bench.confirm();
    expect(bench.appending?.records).toMatchObject([{ type: 'leader.began', epoch: 2 }]);
    bench.confirm();
    expect(bench.master.role).toBe('leader');
    expect(bench.job().mapsCommitted).toBe(1);
    bench.expectFolded();
  });

  test('is settled when the journal shows it, without being sent again', () => {
    const { bench } = unclearCommit(true);
    bench.granting = false;
    bench.step({ type: 'lease.lost' });
    expect(bench.master.journal.pending).toBeUndefined();
    expect(bench.job().mapsCommitted).toBe(1);
    bench.pass(bench.config.appendRetryUs);
    expect(bench.appends).toEqual([]);
  });
});

describe('a slot that is taken', () => {
  test('fences a leader: it applies what is there and nothing of its own', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    const worker = workers[0]!;
    bench.granting = false;
    bench.confirming = false;
    bench.complete(worker, worker.running[0]!);
    bench.foreign({ type: 'leader.began', epoch: 2, leader: { node: 'master-2', incarnation: 1 } });
    bench.mark();
    bench.confirm();
    expect(bench.master.role).toBe('standby');
    expect(bench.master.durable.epoch).toBe(2);
    expect(bench.decided('leader-fenced')[0]).toMatchObject({
      epoch: 1,
      facts: { by: 'journal', epochInJournal: 2 },
    });
    expect(bench.job().mapsCommitted).toBe(0);
    expect(bench.verdicts(worker)).toEqual([]);
    expect(worker.session).toBe(0);
    bench.expectFolded();
  });

  test('is read when the store cannot say by whom', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.granting = false;
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const entry = bench.foreign({
      type: 'leader.began',
      epoch: 2,
      leader: { node: 'master-2', incarnation: 1 },
    });
    bench.step({ type: 'journal.taken', slot: entry.slot });
    expect(bench.master.role).toBe('standby');
    expect(bench.master.durable.slot).toBe(entry.slot);
    expect(bench.master.journal.pending).toBeUndefined();
  });

  test('is asked for again when it is taken and yet nothing can be read', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const { slot, nonce } = bench.appending!;
    bench.mark();
    bench.step({ type: 'journal.taken', slot });
    bench.pass(bench.config.appendRetryUs);
    expect(bench.appends).toMatchObject([{ slot, nonce }]);
    bench.confirm();
    expect(bench.verdicts(workers[0]!)).toEqual(['map-0@1 committed']);
  });

  test('fences a leader that only reads it', () => {
    const { bench } = benchWith(1);
    bench.granting = false;
    const entry = bench.foreign({
      type: 'leader.began',
      epoch: 2,
      leader: { node: 'master-2', incarnation: 1 },
    });
    bench.step({ type: 'journal.entries', from: entry.slot, entries: [entry], end: true });
    expect(bench.master.role).toBe('standby');
    expect(bench.decided('leader-fenced')).toHaveLength(1);
  });

  test('an acknowledgement of somebody else’s nonce is a broken store (M4)', () => {
    const { bench, workers } = benchWith(1);
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const entry = { ...bench.appending!, nonce: 'not ours' };
    expect(() => bench.step({ type: 'journal.appended', entry })).toThrow(/^M4/);
  });

  test('a late answer about a slot that is settled changes nothing', () => {
    const { bench } = benchWith(1);
    const { slot } = bench.master.durable;
    const entry = bench.store[slot - 1]!;
    bench.step({ type: 'journal.appended', entry });
    bench.step({ type: 'journal.taken', slot, entry });
    bench.step({ type: 'journal.unknown', slot, reason: 'late' });
    expect(bench.master.durable.slot).toBe(slot);
    bench.expectFolded();
  });
});

describe('a batch', () => {
  test('holds no two intents about one task: the second completion is answered, not appended', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1, reduces: 1 }));
    const [one, two] = workers;
    const first = one!.running[0]!;
    bench.hangUp(one!);
    bench.pass(2 * bench.config.reconnectUs, [one!]);
    expect(bench.runs(two!)).toEqual(['map-0@2']);
    bench.confirming = false;
    bench.drain(); // so that an unrelated record may occupy the journal, and nothing is given out meanwhile
    bench.submit(specOf({ output: '/other' }), 'request-2');
    one!.running = [];
    one!.finished = [{ attempt: first, output: bench.outputOf(first), counters: [] }];
    bench.join('worker-1');
    bench.complete(two!, two!.running[0]!);
    bench.mark();
    bench.confirm();
    expect(bench.appends).toHaveLength(1);
    expect(bench.appends[0]!.records).toMatchObject([{ type: 'task.committed', attempt: { n: 1 } }]);
    bench.confirm();
    expect(bench.verdicts(two!)).toEqual(['map-0@2 superseded']);
    expect(bench.verdicts(bench.workers.get('worker-1')!)).toEqual(['map-0@1 committed']);
    expect(bench.appends).toHaveLength(1);
    expect(bench.decided('intent-dropped')).toMatchObject([
      { facts: { intent: 'commit', reason: 'superseded' } },
    ]);
  });

  test('takes no more records than it may', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 7 }), {
      slots: 7,
      config: { batchRecordsMax: 3 },
    });
    bench.confirming = false;
    bench.mark();
    for (const attempt of [...workers[0]!.running]) bench.complete(workers[0]!, attempt);
    for (let i = 0; i < 3; i++) bench.confirm();
    expect(bench.appends.map((append) => append.records.length)).toEqual([1, 3, 3]);
  });

  test('takes no more bytes than it may', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 5 }), {
      slots: 5,
      config: { batchBytesMax: 3000 },
    });
    bench.confirming = false;
    bench.mark();
    const message = 'x'.repeat(1000);
    for (const attempt of [...workers[0]!.running]) bench.fail(workers[0]!, attempt, { message });
    for (let i = 0; i < 3; i++) bench.confirm();
    expect(bench.appends.map((append) => append.records.length)).toEqual([1, 1, 1, 1]);
  });

  test('never mixes the end of a job with anything else of that job', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 3 }, { maxAttempts: 1 }), { slots: 3 });
    bench.confirming = false;
    bench.mark();
    const [first, second, third] = [...workers[0]!.running];
    bench.fail(workers[0]!, first!);
    bench.complete(workers[0]!, second!);
    bench.confirm();
    bench.complete(workers[0]!, third!);
    while (bench.appending) bench.confirm();
    const withEnd = bench.appends.filter((append) => append.records.some((one) => one.type === 'job.failed'));
    expect(withEnd).toHaveLength(1);
    expect(withEnd[0]!.records).toHaveLength(1);
  });

  test('that holds nothing is not sent', () => {
    const { bench } = benchWith(0);
    bench.mark();
    bench.submit();
    bench.step({ type: 'output.published', job: 1 });
    expect(bench.appends).toEqual([]);
    expect(bench.decided('intent-dropped')).toMatchObject([{ facts: { intent: 'published' } }]);
  });
});

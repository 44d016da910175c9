import { describe, expect, test } from 'vitest';
import { armedAt } from '../../../core/deadlines.js';
import { Bench, benchWith, second, specOf } from '../bench.js';

const rival = { node: 'master-2', incarnation: 1 };

describe('becoming the leader', () => {
  test('takes the lease, then the end of the journal, then a record of one’s own', () => {
    const bench = new Bench({ asleep: true });
    bench.granting = false;
    bench.confirming = false;
    bench.step({ type: 'node.started' });
    expect(bench.master.role).toBe('standby');
    bench.step({ type: 'lease.granted', request: 1 });
    expect(bench.master.role).toBe('campaigning');
    expect(bench.appending?.records).toEqual([
      { type: 'leader.began', epoch: 1, leader: { node: 'master-1', incarnation: 1 } },
    ]);
    bench.confirm();
    expect(bench.master.role).toBe('leader');
    expect(bench.decided('leader-began')).toMatchObject([{ epoch: 1 }]);
  });

  test('needs the journal’s end: nothing is appended while there is more to read', () => {
    const old = benchWith(2).bench;
    const bench = new Bench({ asleep: true, store: old.store, incarnation: 2 });
    bench.reading = false;
    bench.step({ type: 'node.started' });
    const [first, ...rest] = bench.store;
    bench.step({ type: 'journal.entries', from: 1, entries: [first!], end: false });
    expect(bench.appends).toEqual([]);
    bench.step({ type: 'journal.entries', from: 2, entries: rest, end: true });
    expect(bench.appends).toMatchObject([
      { slot: old.store.length, records: [{ type: 'leader.began', epoch: 2 }] },
    ]);
  });

  test('tries again behind whoever was faster', () => {
    const bench = new Bench({ asleep: true });
    bench.confirming = false;
    bench.step({ type: 'node.started' });
    bench.foreign({ type: 'leader.began', epoch: 1, leader: rival });
    bench.confirm();
    expect(bench.master.role).toBe('campaigning');
    expect(bench.appending).toMatchObject({ slot: 2, records: [{ epoch: 2 }] });
    bench.confirm();
    expect(bench.master.role).toBe('leader');
    bench.expectFolded();
  });

  test('a standby follows the journal and tells whoever asks who leads', () => {
    const bench = new Bench({ asleep: true, node: 'master-1' });
    bench.granting = false;
    bench.step({ type: 'node.started' });
    bench.foreign({ type: 'leader.began', epoch: 1, leader: rival });
    bench.pass(bench.config.followUs);
    expect(bench.master.durable.epoch).toBe(1);
    const worker = bench.join('worker-1');
    expect(worker.heard).toEqual([{ type: 'master.notLeading', epoch: 1, leader: 'master-2' }]);
    expect(bench.master.leading).toBeUndefined();
  });

  test('two begin messages in flight make no leader of an epoch that is over', () => {
    const bench = new Bench({ asleep: true });
    bench.confirming = false;
    bench.step({ type: 'node.started' });
    bench.unclear(true);
    bench.foreign({ type: 'leader.began', epoch: 2, leader: rival });
    bench.granting = false;
    bench.step(bench.entriesFrom(1));
    expect(bench.master.role).toBe('standby');
    expect(bench.master.durable.epoch).toBe(2);
  });
});

describe('the lease', () => {
  test('is counted from before the request left', () => {
    const bench = new Bench({ asleep: true });
    bench.granting = false;
    bench.step({ type: 'node.started' });
    const askedAt = bench.now;
    bench.now += 2 * second;
    bench.step({ type: 'lease.granted', request: 1 });
    expect(bench.master.lease.until).toBe(askedAt + bench.config.masterLeaseUs);
    expect(armedAt(bench.master.deadlines, 'lease-end', '')).toBe(askedAt + bench.config.masterLeaseUs);
  });

  test('that is over when the grant arrives is asked for again', () => {
    const bench = new Bench({ asleep: true });
    bench.granting = false;
    bench.step({ type: 'node.started' });
    bench.now += bench.config.masterLeaseUs;
    const effects = bench.step({ type: 'lease.granted', request: 1 });
    expect(bench.master.role).toBe('standby');
    expect(effects).toEqual([{ type: 'lease.campaign', request: 2, ttlUs: bench.config.masterLeaseUs }]);
    bench.step({ type: 'lease.granted', request: 1 });
    expect(bench.master.role).toBe('standby');
    bench.step({ type: 'lease.granted', request: 2 });
    expect(bench.master.role).toBe('leader');
  });

  test('is renewed at a third of it, and a leader that is renewed stays', () => {
    const { bench } = benchWith(1);
    bench.mark();
    bench.pass(10 * bench.config.masterLeaseUs);
    expect(bench.effects.filter((one) => one.type === 'lease.campaign').length).toBeGreaterThanOrEqual(29);
    expect(bench.master).toMatchObject({ role: 'leader', leading: { epoch: 1 } });
  });

  test('is renewed with a look at the journal: a leader with nothing to append learns of a later epoch', () => {
    const { bench } = benchWith(0);
    bench.foreign({ type: 'leader.began', epoch: 2, leader: rival });
    bench.pass(bench.config.masterLeaseUs);
    expect(bench.decided('leader-fenced')).toHaveLength(1);
    expect(bench.master.durable.epoch).toBeGreaterThan(1);
  });

  test('that runs out ends the leader by its own clock: sessions closed, volatile state gone', () => {
    const { bench, workers } = benchWith(1);
    bench.granting = false;
    bench.mark();
    bench.pass(bench.config.masterLeaseUs);
    expect(bench.master.role).toBe('standby');
    expect(bench.master.leading).toBeUndefined();
    expect(bench.decided('lease-expired')).toHaveLength(1);
    expect(workers[0]!.session).toBe(0);
    expect(bench.master.journal.intents).toEqual([]);
    bench.pass(20 * bench.config.workerLeaseUs);
    expect(bench.decided('worker-lost')).toEqual([]);
  });

  test('that was lost to another ends the leader at once', () => {
    const { bench, workers } = benchWith(1);
    bench.granting = false;
    bench.step({ type: 'lease.lost' });
    expect(bench.master.role).toBe('standby');
    expect(bench.decided('leader-fenced')).toMatchObject([{ facts: { by: 'lease' } }]);
    expect(workers[0]!.session).toBe(0);
  });
});

describe('a takeover', () => {
  test('goes on where the journal ends, and redoes nothing that is committed', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 2 }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const next = new Bench({ store: bench.store, node: 'master-2' });
    expect(next.master.leading?.epoch).toBe(2);
    const worker = next.join('worker-1');
    expect(next.runs(worker)).toEqual(['map-1@1']);
    expect(worker.running[0]).toMatchObject({ epoch: 2 });
    next.completeAll();
    expect(next.commits()).toHaveLength(3);
    next.expectFolded();
  });

  test('publishes again what was being published', () => {
    const { bench } = benchWith(1);
    bench.completeAll();
    expect(bench.published).toHaveLength(1);
    const next = new Bench({ store: bench.store, node: 'master-2' });
    expect(next.published).toEqual(bench.published);
    next.step({ type: 'output.published', job: 1 });
    expect(next.job().phase).toBe('published');
  });

  test('gives out nothing before every holder has spoken or its lease is over', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 3 }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const next = new Bench({ store: bench.store, node: 'master-2' });
    const two = next.join('worker-2');
    expect(next.runs(two)).toEqual([]);
    next.pass(next.config.workerLeaseUs - 1);
    expect(next.runs(two)).toEqual([]);
    next.pass(1);
    expect(next.runs(two)).toEqual(['map-1@1']);
    expect(next.decided('worker-lost')).toMatchObject([{ node: 'worker-1' }]);
  });

  test('waits no longer once the awaited holders are there', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 3 }));
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const next = new Bench({ store: bench.store, node: 'master-2' });
    const two = next.join('worker-2');
    const one = next.join('worker-1');
    expect([...next.runs(two), ...next.runs(one)].sort()).toEqual(['map-1@1', 'map-2@1']);
    expect(armedAt(next.master.deadlines, 'takeover-grace', '')).toBeUndefined();
  });
});

describe('a leader that hears no worker', () => {
  const config = { masters: ['master-1', 'master-2'] };

  test('gives way to another master for a while', () => {
    const { bench } = benchWith(0, specOf(), { config });
    bench.mark();
    bench.pass(2 * bench.config.workerLeaseUs);
    expect(bench.decided('leader-resigned')).toHaveLength(1);
    expect(bench.effects.some((effect) => effect.type === 'lease.resign')).toBe(true);
    expect(bench.master.role).toBe('standby');
    bench.pass(bench.config.masterLeaseUs);
    expect(bench.master.role).toBe('leader');
  });

  test('gives way even when it knows of no work: its clients may be out of reach as well', () => {
    const bench = new Bench({ config });
    bench.pass(2 * bench.config.workerLeaseUs);
    expect(bench.decided('leader-resigned')).toHaveLength(1);
  });

  test('stays when it has a worker, or nobody to give way to', () => {
    const situations = [benchWith(1, specOf(), { config }).bench, benchWith(0, specOf()).bench];
    for (const bench of situations) {
      bench.pass(5 * bench.config.workerLeaseUs);
      expect(bench.decided('leader-resigned')).toEqual([]);
      expect(bench.master.role).toBe('leader');
    }
  });
});

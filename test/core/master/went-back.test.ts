import { describe, expect, test } from 'vitest';
import { Bench, type BenchOptions, benchWith, specOf } from '../bench.js';

const rival = { node: 'master-2', incarnation: 1 };

describe('a store that has lost what this master has applied', () => {
  test('is reported; a leader leads no longer, reads all anew, and begins above the lost epoch', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 3 }));
    const known = bench.master.durable.slot;
    bench.store.length = 0;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    expect(bench.decided('store-went-back')).toMatchObject([{ facts: { knownEpoch: 1, knownSlot: known } }]);
    expect(bench.records()[0]).toMatchObject({ type: 'leader.began', epoch: 2 });
    expect(bench.master).toMatchObject({ role: 'leader', durable: { jobs: [] } });
    bench.expectFolded();
  });

  test('and whose slots were filled anew by another, is known by what they follow', () => {
    const { bench } = benchWith(1);
    bench.granting = false;
    bench.store.length = 1;
    bench.foreign({ type: 'leader.began', epoch: 2, leader: rival });
    bench.foreign();
    bench.foreign();
    bench.pass(bench.config.masterLeaseUs);
    expect(bench.decided('store-went-back')).toHaveLength(1);
    expect(bench.master).toMatchObject({ role: 'standby', durable: { epoch: 2, slot: 4 } });
    bench.expectFolded();
  });

  test('never gets a batch that was meant to follow what is lost', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 3 }));
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const lost = bench.appending!;
    bench.store.length = 1;
    while (bench.store.length < lost.slot - 1)
      bench.foreign({ type: 'leader.began', epoch: 9, leader: rival });
    bench.granting = false;
    bench.confirm();
    expect(bench.store.map(({ nonce }) => nonce)).not.toContain(lost.nonce);
    expect(bench.decided('store-went-back')).toHaveLength(1);
    expect(bench.master.journal.pending).toBeUndefined();
  });

  test('makes a standby read all anew', () => {
    const old = benchWith(1, specOf({ maps: 3 })).bench;
    const bench = new Bench({ asleep: true, store: old.store, node: 'master-2' });
    bench.granting = false;
    bench.step({ type: 'node.started' });
    bench.store.length = 1;
    bench.pass(bench.config.followUs);
    expect(bench.decided('store-went-back')).toHaveLength(1);
    expect(bench.master.durable).toMatchObject({ slot: 1, epoch: 1, jobs: [] });
  });
});

describe('a worker that has heard of more than the journal holds', () => {
  test('is believed when the journal was read to its end; the next epoch is above the one it heard of', () => {
    const bench = new Bench();
    bench.reading = false;
    const worker = bench.join('worker-1', { epochSeen: 5, slotSeen: 40 });
    bench.submit(specOf());
    expect(worker.running).toEqual([]); // an attempt of this epoch may have had the same name
    bench.reading = true;
    bench.step(bench.entriesFrom(bench.master.durable.slot + 1));
    expect(bench.decided('store-went-back')).toMatchObject([
      { facts: { heardEpoch: 5, heardSlot: 40, epoch: 1 } },
    ]);
    expect(bench.master).toMatchObject({ role: 'leader', durable: { epoch: 6 } });
  });

  test('of the same epoch, or of a lower one that ended earlier here, is believed as well', () => {
    const bench = new Bench();
    bench.join('worker-1', { epochSeen: 1, slotSeen: 2 });
    expect(bench.decided('store-went-back')).toHaveLength(1);
    expect(bench.master.durable.epoch).toBe(2);
    const began = bench.master.durable.slot;
    bench.mark();
    bench.join('worker-2', { epochSeen: 1, slotSeen: began });
    expect(bench.decided('store-went-back')).toMatchObject([{ facts: { heardEpoch: 1, heardSlot: began } }]);
    expect(bench.master.durable.epoch).toBe(2); // high enough already
  });

  test('is no news to a leader that has merely not read it yet', () => {
    const { bench } = benchWith(0);
    bench.granting = false;
    bench.foreign({ type: 'leader.began', epoch: 2, leader: rival });
    bench.join('worker-2', { epochSeen: 2, slotSeen: bench.store.length });
    expect(bench.decided('store-went-back')).toEqual([]);
    expect(bench.decided('leader-fenced')).toHaveLength(1);
  });

  test('and knows of nothing that cannot have been, changes nothing', () => {
    const { bench } = benchWith(1);
    bench.mark();
    bench.join('worker-2', { epochSeen: 1, slotSeen: bench.master.durable.slot });
    expect(bench.decided('store-went-back')).toEqual([]);
    expect(bench.effects.filter(({ type }) => type === 'journal.read')).toEqual([]);
  });
});

describe('an attempt of a job that is lost', () => {
  test('is none of the job that has its number now, whether it runs or is finished', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2 }));
    const [running, finishing] = workers;
    const lost = finishing!.running[0]!;
    bench.delivering = false;
    bench.store.length = 1; // the job is gone, and the next one gets its number
    bench.pass(bench.config.masterLeaseUs);
    bench.submit(specOf({ maps: 2, name: 'another' }), 'request-2');
    expect(bench.master.durable.jobs).toMatchObject([{ job: 1, epoch: 2, requestId: 'request-2' }]);
    bench.mark();
    bench.join('worker-1', { running: [running!.running[0]!] });
    expect(bench.decided('attempt-adopted')).toEqual([]);
    const late = bench.join('worker-2', { running: [] });
    bench.complete(late, lost);
    expect(bench.verdicts(late)).toEqual(['map-1@1 job-ended']);
    expect(bench.commits()).toEqual([]);
  });
});

describe('a client whose accepted job is gone', () => {
  test('is told so, however far the journal is, and its job is not begun again', () => {
    for (const acceptedSlot of [1, 500]) {
      const bench = new Bench();
      bench.submit(specOf(), 'request-1', acceptedSlot);
      expect(bench.told).toMatchObject([{ type: 'job.refused', reason: 'gone' }]);
      expect(bench.decided('store-went-back')).toMatchObject([{ facts: { acceptedSlot } }]);
      expect(bench.master.durable.jobs).toEqual([]);
    }
  });
});

describe('masters of a former start have left a record', () => {
  /** A journal that a master of a former start has written, up to this slot. */
  function startedOn(slots: number, more: Partial<BenchOptions> = {}) {
    const { bench } = benchWith(1, specOf({ maps: 3 }));
    const formerly = { epoch: 1, slot: bench.master.durable.slot };
    const store = bench.store.slice(0, slots);
    return { formerly, bench: new Bench({ store, incarnation: 1001, formerly, ...more }) };
  }

  test('of a slot that this journal has not: that is said once, and the next epoch is above', () => {
    const { bench, formerly } = startedOn(0);
    const facts = { heardEpoch: 1, heardSlot: formerly.slot, epoch: 0, slot: 0 };
    expect(bench.decided('store-went-back')).toMatchObject([{ facts }]);
    expect(bench.records()).toMatchObject([{ type: 'leader.began', epoch: 2 }]);
    bench.step({ type: 'lease.lost' });
    expect(bench.master.durable.epoch).toBe(3);
    expect(bench.decided('store-went-back')).toHaveLength(1);
  });

  test('of a later slot of an epoch that this journal has: that is said as well', () => {
    const { bench, formerly } = startedOn(1);
    const facts = { heardEpoch: 1, heardSlot: formerly.slot, epoch: 1, slot: 1 };
    expect(bench.decided('store-went-back')).toMatchObject([{ facts }]);
    expect(bench.master.durable.epoch).toBe(2);
  });

  test('of what is there: nothing is said', () => {
    const { bench } = startedOn(1000);
    expect(bench.decided('store-went-back')).toEqual([]);
    expect(bench.master.durable.epoch).toBe(2);
  });
});

describe('a leader that cannot reach the store', () => {
  function cutOff(masters: string[]) {
    const { bench, workers } = benchWith(1, specOf({ maps: 2 }), { config: { masters } });
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.mark();
    for (let us = 0; us < 8_000_000; us += bench.config.appendRetryUs) {
      if (bench.appending) bench.unclear(false);
      bench.pass(bench.config.appendRetryUs);
    }
    return bench;
  }

  test('gives way to the others after two leases, for a lease', () => {
    const bench = cutOff(['master-1', 'master-2']);
    expect(bench.decided('leader-resigned')).toMatchObject([{ facts: { why: 'no store' } }]);
    expect(bench.effects.some(({ type }) => type === 'lease.resign')).toBe(true);
  });

  test('goes on trying when there is nobody else', () => {
    expect(cutOff(['master-1']).decided('leader-resigned')).toEqual([]);
  });
});

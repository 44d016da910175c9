import { describe, expect, test } from 'vitest';
import { stateDigest } from '../../../core/canonical.js';
import { applyEntry } from '../../../core/durable/apply.js';
import { unpackState } from '../../../core/durable/snapshot.js';
import { emptyDurable } from '../../../core/durable/state.js';
import type { JournalTrim } from '../../../core/effects.js';
import { type JournalEntry, type Snapshot, sizeOf } from '../../../core/records.js';
import { Bench, type BenchOptions, benchWith, specOf } from '../bench.js';

const rival = { node: 'master-2', incarnation: 1 };

/** A leader that writes a snapshot every six slots, and what it does until so many maps are committed. */
function leaderAfter(maps: number, config: BenchOptions['config'] = {}): Bench {
  const { bench, workers } = benchWith(1, specOf({ maps: 40 }), { config: { snapshotSlots: 6, ...config } });
  for (let map = 0; map < maps; map++) bench.complete(workers[0]!, workers[0]!.running[0]!);
  return bench;
}

function snapshotsOf(bench: Bench): (Snapshot & { slot: number })[] {
  return bench.store.flatMap(({ slot, records: [record] }) =>
    record?.type === 'snapshot' ? [{ ...record, slot }] : [],
  );
}

function trims(bench: Bench): JournalTrim[] {
  return bench.effects.filter((effect) => effect.type === 'journal.trim');
}

/** The state that a journal gives whose first slot left is `first`. */
function foldFrom(store: readonly JournalEntry[], first: number): string {
  const rest = store.slice(first - 1);
  const { parts } = rest[0]!.records[0] as Snapshot;
  const text = rest.slice(0, parts).map((entry) => (entry.records[0] as Snapshot).text);
  const state = Object.assign(emptyDurable(), unpackState(text.join('')));
  for (const entry of rest) applyEntry(state, entry);
  return stateDigest(state);
}

describe('a leader', () => {
  test('writes a snapshot whenever enough slots have come since the last', () => {
    const bench = leaderAfter(20);
    const slots = snapshotsOf(bench).map(({ slot }) => slot);
    expect(slots.length).toBeGreaterThanOrEqual(3);
    for (const [index, slot] of slots.entries()) expect(slot - (slots[index - 1] ?? 0)).toBe(7);
    bench.expectFolded();
  });

  test('keeps one snapshot behind the last, and has what is below it trimmed', () => {
    const bench = leaderAfter(20);
    const slots = snapshotsOf(bench).map(({ slot }) => slot);
    expect(trims(bench).map(({ first }) => first)).toEqual(slots.slice(0, -1));
    expect(bench.firstSlot).toBe(slots.at(-2));
    for (const { first, nonce } of trims(bench)) expect(bench.store[first - 1]!.nonce).toBe(nonce);
  });

  test('gives the same state from every snapshot as from the beginning', () => {
    const bench = leaderAfter(20);
    for (const { slot } of snapshotsOf(bench)) {
      expect(foldFrom(bench.store, slot)).toBe(stateDigest(bench.master.durable));
    }
  });

  test('cuts a large state into parts that fill neighbouring slots, each alone in its batch', () => {
    const bench = leaderAfter(20, { batchBytesMax: 600 });
    const parts = snapshotsOf(bench);
    const { parts: count, slot } = parts[0]!;
    expect(count).toBeGreaterThan(2);
    expect(parts.slice(0, count).map((part) => [part.part, part.slot - slot])).toEqual(
      Array.from({ length: count }, (_, index) => [index + 1, index]),
    );
    for (const part of parts) expect(part.text.length).toBeLessThanOrEqual(600);
    for (const part of parts) expect(bench.store[part.slot - 1]!.records).toHaveLength(1);
    bench.expectFolded();
    for (const part of parts.filter((one) => one.part === 1 && one.slot < slot + 40)) {
      expect(foldFrom(bench.store, part.slot)).toBe(stateDigest(bench.master.durable));
    }
  });

  test('writes the next one later when the last was large', () => {
    const bench = leaderAfter(30, { batchBytesMax: 300 });
    const firsts = snapshotsOf(bench).filter(({ part }) => part === 1);
    for (const [index, { slot, parts }] of firsts.slice(0, -1).entries()) {
      expect(firsts[index + 1]!.slot - (slot + parts)).toBe(4 * parts);
    }
    expect(firsts.length).toBeGreaterThan(1);
  });

  test('writes the next one only when enough bytes have been written, however many slots they took', () => {
    const config = { snapshotSlots: 6, batchBytesMax: 1500 };
    const { bench, workers } = benchWith(1, specOf({ maps: 200 }), { config });
    for (let map = 0; map < 200; map++) bench.complete(workers[0]!, workers[0]!.running[0]!);
    const firsts = snapshotsOf(bench).filter(({ part }) => part === 1);
    const large = firsts.slice(0, -1).filter(({ parts }) => parts > 1);
    expect(large.length).toBeGreaterThan(1);
    for (const { slot, parts } of large) {
      const next = firsts.find((one) => one.slot > slot)!;
      const tail = bench.store.slice(slot + parts - 1, next.slot - 1);
      const bytes = tail.flatMap(({ records }) => records).reduce((sum, record) => sum + sizeOf(record), 0);
      expect(bytes).toBeGreaterThanOrEqual(4 * (parts - 1) * config.batchBytesMax);
      expect(tail.length).toBeGreaterThan(4 * parts);
    }
    bench.expectFolded();
  });

  test('lets what waits have its turn when the snapshot is whole', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 40 }), {
      config: { snapshotSlots: 6, batchBytesMax: 600 },
    });
    while (bench.store.length < 6) bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const began = bench.store.length;
    for (let answers = 0; answers < 40 && bench.appending; answers++) bench.confirm();
    const kinds = bench.store.slice(began).map(({ records: [record] }) => record!.type);
    expect(kinds.indexOf('task.committed')).toBe(kinds.lastIndexOf('snapshot') + 1);
    expect(bench.decided('snapshot-written')).toHaveLength(1);
  });

  test('that lost its place in the middle of a snapshot leaves parts that mean nothing', () => {
    const bench = leaderAfter(3, { batchBytesMax: 600 });
    bench.confirming = false;
    bench.granting = false;
    while (bench.appending?.records[0]?.type !== 'snapshot' || snapshotsOf(bench).length === 0) {
      if (bench.appending) bench.confirm();
      else bench.complete([...bench.workers.values()][0]!, [...bench.workers.values()][0]!.running[0]!);
    }
    bench.foreign({ type: 'leader.began', epoch: 2, leader: rival });
    bench.confirm();
    expect(bench.master.role).toBe('standby');
    expect(bench.master.durable.snapshots).toEqual({ last: undefined, behind: undefined, open: undefined });
    bench.expectFolded();
    const heir = new Bench({ store: bench.store, node: 'master-3', config: bench.config });
    expect(heir.master.role).toBe('leader');
    heir.expectFolded();
    expect(heir.decided('snapshot-written')).toHaveLength(1);
  });

  test('has the journal trimmed that its predecessor did not come to trim', () => {
    const bench = leaderAfter(20);
    const heir = new Bench({ store: bench.store, node: 'master-2', config: bench.config });
    expect(trims(heir).map(({ first }) => first)).toEqual([snapshotsOf(bench).at(-2)!.slot]);
  });
});

describe('a master that is behind the trim', () => {
  test('starts from the first snapshot, with the state of one that has seen all', () => {
    const bench = leaderAfter(20);
    const heir = new Bench({
      store: bench.store,
      firstSlot: bench.firstSlot,
      node: 'master-2',
      config: bench.config,
    });
    expect(heir.decided('snapshot-loaded')).toMatchObject([{ facts: { slot: bench.firstSlot } }]);
    expect(heir.master).toMatchObject({ role: 'leader', durable: { epoch: 2 } });
    heir.expectFolded();
  });

  test('reads the parts page by page, and begins anew when they are trimmed meanwhile', () => {
    const bench = leaderAfter(20, { batchBytesMax: 600 });
    const firsts = snapshotsOf(bench).filter(({ part }) => part === 1);
    const [older, newer] = firsts.slice(-2);
    const heir = new Bench({
      asleep: true,
      store: bench.store,
      firstSlot: older!.slot,
      config: bench.config,
    });
    heir.reading = false;
    heir.step({ type: 'node.started' });
    heir.step(heir.entriesFrom(1));
    const page = bench.store.slice(older!.slot - 1, older!.slot + 1);
    heir.step({ type: 'journal.entries', from: older!.slot, entries: page, end: false });
    expect(heir.effects.at(-1)).toEqual({ type: 'journal.read', from: older!.slot + 2 });
    expect(heir.master.durable.slot).toBe(0);
    heir.firstSlot = newer!.slot;
    heir.reading = true;
    heir.step(heir.entriesFrom(older!.slot + 2));
    expect(heir.decided('snapshot-loaded')).toMatchObject([
      { facts: { slot: newer!.slot + newer!.parts - 1 } },
    ]);
    heir.expectFolded();
  });

  test.each([
    ['another has begun its epoch', 1],
    ['its epoch never was', 2],
  ])('says that the store has gone back when %s in the history that the snapshot tells', (_, epoch) => {
    const bench = leaderAfter(20);
    const standby = new Bench({ asleep: true, node: 'master-3', config: bench.config });
    standby.granting = false;
    standby.foreign({ type: 'leader.began', epoch, leader: rival });
    standby.step({ type: 'node.started' });
    standby.store.splice(0, standby.store.length, ...bench.store);
    standby.firstSlot = bench.firstSlot;
    standby.pass(bench.config.followUs);
    expect(standby.decided('store-went-back')).toMatchObject([
      { facts: { knownEpoch: epoch, knownSlot: 1 } },
    ]);
    expect(standby.decided('snapshot-loaded')).toHaveLength(1);
    expect(standby.master.epochLost).toBe(epoch);
    standby.expectFolded();
  });

  test('takes an older snapshot, the answer to an old question, for no loss', () => {
    const { store, firstSlot, config } = leaderAfter(20);
    const standby = new Bench({ asleep: true, node: 'master-3', store, firstSlot, config });
    standby.granting = false;
    standby.step({ type: 'node.started' });
    expect(standby.master.durable.slot).toBe(store.length);
    standby.step({ type: 'journal.trimmed', from: 1, first: firstSlot });
    expect(standby.decided('snapshot-loaded')).toHaveLength(2);
    expect(standby.decided('store-went-back')).toEqual([]);
    standby.expectFolded();
  });

  test('and has an append of unknown fate, is free of it: its epoch is over', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 4 }));
    bench.confirming = false;
    bench.granting = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const { slot } = bench.appending!;
    const after = bench.store.length;
    // Meanwhile another leads, writes two snapshots, and trims below the second.
    const heir = new Bench({ store: bench.store, node: 'master-2', config: { snapshotSlots: 4 } });
    const worker = heir.join('worker-1');
    heir.submit(specOf({ maps: 20 }), 'request-2');
    while (trims(heir).length === 0) heir.complete(worker, worker.running[0]!);
    expect(heir.firstSlot).toBeGreaterThan(after + 1);
    bench.firstSlot = heir.firstSlot;
    bench.step({ type: 'journal.taken', slot });
    expect(bench.decided('leader-fenced')).toHaveLength(1);
    expect(bench.master.journal.pending).toBeUndefined();
    expect(bench.master).toMatchObject({ role: 'standby', durable: { slot: bench.store.length } });
    bench.expectFolded();
    bench.mark();
    bench.pass(10 * bench.config.appendRetryUs);
    expect(bench.appends).toEqual([]);
  });

  test('in a journal that begins with something else, stops (M9)', () => {
    const bench = leaderAfter(20);
    expect(() => new Bench({ store: bench.store, firstSlot: bench.firstSlot + 1 })).toThrow(/^M9/);
  });
});

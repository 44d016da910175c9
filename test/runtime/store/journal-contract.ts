// What every journal adapter owes, whatever store stands behind it. An adapter's test calls this with a way to open
// handles on a fresh store; what only that store can suffer is tested beside it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, JournalEntry } from '../../../runtime/store/ports.js';

export interface StoreUnderTest {
  /** Another handle on the same store, as another process would have it. */
  open(): Promise<Journal<string>>;
  /** Removes the store, after its handles were closed. */
  destroy(): Promise<void>;
}

const FOREVER = Number.POSITIVE_INFINITY;
const RETRIES_MAX = 1000;

/** Everything that is not trimmed. */
export async function readAll(journal: Journal<string>, limit = 100): Promise<JournalEntry<string>[]> {
  const all: JournalEntry<string>[] = [];
  let from = 1;
  for (;;) {
    const { entries, end, first } = await journal.read(from, limit);
    if (from < first) {
      all.length = 0;
      from = first;
      continue;
    }
    all.push(...entries);
    from += entries.length;
    if (end) return all;
    if (entries.length === 0) throw new Error(`slot ${from} is missing before the end`);
  }
}

/**
 * Appends batches as a master does: in the next free slot, retrying an unknown outcome unchanged, reading on when
 * the slot is taken. Returns nonce by slot of what was acknowledged.
 */
export async function appendMany(
  journal: Journal<string>,
  name: string,
  count: number,
): Promise<Map<number, string>> {
  const acknowledged = new Map<number, string>();
  let slot = 1;
  for (let n = 0; acknowledged.size < count; n++) {
    if (n > 1000 * count)
      throw new Error(`${name} gets nowhere: ${acknowledged.size} of ${count} acknowledged`);
    const nonce = `${name}/${n}`;
    let result = await journal.append(slot, { nonce, records: [nonce] }, FOREVER);
    while (result.outcome === 'unknown')
      result = await journal.append(slot, { nonce, records: [nonce] }, FOREVER);
    if (result.entry?.nonce === nonce) {
      if (acknowledged.has(slot)) throw new Error(`slot ${slot} was acknowledged twice to ${name}`);
      acknowledged.set(slot, nonce);
    }
    const { entries, first } = await journal.read(slot, 1000);
    slot = Math.max(slot + entries.length, first);
  }
  return acknowledged;
}

/** Tries for one slot until its fate is known. */
async function claim(journal: Journal<string>, slot: number, nonce: string): Promise<boolean> {
  for (let retries = 0; ; retries++) {
    const result = await journal.append(slot, { nonce, records: [nonce] }, FOREVER);
    if (result.outcome !== 'unknown') return result.entry?.nonce === nonce;
    if (retries > RETRIES_MAX) throw new Error(`slot ${slot} stays unknown: ${result.reason}`);
  }
}

/** Acknowledged and lost = 0, acknowledged twice = 0, gap-free. */
export function expectLogToHold(
  log: readonly JournalEntry<string>[],
  ...acknowledged: Map<number, string>[]
): void {
  expectLogFrom(1, log, ...acknowledged);
}

/** The same of a journal that begins in slot `first`: what was below is trimmed. */
export function expectLogFrom(
  first: number,
  log: readonly JournalEntry<string>[],
  ...acknowledged: Map<number, string>[]
): void {
  expect(log.map((entry) => entry.slot)).toEqual(log.map((_, index) => first + index));
  expect(new Set(log.map((entry) => entry.nonce)).size).toBe(log.length);
  for (const [slot, nonce] of acknowledged.flatMap((map) => [...map])) {
    if (slot < first) continue;
    expect(log[slot - first], `acknowledged slot ${slot}`).toMatchObject({ slot, nonce, records: [nonce] });
  }
  const slots = acknowledged.flatMap((map) => [...map.keys()]);
  expect(new Set(slots).size, 'no slot is acknowledged to two').toBe(slots.length);
}

export function journalContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`the journal contract, held by ${name}`, () => {
    let store: StoreUnderTest;
    let handles: Journal<string>[];

    async function open(): Promise<Journal<string>> {
      const handle = await store.open();
      handles.push(handle);
      return handle;
    }
    const batch = (nonce: string) => ({ nonce, records: [nonce] });

    beforeEach(async () => {
      store = await makeStore();
      handles = [];
    });
    afterEach(async () => {
      for (const handle of handles) await handle.close();
      await store.destroy();
    });

    it('an empty journal reads as nothing, to its end', async () => {
      expect(await (await open()).read(1, 10)).toEqual({ entries: [], end: true, first: 1 });
    });

    it('an appended batch is returned as the store holds it, and read back by everyone', async () => {
      const journal = await open();
      const records = ['é\n\u2028', '', '\ud83d\ude00'];
      const result = await journal.append(1, { nonce: 'a', records }, FOREVER);
      const entry = { slot: 1, nonce: 'a', after: '', records };
      expect(result).toEqual({ outcome: 'ok', entry });
      for (const reader of [journal, await open()]) {
        expect(await reader.read(1, 10)).toEqual({ entries: [entry], end: true, first: 1 });
      }
    });

    it('a slot that exists is taken and tells its entry, to owner and stranger', async () => {
      const [owner, stranger] = [await open(), await open()];
      await owner.append(1, batch('a'), FOREVER);
      await owner.append(2, batch('b'), FOREVER);
      for (const journal of [owner, stranger]) {
        expect(await journal.append(1, batch('x'), FOREVER)).toEqual({
          outcome: 'taken',
          entry: { slot: 1, nonce: 'a', after: '', records: ['a'] },
        });
      }
      expect((await owner.append(3, batch('c'), FOREVER)).outcome).toBe('ok');
    });

    it('a slot whose predecessor is missing is refused, and leaves no gap', async () => {
      const journal = await open();
      expect(await journal.append(2, batch('x'), FOREVER)).toEqual({ outcome: 'taken' });
      await journal.append(1, batch('a'), FOREVER);
      expect(await journal.append(3, batch('y'), FOREVER)).toEqual({ outcome: 'taken' });
      expect((await readAll(await open())).map((entry) => entry.nonce)).toEqual(['a']);
    });

    it('a slot below 1 is a mistake of the caller', async () => {
      const journal = await open();
      await expect(journal.append(0, batch('x'), FOREVER)).rejects.toThrow(RangeError);
      await expect(journal.append(1.5, batch('x'), FOREVER)).rejects.toThrow(RangeError);
    });

    it('retrying after a lost acknowledgement finds the own nonce, once', async () => {
      const journal = await open();
      await journal.append(1, batch('mine'), FOREVER);
      const again = await journal.append(1, batch('mine'), FOREVER);
      expect(again).toMatchObject({ outcome: 'taken', entry: { slot: 1, nonce: 'mine' } });
      expect(await readAll(await open())).toHaveLength(1);
    });

    it('an answer that misses its deadline is unknown, and the retry tells the truth', async () => {
      const journal = await open();
      const first = await journal.append(1, batch('mine'), 0);
      const retry = first.outcome === 'unknown' ? await journal.append(1, batch('mine'), FOREVER) : first;
      expect(retry.outcome === 'unknown' ? undefined : retry.entry?.nonce).toBe('mine');
      expect(await readAll(await open())).toHaveLength(1);
    });

    it('reads pages from any slot, and says where the end is', async () => {
      const journal = await open();
      for (let slot = 1; slot <= 10; slot++) await journal.append(slot, batch(`n${slot}`), FOREVER);
      const reader = await open();
      for (let from = 1; from <= 12; from++) {
        const { entries, end } = await reader.read(from, 3);
        const slots = [from, from + 1, from + 2].filter((slot) => slot <= 10);
        expect(entries.map((entry) => entry.slot)).toEqual(slots);
        expect(end).toBe(from + 3 > 10);
      }
    });

    it('a reader sees every entry that was confirmed before it asked', async () => {
      const [writer, reader] = [await open(), await open()];
      for (let slot = 1; slot <= 50; slot++) {
        await writer.append(slot, batch(`n${slot}`), FOREVER);
        expect((await reader.read(slot, 10)).entries.map((entry) => entry.slot)).toEqual([slot]);
      }
    });

    it('whoever took over is owner, and the former owner finds its slot taken', async () => {
      const [first, second] = [await open(), await open()];
      await first.append(1, batch('a1'), FOREVER);
      expect((await second.append(2, batch('b2'), FOREVER)).outcome).toBe('ok');
      expect((await second.append(3, batch('b3'), FOREVER)).outcome).toBe('ok');
      expect(await first.append(2, batch('a2'), FOREVER)).toMatchObject({
        outcome: 'taken',
        entry: { nonce: 'b2' },
      });
      expect((await readAll(first)).map((entry) => entry.nonce)).toEqual(['a1', 'b2', 'b3']);
    });

    it('of many that race for one slot exactly one wins, round after round', async () => {
      const racers = await Promise.all(Array.from({ length: 6 }, open));
      for (let slot = 1; slot <= 25; slot++) {
        const claims = await Promise.all(racers.map((racer, n) => claim(racer, slot, `${n}/${slot}`)));
        const log = await readAll(await open());
        const winners = claims.filter((won) => won);
        expect(winners.length, `winners of slot ${slot}`).toBe(1);
        expect(log).toHaveLength(slot);
      }
    });

    it('handles that append at once lose nothing acknowledged and read the same log', async () => {
      const writers = await Promise.all(Array.from({ length: 5 }, open));
      const acknowledged = await Promise.all(writers.map((writer, n) => appendMany(writer, `w${n}`, 80)));
      const log = await readAll(await open());
      expectLogToHold(log, ...acknowledged);
      for (const writer of writers) expect(await readAll(writer, 7)).toEqual(log);
    });

    it('a batch that names another predecessor than there is, is refused', async () => {
      const [owner, stranger] = [await open(), await open()];
      await owner.append(1, { ...batch('a'), after: '' }, FOREVER);
      for (const journal of [owner, stranger]) {
        const other = await journal.append(2, { ...batch('x'), after: 'z' }, FOREVER);
        expect(other).toEqual({ outcome: 'taken' });
      }
      expect((await owner.append(2, { ...batch('b'), after: 'a' }, FOREVER)).outcome).toBe('ok');
      expect((await readAll(await open())).map(({ after }) => after)).toEqual(['', 'a']);
    });

    /** A journal of ten slots, trimmed below slot 5 by its owner; and a handle that has read all of it before. */
    async function trimmed() {
      const [owner, reader] = [await open(), await open()];
      for (let slot = 1; slot <= 10; slot++) await owner.append(slot, batch(`n${slot}`), FOREVER);
      await readAll(reader);
      await owner.trim(5, 'n5');
      return { owner, reader };
    }

    it('a trimmed journal says where it begins, to whoever reads below, and is whole above', async () => {
      const { owner, reader } = await trimmed();
      for (const journal of [owner, reader, await open()]) {
        expect(await journal.read(1, 100)).toEqual({ entries: [], end: false, first: 5 });
        expect(await journal.read(4, 100)).toEqual({ entries: [], end: false, first: 5 });
        expect((await readAll(journal)).map(({ slot }) => slot)).toEqual([5, 6, 7, 8, 9, 10]);
      }
    });

    it('a trimmed slot is taken, by what it held or by nobody knows what', async () => {
      const { owner, reader } = await trimmed();
      for (const journal of [owner, reader, await open()]) {
        const below = await journal.append(4, batch('x'), FOREVER);
        expect(below.outcome).toBe('taken');
        expect(['n4', undefined]).toContain(below.outcome === 'taken' && below.entry?.nonce);
        expect(await journal.append(5, batch('x'), FOREVER)).toMatchObject({ entry: { nonce: 'n5' } });
      }
    });

    it('a trimmed journal goes on, through takeovers and further trims', async () => {
      const { owner, reader } = await trimmed();
      expect((await owner.append(11, batch('n11'), FOREVER)).outcome).toBe('ok');
      expect((await reader.append(12, batch('n12'), FOREVER)).outcome).toBe('ok');
      await reader.trim(11, 'n11');
      expect((await owner.append(13, batch('n13'), FOREVER)).outcome).toBe('ok');
      await owner.trim(13, 'n13');
      for (const journal of [owner, reader, await open()]) {
        expect(await journal.read(1, 100)).toMatchObject({ first: 13 });
        expect((await readAll(journal)).map(({ nonce }) => nonce)).toEqual(['n13']);
      }
    });

    it('only what has the nonce that was named is the beginning of a journal', async () => {
      const { owner, reader } = await trimmed();
      await owner.trim(7, 'another');
      await owner.trim(4, 'n4');
      await owner.trim(11, 'n11');
      await reader.trim(8, 'n8'); // not the owner
      expect(await (await open()).read(5, 1)).toMatchObject({ first: 5, entries: [{ slot: 5 }] });
    });

    it('an append that was delayed across a takeover and a trim is taken', async () => {
      const [first, second] = [await open(), await open()];
      for (let slot = 1; slot <= 3; slot++) await first.append(slot, batch(`n${slot}`), FOREVER);
      for (let slot = 4; slot <= 9; slot++) await second.append(slot, batch(`n${slot}`), FOREVER);
      await second.trim(8, 'n8');
      expect(await first.append(4, batch('late'), FOREVER)).toEqual({ outcome: 'taken' });
      await first.trim(2, 'n2');
      expect((await readAll(first)).map(({ nonce }) => nonce)).toEqual(['n8', 'n9']);
    });

    it('a closed handle answers unknown and never appends', async () => {
      const journal = await open();
      await journal.append(1, batch('a'), FOREVER);
      await journal.close();
      expect((await journal.append(2, batch('b'), FOREVER)).outcome).toBe('unknown');
      expect(await readAll(await open())).toHaveLength(1);
    });
  });
}

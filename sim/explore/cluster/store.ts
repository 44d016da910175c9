/**
 * The stores of the explored world: the journal, what each master has under way to it, and the lease. An append has two
 * steps, that it happens and that the answer arrives, and anything may come between them. One whose master is gone, or was
 * told that nobody knows, may still happen later.
 */
import { applyEntry } from '../../../core/durable/apply.js';
import { type DurableState, emptyDurable } from '../../../core/durable/state.js';
import { InvariantError } from '../../../core/invariant-error.js';
import type { JournalEntry } from '../../../core/records.js';
import { copyOf, frozen } from './plain.js';
import { Memo, Table } from './table.js';

// ---- the journal ------------------------------------------------------------------------------------------------

interface Link {
  readonly before: number;
  readonly entry: number;
}

/** Journals by number: 0 is the empty one, each other is an earlier one with one entry more. */
export class Journals {
  readonly entries = new Table<JournalEntry>(frozen);
  readonly #links = new Table<Link>();
  readonly #lengths: number[] = [0];
  readonly #durable: (DurableState | InvariantError)[] = [emptyDurable()];
  readonly #longer = new Memo<number>((journal, entry) => this.#add(journal, entry));

  constructor() {
    this.#links.numberOf({ before: -1, entry: -1 });
  }

  length(journal: number): number {
    return this.#lengths[journal]!;
  }

  withEntry(journal: number, entry: number): number {
    return this.#longer.get(journal, entry);
  }

  /** Whether the entry may be appended: its slot is the next one, and it follows the entry that is there. */
  fits(journal: number, entry: number): boolean {
    const { slot, after } = this.entries.value(entry);
    const last = this.length(journal);
    return slot === last + 1 && after === (last === 0 ? '' : this.entryAt(journal, last).nonce);
  }

  /** What folding it gives, or the rule that its last entry breaks. */
  fold(journal: number): DurableState | InvariantError {
    return this.#durable[journal]!;
  }

  /** The journal as it was up to a slot. */
  upTo(journal: number, slot: number): number {
    let at = journal;
    while (this.length(at) > slot) at = this.#links.value(at).before;
    return at;
  }

  entryAt(journal: number, slot: number): JournalEntry {
    return this.entries.value(this.#links.value(this.upTo(journal, slot)).entry);
  }

  /** From a slot on. */
  entriesFrom(journal: number, from: number): JournalEntry[] {
    const found: JournalEntry[] = [];
    for (let slot = from; slot <= this.length(journal); slot++) found.push(this.entryAt(journal, slot));
    return found;
  }

  renamed(journal: number, names: ReadonlyMap<string, string>): number {
    if (journal === 0) return 0;
    const { before, entry } = this.#links.value(journal);
    return this.withEntry(this.renamed(before, names), this.entries.renamed(entry, names));
  }

  #add(journal: number, entry: number): number {
    const number = this.#links.numberOf({ before: journal, entry });
    if (number < this.#lengths.length) return number;
    this.#lengths.push(this.#lengths[journal]! + 1);
    const before = this.#durable[journal]!;
    this.#durable.push(before instanceof InvariantError ? before : folded(before, this.entries.value(entry)));
    return number;
  }
}

function folded(before: DurableState, entry: JournalEntry): DurableState | InvariantError {
  const state = copyOf(before);
  try {
    applyEntry(state, entry);
    return state;
  } catch (error) {
    if (error instanceof InvariantError) return error;
    throw error;
  }
}

// ---- what a master has under way --------------------------------------------------------------------------------

export interface Desk {
  /** `upTo` once the store has looked: the answer is on its way. */
  readonly read?: { readonly from: number; readonly upTo?: number };
  /** By number of the entry; `fate` once the store has decided. */
  readonly append?: { readonly entry: number; readonly fate?: 'appended' | 'taken' };
  readonly publish?: { readonly request: number; readonly done?: true };
  /** Entries that may still arrive at the store, in ascending order of their numbers. */
  readonly late: readonly number[];
}

export type DeskChange =
  | { readonly kind: 'read'; readonly from: number }
  | { readonly kind: 'looked'; readonly upTo: number }
  | { readonly kind: 'told-entries' }
  | { readonly kind: 'append'; readonly entry: number }
  | { readonly kind: 'decided'; readonly fate: 'appended' | 'taken' }
  /** `late`: it is still under way. */
  | { readonly kind: 'told-append'; readonly late: boolean }
  | { readonly kind: 'publish'; readonly request: number }
  | { readonly kind: 'published' }
  | { readonly kind: 'told-published' }
  | { readonly kind: 'not-late'; readonly entry: number }
  | { readonly kind: 'gone' };

export const emptyDesk: Desk = { late: [] };

export function changeDesk(desk: Desk, change: DeskChange): Desk {
  const { read, append, publish, late } = desk;
  switch (change.kind) {
    case 'read':
      return deskOf({ from: change.from }, append, publish, late);
    case 'looked':
      return deskOf({ from: read!.from, upTo: change.upTo }, append, publish, late);
    case 'told-entries':
      return deskOf(undefined, append, publish, late);
    case 'append':
      return deskOf(read, { entry: change.entry }, publish, without(late, change.entry));
    case 'decided':
      return deskOf(read, { entry: append!.entry, fate: change.fate }, publish, late);
    case 'told-append':
      return deskOf(read, undefined, publish, change.late ? withLate(late, append!.entry) : late);
    case 'publish':
      return deskOf(read, append, { request: change.request }, late);
    case 'published':
      return deskOf(read, append, { request: publish!.request, done: true }, late);
    case 'told-published':
      return deskOf(read, append, undefined, late);
    case 'not-late':
      return deskOf(read, append, publish, without(late, change.entry));
    case 'gone':
      return deskOf(
        undefined,
        undefined,
        undefined,
        append && !append.fate ? withLate(late, append.entry) : late,
      );
  }
}

/** Its fields always in one order: equal desks have equal keys. */
function deskOf(
  read: Desk['read'],
  append: Desk['append'],
  publish: Desk['publish'],
  late: Desk['late'],
): Desk {
  return {
    ...(read ? { read } : {}),
    ...(append ? { append } : {}),
    ...(publish ? { publish } : {}),
    late,
  };
}

function withLate(late: readonly number[], entry: number): readonly number[] {
  return [...without(late, entry), entry].sort((a, b) => a - b);
}

function without(late: readonly number[], entry: number): readonly number[] {
  return late.filter((one) => one !== entry);
}

// ---- the lease --------------------------------------------------------------------------------------------------

/** Masters by index; -1 is nobody. */
export interface LeaseService {
  readonly holder: number;
  readonly waiting: readonly number[];
  /** Answers under way. A `stale` one is to a campaign that the master has repeated since. */
  readonly granted: readonly { readonly master: number; readonly stale: boolean }[];
  readonly lost: readonly number[];
}

export type LeaseChange =
  | { readonly kind: 'campaign' | 'resign' | 'gone' | 'told-lost'; readonly master: number }
  | { readonly kind: 'told-granted'; readonly master: number; readonly stale: boolean }
  /** The service gives it to somebody else; the holder may hear of it. */
  | { readonly kind: 'expire' };

export const freeLease: LeaseService = { holder: -1, waiting: [], granted: [], lost: [] };

export function changeLease(lease: LeaseService, change: LeaseChange): LeaseService {
  switch (change.kind) {
    case 'campaign': {
      const { master } = change;
      const granted = lease.granted.filter((one) => one.master !== master);
      if (granted.length < lease.granted.length) granted.push({ master, stale: true });
      const waiting = [...lease.waiting.filter((one) => one !== master), master];
      return granting({ ...lease, waiting, granted: inOrder(granted) });
    }
    case 'resign':
      return resigned(lease, change.master);
    case 'gone': {
      const granted = lease.granted.filter((one) => one.master !== change.master);
      const lost = lease.lost.filter((one) => one !== change.master);
      return resigned({ ...lease, granted, lost }, change.master);
    }
    case 'told-lost':
      return { ...lease, lost: lease.lost.filter((one) => one !== change.master) };
    case 'told-granted': {
      const { master, stale } = change;
      return {
        ...lease,
        granted: lease.granted.filter((one) => one.master !== master || one.stale !== stale),
      };
    }
    case 'expire':
      return granting({ ...lease, holder: -1, lost: [...lease.lost, lease.holder].sort((a, b) => a - b) });
  }
}

function resigned(lease: LeaseService, master: number): LeaseService {
  const waiting = lease.waiting.filter((one) => one !== master);
  return granting({ ...lease, waiting, holder: lease.holder === master ? -1 : lease.holder });
}

/** To its holder again at once, to others in their order when it is free. */
function granting(lease: LeaseService): LeaseService {
  const next = lease.waiting.find((one) => lease.holder < 0 || lease.holder === one);
  if (next === undefined) return lease;
  return {
    ...lease,
    holder: next,
    waiting: lease.waiting.filter((one) => one !== next),
    granted: inOrder([...lease.granted, { master: next, stale: false }]),
  };
}

function inOrder(granted: LeaseService['granted']): LeaseService['granted'] {
  return granted.toSorted((a, b) => a.master - b.master || Number(a.stale) - Number(b.stale));
}

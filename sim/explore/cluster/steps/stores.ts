/**
 * What the stores do for a master, and what it hears of that: the journal, the output, the lease. Doing and hearing are
 * two steps, and anything may come between them.
 */
import type { MachineEvent } from '../../../../core/events.js';
import { attemptKey } from '../../../../core/ids.js';
import { unfair } from '../../model.js';
import type { Parts } from '../parts.js';
import type { Desk } from '../store.js';
import { Memo } from '../table.js';
import type { Moment } from './moment.js';
import type { Successor } from './successor.js';

export class Stores {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #next: Successor;
  /** The answer to a read: by journal, and by the slot from which on it was read. */
  readonly #entries: Memo<number>;
  /** The answers to an append: by entry and fate, and by journal. */
  readonly #answers: Memo<readonly number[]>;

  constructor(parts: Parts, moment: Moment, next: Successor) {
    this.#parts = parts;
    this.#moment = moment;
    this.#next = next;
    this.#entries = new Memo((journal, from) => parts.events.numberOf(this.#entriesOf(journal, from)));
    this.#answers = new Memo((append, journal) => this.#answersOf(append, journal));
  }

  /** Whatever the master has under way to the journal and the output. */
  ofMaster(master: number): void {
    const { read, append, publish } = this.#moment.desk(master);
    if (read) this.#read(master, read);
    if (append) this.#append(master, append);
    if (publish) this.#publish(master, publish);
  }

  // ---- the journal ------------------------------------------------------------------------------------------------

  #read(master: number, { from, upTo }: NonNullable<Desk['read']>): void {
    const { journals, names } = this.#parts;
    const { journal } = this.#moment;
    const next = this.#next;
    next.beginAt(master);
    if (upTo === undefined) {
      next.onDesk(master, { kind: 'looked', upTo: journals.length(journal) });
      next.tell(`the journal is read for ${names[master]}`);
      return;
    }
    next.onDesk(master, { kind: 'told-entries' });
    next.tell(`${names[master]} learns of slots ${from} to ${upTo}`);
    next.feed(master, this.#entries.get(journals.upTo(journal, upTo), from));
  }

  #entriesOf(journal: number, from: number): MachineEvent {
    const entries = this.#parts.journals.entriesFrom(journal, from);
    return { type: 'journal.entries', from, entries, end: true };
  }

  #append(master: number, { entry, fate }: NonNullable<Desk['append']>): void {
    const { journals, names } = this.#parts;
    const { journal } = this.#moment;
    const next = this.#next;
    const { slot } = journals.entries.value(entry);
    if (fate === undefined) {
      const fits = journals.fits(journal, entry);
      next.beginAt(master);
      next.onDesk(master, { kind: 'decided', fate: fits ? 'appended' : 'taken' });
      next.tell(`the journal ${fits ? 'takes' : 'refuses'} slot ${slot} of ${names[master]}`);
      if (fits) this.#grow(entry);
      return;
    }
    for (const answer of this.#answers.get(2 * entry + (fate === 'appended' ? 1 : 0), journal)) {
      next.beginAt(master);
      next.onDesk(master, { kind: 'told-append', late: false });
      next.tell(`${names[master]} hears that slot ${slot} is ${fate}`);
      next.feed(master, answer);
    }
  }

  /** A store that refuses may say what it holds, or not. */
  #answersOf(append: number, journal: number): number[] {
    const { events, journals } = this.#parts;
    const entry = journals.entries.value(append >> 1);
    if (append & 1) return [events.numberOf({ type: 'journal.appended', entry })];
    const { slot } = entry;
    const answers = [events.numberOf({ type: 'journal.taken', slot })];
    if (slot <= journals.length(journal)) {
      answers.push(events.numberOf({ type: 'journal.taken', slot, entry: journals.entryAt(journal, slot) }));
    }
    return answers;
  }

  /** Appends that nobody waits for any more happen after all. */
  late(master: number): void {
    const { journals, names } = this.#parts;
    const { journal } = this.#moment;
    for (const entry of this.#moment.desk(master).late) {
      if (!journals.fits(journal, entry)) continue;
      const { slot } = journals.entries.value(entry);
      this.#next.begin(unfair);
      this.#next.tell(`the journal takes slot ${slot} of ${names[master]}, late`);
      this.#grow(entry);
    }
  }

  /** The journal takes an entry. */
  #grow(entry: number): void {
    const { at, journals, desks, judgements } = this.#parts;
    const next = this.#next;
    const before = next.number(at.journal);
    const shelf = next.number(at.shelf);
    const journal = journals.withEntry(before, entry);
    next.put(at.journal, journal);
    next.blame(judgements.world(journal, shelf) || judgements.entry(entry, before, shelf));
    // What is late for its slot can do nothing any more.
    for (let master = 0; master < at.masters; master++) {
      for (const late of desks.values.value(next.number(at.desks + master)).late) {
        if (journals.entries.value(late).slot > journals.length(journal)) continue;
        next.onDesk(master, { kind: 'not-late', entry: late });
      }
    }
  }

  // ---- the output -------------------------------------------------------------------------------------------------

  #publish(master: number, { request, done }: NonNullable<Desk['publish']>): void {
    const { claims, events, names } = this.#parts;
    const next = this.#next;
    const claim = claims.value(request);
    if (claim.kind !== 'publish') return;
    const { job, parts } = claim.effect;
    next.beginAt(master);
    if (!done) {
      next.onShelf({ kind: 'show', keys: parts.map(({ attempt }) => attemptKey(attempt)) });
      next.onDesk(master, { kind: 'published' });
      next.tell(`${names[master]} puts the output in place`);
      return;
    }
    next.onDesk(master, { kind: 'told-published' });
    next.tell(`${names[master]} hears that the output is in place`);
    next.feed(master, events.numberOf({ type: 'output.published', job }));
  }

  // ---- the lease --------------------------------------------------------------------------------------------------

  /** Who has it, and who has it no longer, hears of that. */
  lease(): void {
    const { events, names } = this.#parts;
    const next = this.#next;
    const { granted, lost } = this.#moment.lease;
    for (const { master, stale } of granted) {
      next.beginAt(master);
      next.onLease({ kind: 'told-granted', master, stale });
      next.tell(`${names[master]} hears that ${stale ? 'an older campaign won' : 'it has'} the lease`);
      next.feed(master, events.numberOf({ type: 'lease.granted', request: stale ? 0 : 1 }));
    }
    for (const master of lost) {
      next.beginAt(master);
      next.onLease({ kind: 'told-lost', master });
      next.tell(`${names[master]} hears that it has lost the lease`);
      next.feed(master, events.numberOf({ type: 'lease.lost' }));
    }
  }
}

/**
 * The journal, as the file store keeps it: a process appends to its own segment, syncs, then looks whether somebody has
 * begun a segment after it, and only then acknowledges. Whoever takes over begins a segment first, then reads what the
 * one before holds, then syncs that. Trimming is taking over from oneself. Each of these is a step between which the
 * process can be stopped.
 *
 * What is promised: create-if-absent of slot n, only behind the entry in slot n-1 that the batch names; a confirmed entry
 * is readable for ever, or trimmed. An entry that is written but not synced is gone with its writer's crash. Reads show
 * only what is durable. `goBack` breaks the promise, as stores do that are restored or fail over to a lagging replica.
 */
import type { JournalAppend, JournalTrim } from '../core/effects.js';
import type { JournalEntry } from '../core/records.js';
import type { Host, Pause, Steps } from './host.js';
import type { Life, SimNode } from './nodes.js';
import { draw, drawKey, type Range, within } from './random.js';
import type { CrashPoint } from './scenario/fact-names.js';
import { type Blurring, StoreHealth } from './store-health.js';

interface Written {
  readonly entry: JournalEntry;
  readonly writer: Life;
  durable: boolean;
}

/** What one owner writes. Whatever it adds after its successor has read it belongs to no journal. */
interface Segment {
  readonly owner: Life;
  readBySuccessor: boolean;
}

/** Where the journal began, since it ended in slot `last`. */
interface Beginning {
  readonly first: number;
  readonly last: number;
}

type Answer =
  | { readonly outcome: 'appended'; readonly entry: JournalEntry }
  | { readonly outcome: 'taken'; readonly entry?: JournalEntry }
  | { readonly outcome: 'unknown'; readonly reason: string };

const stepTime = drawKey('journal step');
const blurDraw = drawKey('blurred append');
const stepUs: Range = { min: 100, max: 1_500 };
const syncUs: Range = { min: 300, max: 6_000 };
/** Reached after something was synced. */
const syncs: ReadonlySet<CrashPoint> = new Set([
  'journal.after_sync',
  'journal.after_base_sync',
  'journal.after_header_sync',
]);
/** Entries of one answer to a read. */
const pageEntries = 128;
/** How long a process waits for the answer of an append before its outcome counts as unknown. */
const appendDeadlineUs = 5_000_000;

export class JournalModel {
  readonly #host: Host;
  readonly #health: StoreHealth;
  /** Slot n at index n - 1; what is trimmed stays here, for the checkers and for copies that are restored. */
  readonly #log: Written[] = [];
  #beginnings: Beginning[] = [{ first: 1, last: 0 }];
  #segments: Segment[] = [];
  /** Nodes whose next answer is lost, and nodes whose next sync fails, with what follows then. */
  readonly #obscured = new Map<SimNode, (() => boolean)[]>();
  readonly #failing = new Map<SimNode, () => boolean>();
  /** Appends that each node has asked for, for draws. */
  readonly #asked = new Map<SimNode, number>();

  constructor(host: Host, health = new StoreHealth(host)) {
    this.#host = host;
    this.#health = health;
  }

  /** The first slot that is not trimmed. */
  get first(): number {
    return this.#beginnings.at(-1)!.first;
  }

  append(life: Life, effect: JournalAppend): void {
    const { slot } = effect;
    const asked = (this.#asked.get(life.node) ?? 0) + 1;
    this.#asked.set(life.node, asked);
    const blurring = this.#drawBlurring(life.node, asked);
    const vanishes = blurring && this.#isDrawn(life.node, asked, 1, 100 - blurring.blur.happen);
    const happens = this.#health.takes(life.node) && !vanishes;
    if (!happens) {
      blurring?.hit(); // it is heard of sooner
      const reason = 'the store did not answer';
      this.#host.laterFor(life, blurring ? syncUs.max : appendDeadlineUs, () => {
        this.#answer(life, slot, { outcome: 'unknown', reason });
      });
      return;
    }
    this.#host.play(life, this.#append(life, effect), (answer) => {
      if (!this.#isLost(life.node, blurring)) return this.#answer(life, slot, answer);
      this.#host.tell('append-obscured', life.node.name, { detail: { slot, outcome: answer.outcome } });
      this.#answer(life, slot, { outcome: 'unknown', reason: 'the answer was lost' });
    });
  }

  /** The fault that blurs this append, if one does. */
  #drawBlurring(node: SimNode, asked: number): Blurring | undefined {
    const blurring = this.#health.blurringOf(node);
    return blurring && this.#isDrawn(node, asked, 0, blurring.blur.percent) ? blurring : undefined;
  }

  /** Whether the store's answer to an append does not arrive. The faults that do it are told. */
  #isLost(node: SimNode, blurring: Blurring | undefined): boolean {
    if (blurring) {
      blurring.hit();
      return true;
    }
    const obscuring = this.#obscured.get(node) ?? [];
    this.#obscured.delete(node);
    return obscuring.filter((strikes) => strikes()).length > 0 || !this.#health.takes(node);
  }

  #answer(life: Life, slot: number, answer: Answer): void {
    switch (answer.outcome) {
      case 'appended':
        for (const observer of this.#host.audience.journalAcknowledged)
          observer.journalAcknowledged(answer.entry, life);
        return this.#host.feed(life, { type: 'journal.appended', entry: answer.entry });
      case 'taken': {
        const entry = answer.entry ? { entry: answer.entry } : {};
        return this.#host.feed(life, { type: 'journal.taken', slot, ...entry });
      }
      case 'unknown':
        return this.#host.feed(life, { type: 'journal.unknown', slot, reason: answer.reason });
    }
  }

  read(life: Life, from: number): void {
    this.#health.whenReached(life, () => {
      this.#host.laterFor(life, this.#time(life, from, 0, stepUs), () => {
        const { first } = this;
        if (from < first) return this.#host.feed(life, { type: 'journal.trimmed', from, first });
        const entries = this.durableEntries(from, pageEntries);
        const next = this.#log[from - 1 + entries.length];
        this.#host.feed(life, { type: 'journal.entries', from, entries, end: !next?.durable });
      });
    });
  }

  trim(life: Life, effect: JournalTrim): void {
    if (!this.#health.takes(life.node)) return;
    this.#host.play(life, this.#trim(life, effect), () => {});
  }

  /** The next append of this node will have an unknown outcome, unless `strikes` says no by then. */
  obscure(node: SimNode, strikes: () => boolean): void {
    this.#obscured.set(node, [...(this.#obscured.get(node) ?? []), strikes]);
  }

  /** The next sync of this node fails, unless `strikes` says no by then: what it was to make durable is not. */
  failSync(node: SimNode, strikes: () => boolean): void {
    this.#failing.set(node, strikes);
  }

  /**
   * All above slot `last` is gone, as in a copy that is older: for every process, whatever it is in the middle of.
   * Answers how many confirmed slots are lost.
   */
  goBack(last: number): number {
    const lost = this.#log.slice(last).filter(({ durable }) => durable).length;
    this.#log.length = Math.min(this.#log.length, last);
    this.#segments = [];
    this.#beginnings = this.#beginnings.filter((beginning) => beginning.last <= last);
    const history = this.#log.map(({ entry }) => entry);
    if (lost > 0)
      for (const observer of this.#host.audience.journalWentBack) observer.journalWentBack(history);
    return lost;
  }

  /** The last slot that is durable. */
  get last(): number {
    const open = this.#log.findLastIndex(({ durable }) => durable);
    return open + 1;
  }

  /** The durable entries from a slot on, trimmed or not, at most `limit`. */
  durableEntries(from: number, limit = Number.POSITIVE_INFINITY): JournalEntry[] {
    const entries: JournalEntry[] = [];
    for (let index = from - 1; index < this.#log.length && entries.length < limit; index++) {
      const written = this.#log[index]!;
      if (!written.durable) break;
      entries.push(written.entry);
    }
    return entries;
  }

  /** The life is over: what it wrote and did not sync is lost, unless a successor has read and will sync it. */
  ended(life: Life): void {
    const current = this.#segments.at(-1);
    for (
      let last = this.#log.at(-1);
      last && !last.durable && last.writer === life;
      last = this.#log.at(-1)
    ) {
      if (current?.owner !== life && this.#segmentOf(life)?.readBySuccessor) return;
      this.#log.pop();
    }
  }

  *#append(life: Life, effect: JournalAppend): Steps<Answer> {
    const { slot, nonce, after, records } = effect;
    yield this.#step(life, slot, 'master.before_append');
    for (;;) {
      if (slot < this.first) return { outcome: 'taken' };
      const there = this.#log[slot - 1];
      if (there?.durable) return { outcome: 'taken', entry: there.entry };
      if (this.#segments.at(-1)?.owner === life) break;
      if (!(yield* this.#takeOver(life, slot))) return { outcome: 'taken' };
    }
    const follows = (this.#log.at(-1)?.entry.nonce ?? '') === after;
    if (this.#log.length !== slot - 1 || !follows) return { outcome: 'taken' };
    const written: Written = { entry: { slot, nonce, after, records }, writer: life, durable: false };
    this.#log.push(written);
    for (const observer of this.#host.audience.journalWritten) observer.journalWritten(written.entry, life);
    yield this.#step(life, slot, 'journal.after_write');
    if (this.#host.plants.acknowledgeBeforeSync) {
      this.#host.laterFor(life, syncUs.max, () => this.#makeDurable(written));
    } else if (this.#syncFails(life)) {
      return { outcome: 'unknown', reason: 'the sync failed' };
    } else {
      this.#makeDurable(written);
      yield this.#step(life, slot, 'journal.after_sync');
    }
    if (this.#segments.at(-1)?.owner !== life)
      return { outcome: 'unknown', reason: 'the journal was taken over' };
    yield this.#step(life, slot, 'master.after_append_before_ack');
    if (this.#log[slot - 1] !== written) return { outcome: 'unknown', reason: 'the store has gone back' };
    return { outcome: 'appended', entry: written.entry };
  }

  *#trim(life: Life, { first, nonce }: JournalTrim): Steps<void> {
    const isThere = (): boolean => {
      const place = this.#log[first - 1];
      return place?.durable === true && place.entry.nonce === nonce && first > this.first;
    };
    yield this.#step(life, first, 'journal.before_trim');
    if (this.#segments.at(-1)?.owner !== life || !isThere()) return;
    if (!(yield* this.#takeOver(life, first)) || !isThere()) return;
    this.#beginnings.push({ first, last: this.last });
    this.#host.tell('journal-trimmed', life.node.name, { detail: { first } });
    yield this.#step(life, first, 'journal.before_remove');
  }

  /** False when somebody else was faster. */
  *#takeOver(life: Life, slot: number): Steps<boolean> {
    const before = this.#segments.at(-1);
    const segment: Segment = { owner: life, readBySuccessor: false };
    this.#segments.push(segment);
    yield this.#step(life, slot, 'journal.after_create');
    if (this.#segments.at(-1) !== segment) return false;
    if (before) before.readBySuccessor = true;
    const found = [...this.#log];
    yield this.#step(life, slot, 'journal.after_read');
    if (this.#syncFails(life)) return false;
    for (const written of found) this.#makeDurable(written);
    yield this.#step(life, slot, 'journal.after_base_sync');
    yield this.#step(life, slot, 'journal.after_header_sync');
    return this.#segments.at(-1) === segment;
  }

  #syncFails(life: Life): boolean {
    const strikes = this.#failing.get(life.node);
    this.#failing.delete(life.node);
    return strikes?.() ?? false;
  }

  #makeDurable(written: Written): void {
    if (written.durable || this.#log[written.entry.slot - 1] !== written) return;
    written.durable = true;
    for (const observer of this.#host.audience.journalDurable)
      observer.journalDurable(written.entry, written.writer);
  }

  #segmentOf(life: Life): Segment | undefined {
    return this.#segments.findLast((segment) => segment.owner === life);
  }

  #isDrawn(node: SimNode, asked: number, purpose: number, percent: number): boolean {
    return draw(this.#host.seed, blurDraw, node.key, asked, purpose) % 100 < percent;
  }

  /** Time passes, and the point is reached. */
  #step(life: Life, slot: number, point: CrashPoint): Pause {
    const range = syncs.has(point) ? syncUs : stepUs;
    return { delayUs: this.#time(life, slot, pointKey(point), range), point };
  }

  #time(life: Life, slot: number, step: number, range: Range): number {
    const us = within(range, draw(this.#host.seed, stepTime, life.node.key, life.incarnation, slot, step));
    return this.#health.slowedUs(life.node, us);
  }
}

const pointKeys = new Map<CrashPoint, number>();

function pointKey(point: CrashPoint): number {
  let key = pointKeys.get(point);
  if (key === undefined) pointKeys.set(point, (key = drawKey(point)));
  return key;
}

/**
 * The journal, as the file store keeps it: a process appends to its own segment, syncs, then looks whether somebody has
 * begun a segment after it, and only then acknowledges. Whoever takes over begins a segment first, then reads what the
 * one before holds, then syncs that. Each of these is a step between which the process can be stopped.
 *
 * What is promised: create-if-absent of slot n, only if n-1 exists; a confirmed entry is readable for ever. An entry that
 * is written but not synced is gone with its writer's crash. Reads show only what is durable.
 */
import type { JournalAppend } from '../core/effects.js';
import type { JournalEntry } from '../core/records.js';
import type { Host, Pause, Steps } from './host.js';
import type { Life, SimNode } from './nodes.js';
import { draw, drawKey, type Range, within } from './random.js';
import type { CrashPoint } from './scenario/fact-names.js';

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

type Answer =
  | { readonly outcome: 'appended'; readonly entry: JournalEntry }
  | { readonly outcome: 'taken'; readonly entry?: JournalEntry }
  | { readonly outcome: 'unknown'; readonly reason: string };

const stepTime = drawKey('journal step');
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

export class JournalModel {
  readonly #host: Host;
  /** Slot n at index n - 1. */
  readonly #log: Written[] = [];
  readonly #segments: Segment[] = [];
  /** Nodes whose next answer is lost. */
  readonly #obscured = new Set<SimNode>();

  constructor(host: Host) {
    this.#host = host;
  }

  append(life: Life, effect: JournalAppend): void {
    this.#host.play(life, this.#append(life, effect), (answer) => {
      const { slot } = effect;
      if (this.#obscured.delete(life.node)) {
        this.#host.tell('append-obscured', life.node.name, { detail: { slot, outcome: answer.outcome } });
        this.#host.feed(life, { type: 'journal.unknown', slot, reason: 'the answer was lost' });
      } else if (answer.outcome === 'appended') {
        for (const observer of this.#host.observers) observer.journalAcknowledged?.(answer.entry, life);
        this.#host.feed(life, { type: 'journal.appended', entry: answer.entry });
      } else if (answer.outcome === 'taken') {
        this.#host.feed(life, {
          type: 'journal.taken',
          slot,
          ...(answer.entry ? { entry: answer.entry } : {}),
        });
      } else {
        this.#host.feed(life, { type: 'journal.unknown', slot, reason: answer.reason });
      }
    });
  }

  read(life: Life, from: number): void {
    this.#host.laterFor(life, this.#time(life, from, 0, stepUs), () => {
      const readable = this.durableEntries(from, pageEntries);
      const last = this.#log[from - 1 + readable.length];
      this.#host.feed(life, { type: 'journal.entries', from, entries: readable, end: !last?.durable });
    });
  }

  /** The next append of this node will have an unknown outcome. */
  obscure(node: SimNode): void {
    this.#obscured.add(node);
  }

  /** The durable entries from a slot on, at most `limit`. */
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
    const { slot, nonce, records } = effect;
    yield this.#step(life, slot, 'master.before_append');
    for (;;) {
      const there = this.#log[slot - 1];
      if (there?.durable) return { outcome: 'taken', entry: there.entry };
      if (this.#segments.at(-1)?.owner === life) break;
      if (!(yield* this.#takeOver(life, slot))) return { outcome: 'taken' };
    }
    if (this.#log.length !== slot - 1) return { outcome: 'taken' };
    const written: Written = { entry: { slot, nonce, records }, writer: life, durable: false };
    this.#log.push(written);
    for (const observer of this.#host.observers) observer.journalWritten?.(written.entry, life);
    yield this.#step(life, slot, 'journal.after_write');
    if (this.#host.plants.acknowledgeBeforeSync) {
      this.#host.laterFor(life, syncUs.max, () => this.#makeDurable(written));
    } else {
      this.#makeDurable(written);
      yield this.#step(life, slot, 'journal.after_sync');
    }
    if (this.#segments.at(-1)?.owner !== life)
      return { outcome: 'unknown', reason: 'the journal was taken over' };
    yield this.#step(life, slot, 'master.after_append_before_ack');
    return { outcome: 'appended', entry: written.entry };
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
    for (const written of found) this.#makeDurable(written);
    yield this.#step(life, slot, 'journal.after_base_sync');
    yield this.#step(life, slot, 'journal.after_header_sync');
    return this.#segments.at(-1) === segment;
  }

  #makeDurable(written: Written): void {
    if (written.durable || this.#log[written.entry.slot - 1] !== written) return;
    written.durable = true;
    for (const observer of this.#host.observers) observer.journalDurable?.(written.entry, written.writer);
  }

  #segmentOf(life: Life): Segment | undefined {
    return this.#segments.findLast((segment) => segment.owner === life);
  }

  /** Time passes, and the point is reached. */
  #step(life: Life, slot: number, point: CrashPoint): Pause {
    const range = syncs.has(point) ? syncUs : stepUs;
    return { delayUs: this.#time(life, slot, pointKey(point), range), point };
  }

  #time(life: Life, slot: number, step: number, range: Range): number {
    return within(range, draw(this.#host.seed, stepTime, life.node.key, life.incarnation, slot, step));
  }
}

const pointKeys = new Map<CrashPoint, number>();

function pointKey(point: CrashPoint): number {
  let key = pointKeys.get(point);
  if (key === undefined) pointKeys.set(point, (key = drawKey(point)));
  return key;
}

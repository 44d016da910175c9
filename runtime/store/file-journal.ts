// The journal as files in one directory of one machine. The fence is the segment file: whoever takes over creates
// the next segment exclusively, and nobody else ever adds to it.
//
//  Take over: create the successor; read its base to the last whole frame; sync the base and the directory; write
//    the own header, which says where the base ends, and sync it; look for a later segment; none: owner.
//  Append as owner: write; sync; look for a successor; none: acknowledge.
//  Trim as owner: take over from oneself, with a header that says where the journal begins; then remove the segments
//    below, oldest first.
//
// Each looks after it wrote and the other reads after it created, so of an owner and its successor at least one
// sees the other. docs/adr/0003-file-journal.md has the argument; journal-log.ts says which frames count.
//
// A failed write or sync poisons the handle for ever: what a failed sync left on the disk is not known.

import { errnoOf } from '../data/disk.js';
import { encodeFrame } from './frame.js';
import {
  type Beginning,
  JournalCorruptError,
  JournalLog,
  type SegmentHeader,
  segmentName,
  type Trace,
} from './journal-log.js';
import type { AppendResult, Journal, JournalBatch, JournalEntry, JournalPage } from './ports.js';
import { openSegmentDirectory, type SegmentDirectory, type SegmentFile } from './segment-directory.js';

/** The points between two primitive steps, in order: of a takeover, then of an append, then of a trim. */
export const JOURNAL_STEPS = [
  'journal.after_create',
  'journal.after_read',
  'journal.after_base_sync',
  'journal.after_header',
  'journal.after_header_sync',
  'journal.after_takeover_check',
  'journal.after_write',
  'journal.after_sync',
  'journal.after_check',
  'journal.before_trim',
  'journal.before_remove',
  'journal.after_remove',
] as const;
export type JournalStep = (typeof JOURNAL_STEPS)[number];

export interface FileJournalOptions {
  /** Called between every two primitive steps: a place to stop or to die. */
  readonly step?: (name: JournalStep) => void | Promise<void>;
  /** How long a void successor may stay void before another takes over, in milliseconds; doubles with each time. */
  readonly patienceMs?: number;
  readonly nowMs?: () => number;
  /** The usual one takes a drawn part of what it is told, so that two do not keep step. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** An append under way: its entry and its frame are made once more if it is to follow whatever is there. */
interface Batch<Record> {
  readonly slot: number;
  readonly after: string | undefined;
  readonly framed: Framed<Record>;
  framedAfter(tail: string): Framed<Record>;
}

interface Framed<Record> {
  readonly entry: JournalEntry<Record>;
  readonly frame: Buffer;
}

/** Pauses while others are at work grow from the first to the second, each by chance between half and whole. */
const PAUSE_MS_MIN = 2;
const PAUSE_MS_MAX = 40;
const PATIENCE_MS_MAX = 10_000;

export class FileJournal<Record = unknown> implements Journal<Record> {
  readonly #directory: SegmentDirectory;
  readonly #log: JournalLog<Record>;
  readonly #step: (name: JournalStep) => void | Promise<void>;
  #patienceMs: number;
  readonly #nowMs: () => number;
  readonly #pause: (ms: number) => Promise<void>;
  /** The segment that this handle may write to: always the head of its log. */
  #owned: SegmentFile | undefined;
  /** The last entry of the own segment, so that it need not be read for the next append. */
  #tail: { readonly slot: number; readonly nonce: string } | undefined;
  #failed: string | undefined;
  #closed = false;
  /** The last operation; each waits for the one before it. */
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * Opens the journal in `path`, creating the directory if needed. Takes nothing over.
   * @throws Error when `path` is on a network file system.
   */
  static async open<Record = unknown>(
    path: string,
    options: FileJournalOptions = {},
  ): Promise<FileJournal<Record>> {
    return new FileJournal<Record>(await openSegmentDirectory(path), options);
  }

  constructor(directory: SegmentDirectory, options: FileJournalOptions = {}) {
    this.#directory = directory;
    this.#log = new JournalLog(directory);
    this.#step = options.step ?? (() => {});
    this.#patienceMs = options.patienceMs ?? 250;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#pause = options.pause ?? pauseAbout;
  }

  get failed(): string | undefined {
    return this.#failed;
  }

  /** @throws RangeError when the batch is too large for a frame; nothing is written then. */
  async append(
    slot: number,
    { nonce, after, records }: JournalBatch<Record>,
    deadlineMs: number,
  ): Promise<AppendResult<Record>> {
    if (!Number.isSafeInteger(slot) || slot < 1)
      throw new RangeError(`journal slots start at 1, not ${slot}`);
    const framedAfter = (tail: string): Framed<Record> => {
      const entry = { slot, nonce, after: tail, records };
      return { entry, frame: encodeFrame(entry) };
    };
    const batch = { slot, after, framedAfter, framed: framedAfter(after ?? '') };
    const endsAtMs = this.#nowMs() + deadlineMs;
    const running = this.#enqueue(() => this.#append(batch, endsAtMs));
    return Number.isFinite(deadlineMs) ? orUnknownAfter(deadlineMs, running) : running;
  }

  async read(from: number, limit: number): Promise<JournalPage<Record>> {
    return this.#enqueue(async () => {
      for (;;) {
        if (!(await this.#settle(Number.POSITIVE_INFINITY))) throw new Error(this.#whyNot());
        const first = this.#log.first.slot;
        try {
          const entries = await this.#log.entries(from, limit);
          return { entries, end: from >= first && from + entries.length >= this.#log.nextSlot, first };
        } catch (error) {
          if (!(await this.#isOutdated(error))) throw error;
        }
      }
    });
  }

  async trim(first: number, nonce: string): Promise<void> {
    return this.#enqueue(async () => {
      try {
        await this.#trim(first, nonce);
      } catch {
        // What stands is as good as before; a write or a sync that failed has been noted.
        await this.#disown();
      }
    });
  }

  /** Waits for the operation under way. Later ones fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue;
    await this.#disown();
    await this.#log.close();
  }

  #enqueue<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(operation);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #append(batch: Batch<Record>, endsAtMs: number): Promise<AppendResult<Record>> {
    const { slot } = batch;
    try {
      for (let round = 0; ; round++) {
        if (this.#failed !== undefined || this.#closed) return { outcome: 'unknown', reason: this.#whyNot() };
        if (this.#nowMs() > endsAtMs) return { outcome: 'unknown', reason: 'others kept the journal busy' };
        if (slot < this.#log.nextSlot) return await this.#taken(slot);
        if (this.#owned !== undefined && slot === this.#log.nextSlot) return await this.#appendOwned(batch);
        if (!(await this.#settle(endsAtMs))) continue;
        if (slot < this.#log.nextSlot) return await this.#taken(slot);
        if (slot > this.#log.nextSlot || !(await this.#follows(batch))) return { outcome: 'taken' };
        if (this.#owned === undefined && !(await this.#takeOver())) await this.#pauseFor(round);
      }
    } catch (error) {
      // The own frame may be written and not looked after: adding to this segment is over.
      await this.#disown();
      if (error instanceof JournalCorruptError) this.#failed = error.message;
      return { outcome: 'unknown', reason: describe(error) };
    }
  }

  /**
   * Whether a segment is not as it was only because the log begins elsewhere by now: it was trimmed away, and perhaps made
   * once more by a handle that had looked before there was any journal, and was stopped until now.
   */
  async #isOutdated(error: unknown): Promise<boolean> {
    const isOtherwise = errnoOf(error) === 'ENOENT' || error instanceof JournalCorruptError;
    return isOtherwise && (await this.#log.hasSuccessor(this.#log.head));
  }

  /** An entry that was confirmed. Of a log that begins elsewhere by now nothing is known, which is no damage. */
  async #entryAt(slot: number): Promise<JournalEntry<Record> | undefined> {
    try {
      const [entry] = await this.#log.entries(slot, 1);
      return entry;
    } catch (error) {
      throw (await this.#isOutdated(error)) ? new Error('another has trimmed the journal') : error;
    }
  }

  async #appendOwned(batch: Batch<Record>): Promise<AppendResult<Record>> {
    const { slot, after } = batch;
    if (!(await this.#follows(batch))) return { outcome: 'taken' };
    const { entry, frame } =
      after === undefined ? batch.framedAfter(await this.#nonceOf(slot - 1)) : batch.framed;
    const { head, end } = this.#log;
    const file = this.#owned!;
    await this.#durably('append', () => file.write(frame, end));
    await this.#step('journal.after_write');
    await this.#durably('append', () => file.datasync());
    await this.#step('journal.after_sync');
    const fenced = await this.#log.hasSuccessor(head);
    await this.#step('journal.after_check');
    if (!fenced) {
      this.#log.confirmFrame(frame.length);
      this.#tail = { slot, nonce: entry.nonce };
      return { outcome: 'ok', entry };
    }
    await this.#disown();
    if (!(await this.#log.refresh()))
      return { outcome: 'unknown', reason: 'another is taking the journal over' };
    const taken = await this.#taken(entry.slot);
    return taken.entry?.nonce === entry.nonce ? { outcome: 'ok', entry: taken.entry } : taken;
  }

  /** Whether the log ends with the entry that the batch is to follow. */
  async #follows({ slot, after }: Batch<Record>): Promise<boolean> {
    return after === undefined || after === (await this.#nonceOf(slot - 1));
  }

  async #nonceOf(slot: number): Promise<string> {
    if (slot === 0) return '';
    if (this.#tail?.slot === slot) return this.#tail.nonce;
    return (await this.#entryAt(slot))!.nonce;
  }

  async #taken(slot: number): Promise<{ outcome: 'taken'; entry?: JournalEntry<Record> }> {
    const entry = await this.#entryAt(slot);
    return entry === undefined ? { outcome: 'taken' } : { outcome: 'taken', entry };
  }

  /**
   * Brings the log up to date. A void successor usually becomes an owner in a moment; when it does not (its creator
   * died or was stopped), only another takeover can tell what the journal holds. False: not settled in time.
   */
  async #settle(endsAtMs: number): Promise<boolean> {
    const since = this.#nowMs();
    for (let round = 0; !this.#closed; round++) {
      const head = this.#log.head;
      const settled = await this.#log.refresh();
      if (!settled || this.#log.head !== head) await this.#disown();
      if (settled) return true;
      if (this.#nowMs() > endsAtMs) return false;
      if (this.#nowMs() - since >= this.#patienceMs) {
        if (this.#failed !== undefined) return false;
        // On a slow disk a creator is merely late; growing patience keeps two from overtaking each other for ever.
        this.#patienceMs = Math.min(this.#patienceMs * 2, PATIENCE_MS_MAX);
        if (await this.#takeOver()) return true;
      }
      await this.#pauseFor(round);
    }
    return false;
  }

  async #trim(first: number, nonce: string): Promise<void> {
    const before = this.#owned;
    const place = first > this.#log.first.slot ? this.#log.placeOf(first) : undefined;
    if (before === undefined || place === undefined || this.#failed !== undefined || this.#closed) return;
    if ((await this.#nonceOf(first)) !== nonce) return;
    await this.#step('journal.before_trim');
    if (await this.#log.hasSuccessor(this.#log.head)) return;
    this.#owned = undefined;
    try {
      if (!(await this.#takeOver(place))) return;
    } finally {
      await before.close();
    }
    // Every later chain goes through the own header, so what lies below is never asked for again.
    for (const number of await this.#log.numbers()) {
      if (number >= place.segment) break;
      await this.#step('journal.before_remove');
      await this.#directory.remove(segmentName(number));
      await this.#step('journal.after_remove');
    }
  }

  /**
   * True: this handle owns the journal's last segment, and its log is complete. False: another was faster. With
   * `first` the journal begins there from now on.
   */
  async #takeOver(first?: Beginning): Promise<boolean> {
    const others = await this.#log.numbers();
    const own = (others.at(-1) ?? 0) + 1;
    const file = await this.#durably('takeover', () => this.#directory.create(segmentName(own)));
    if (file === undefined) return false;
    try {
      await this.#step('journal.after_create');
      const base = await this.#traceHighest(others);
      if (base === 'trimmed') return false;
      await this.#step('journal.after_read');
      if (base !== undefined && !(await this.#makeDurable(base))) return false;
      // Before the header is written: it must not outlive a base whose name a power cut takes.
      await this.#durably('takeover', () => this.#directory.sync());
      await this.#step('journal.after_base_sync');
      const header: SegmentHeader = {
        format: 'rehearse-journal-2',
        base: base?.top ?? 0,
        baseEnd: base?.end ?? 0,
        nextSlot: base?.nextSlot ?? 1,
        first: later(base?.first ?? this.#log.first, first),
      };
      const frame = encodeFrame(header);
      await this.#durably('takeover', () => file.write(frame, 0));
      await this.#step('journal.after_header');
      await this.#durably('takeover', () => file.datasync());
      await this.#step('journal.after_header_sync');
      const overtaken = await this.#log.hasSuccessor(own);
      await this.#step('journal.after_takeover_check');
      if (overtaken) return false;
      if (base !== undefined) this.#log.confirm(base);
      this.#log.confirmSegment(own, header, frame.length);
      this.#owned = file;
      return true;
    } finally {
      if (this.#owned !== file) await file.close();
    }
  }

  /** The chain of the highest of these segments that has a header. */
  async #traceHighest(numbers: readonly number[]): Promise<Trace | 'trimmed' | undefined> {
    for (const top of numbers.toReversed()) {
      const trace = await this.#log.trace(top);
      if (trace !== undefined) return trace;
    }
    return undefined;
  }

  /**
   * Syncs what was read of the base. Its last frame is written once more, the same bytes in the same place: if its
   * owner's sync failed, the cache may hold the frame as clean although the disk never got it. False: the base has
   * been trimmed, by whoever took over after this handle.
   */
  async #makeDurable(base: Trace): Promise<boolean> {
    const file = await this.#directory.open(segmentName(base.top)).catch(whenAbsent);
    if (file === undefined) return false;
    try {
      const bytes = Buffer.alloc(base.end - base.lastOffset);
      await file.read(bytes, base.lastOffset);
      await this.#durably('takeover', () => file.write(bytes, base.lastOffset));
      await this.#durably('takeover', () => file.datasync());
      return true;
    } finally {
      await file.close();
    }
  }

  async #durably<T>(what: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      this.#failed = `journal ${what} failed: ${describe(error)}`;
      await this.#disown();
      throw new Error(this.#failed, { cause: error });
    }
  }

  async #disown(): Promise<void> {
    const file = this.#owned;
    this.#owned = undefined;
    await file?.close();
  }

  #pauseFor(round: number): Promise<void> {
    return this.#pause(Math.min(PAUSE_MS_MIN * 2 ** round, PAUSE_MS_MAX));
  }

  #whyNot(): string {
    return this.#failed ?? (this.#closed ? 'the journal is closed' : 'the journal is busy');
  }
}

async function orUnknownAfter<R>(ms: number, running: Promise<AppendResult<R>>): Promise<AppendResult<R>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<AppendResult<R>>((resolve) => {
    timer = setTimeout(() => resolve({ outcome: 'unknown', reason: `no answer within ${ms} ms` }), ms);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

function later(one: Beginning, other: Beginning | undefined): Beginning {
  return other !== undefined && other.slot > one.slot ? other : one;
}

function whenAbsent(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Half of it at least. */
function pauseAbout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random() / 2)));
}

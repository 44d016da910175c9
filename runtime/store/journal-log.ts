// Reads the chain of segments of a file journal: which frames are in the log, for ever. It never writes.
//
// A segment starts with a header {base, baseEnd, nextSlot, first}: the segment that it continues, the byte where that
// one ends, the slot of its own first frame, and where the journal begins, below which all is trimmed. A segment
// without a whole header is void. Rules (docs/adr/0003-file-journal.md says why they are enough):
//  - Frames first, successors second: frames count only if no later segment existed *after* they were read.
//  - Otherwise the newest segment decides, through its header; as long as it is void, nothing new is certain.
//  - What lies beyond the end that a header gives to its base was never in the log.
//  - Segments below the one in which the journal begins may go at any time; the newest never does.

import { errnoOf } from '../data/disk.js';
import { StoreDamagedError } from './damage.js';
import { decodeFrame, FRAME_BYTES_MAX, frameAt, hasFrameBehind } from './frame.js';
import type { JournalEntry } from './ports.js';
import type { SegmentDirectory, SegmentFile } from './segment-directory.js';

const SEGMENT_NAME = /^journal\.(\d{8,})$/;
const READ_BYTES = 256 * 1024;
/** More than the header of any segment has. */
const HEADER_BYTES_MAX = 512;

export interface SegmentHeader {
  readonly format: 'rehearse-journal-2';
  /** 0: this segment begins the journal. */
  readonly base: number;
  readonly baseEnd: number;
  readonly nextSlot: number;
  readonly first: Beginning;
}

/** The frame with which the journal begins. Segment 0: nothing was ever trimmed. */
export interface Beginning {
  readonly slot: number;
  readonly segment: number;
  readonly offset: number;
}

const untrimmed: Beginning = { slot: 1, segment: 0, offset: 0 };

/** The journal's bytes contradict each other: not a crash's doing, but lost or changed bytes. */
export class JournalCorruptError extends StoreDamagedError {
  override readonly name = 'JournalCorruptError';
}

/** One segment's part of the log, as far as it is confirmed. */
interface Segment {
  readonly number: number;
  readonly firstSlot: number;
  /** Where the frame of slot `firstSlot + i` starts. */
  readonly offsets: number[];
  /** Where the last confirmed frame ends. */
  end: number;
}

/** Frames read but not yet confirmed: `segment` continues, or starts, with `offsets` and then ends at `end`. */
interface Piece {
  readonly segment: Segment;
  readonly offsets: readonly number[];
  readonly end: number;
}

/** A chain read down to the confirmed part of the log, waiting for the check that confirms it. */
export interface Trace {
  readonly pieces: readonly Piece[];
  /** The segment on top, where its last whole frame starts and ends, and the slot that follows; 0 if none. */
  readonly top: number;
  readonly lastOffset: number;
  readonly end: number;
  readonly nextSlot: number;
  readonly first: Beginning;
  /** The pieces continue nothing that was confirmed: all of that is trimmed. */
  readonly anew: boolean;
}

interface Link {
  readonly segment: Segment;
  readonly header?: SegmentHeader;
}

export function segmentName(number: number): string {
  return `journal.${String(number).padStart(8, '0')}`;
}

export class JournalLog<Record> {
  readonly #directory: SegmentDirectory;
  #segments: Segment[] = [];
  #first = untrimmed;
  #opened: { readonly number: number; readonly file: SegmentFile } | undefined;

  constructor(directory: SegmentDirectory) {
    this.#directory = directory;
  }

  /** Where the confirmed log begins. */
  get first(): Beginning {
    return this.#first;
  }

  /** The segment that the confirmed log ends in; 0 when there is none. */
  get head(): number {
    return this.#segments.at(-1)?.number ?? 0;
  }

  /** Where the confirmed log ends in `head`. */
  get end(): number {
    return this.#segments.at(-1)?.end ?? 0;
  }

  /** The first slot that is not confirmed. */
  get nextSlot(): number {
    const segment = this.#segments.at(-1);
    return segment === undefined ? 1 : segment.firstSlot + segment.offsets.length;
  }

  /** Confirms what is new. False: the newest segment is void, and what came last stays uncertain. */
  async refresh(): Promise<boolean> {
    for (let top = this.head; ; top = (await this.numbers()).at(-1) ?? 0) {
      const trace = top === 0 ? undefined : await this.trace(top);
      if (trace === undefined && top !== 0) return false;
      if (await this.hasSuccessor(top)) continue;
      if (trace === 'trimmed')
        throw new JournalCorruptError(`a segment below ${segmentName(top)} is missing`);
      if (trace !== undefined) this.confirm(trace);
      return true;
    }
  }

  /** The numbers of all segments, ascending. A power cut may leave gaps among void ones. */
  async numbers(): Promise<number[]> {
    const names = await this.#directory.list();
    return names
      .flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /**
   * Whether a later segment than `segment` exists. Looking for the very next number would not do: after a long sleep
   * of the caller it may be trimmed already, but the newest is always there.
   */
  async hasSuccessor(segment: number): Promise<boolean> {
    return ((await this.numbers()).at(-1) ?? 0) > segment;
  }

  /**
   * Reads everything not yet confirmed, from the chain that ends in segment `top`. Undefined if `top` is void;
   * `trimmed` if a segment of it is gone: then a later one than `top` must exist, whose chain begins above.
   */
  async trace(top: number): Promise<Trace | 'trimmed' | undefined> {
    try {
      const chain = await this.#chainDownFrom(top);
      return chain && (await this.#traceOf(top, chain));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 'trimmed';
      throw error;
    }
  }

  async #traceOf(top: number, chain: readonly Link[]): Promise<Trace> {
    const pieces: Piece[] = [];
    for (const [index, { segment }] of chain.entries()) {
      const successor = chain[index + 1];
      const piece = { segment, ...(await this.#scan(segment, successor?.header?.baseEnd)) };
      const nextSlot = segment.firstSlot + segment.offsets.length + piece.offsets.length;
      if (successor !== undefined && successor.segment.firstSlot !== nextSlot) {
        throw new JournalCorruptError(
          `${segmentName(successor.segment.number)} starts at slot ${successor.segment.firstSlot}, but ` +
            `${segmentName(segment.number)} ends before slot ${nextSlot}`,
        );
      }
      pieces.push(piece);
    }
    const { segment, offsets, end } = pieces.at(-1)!;
    const lastOffset = offsets.at(-1) ?? segment.offsets.at(-1) ?? 0;
    return {
      pieces,
      top,
      lastOffset,
      end,
      nextSlot: segment.firstSlot + segment.offsets.length + offsets.length,
      first: chain.at(-1)!.header?.first ?? this.#first,
      anew: chain[0]!.segment !== this.#segments.at(-1),
    };
  }

  /** Takes a trace into the log. The caller has checked, after reading it, that nothing else can follow. */
  confirm(trace: Trace): void {
    if (trace.anew) this.#segments = [];
    for (const { segment, offsets, end } of trace.pieces) {
      if (segment !== this.#segments.at(-1)) this.#segments.push(segment);
      for (const offset of offsets) segment.offsets.push(offset);
      segment.end = end;
    }
    this.#beginAt(trace.first);
  }

  #beginAt(first: Beginning): void {
    this.#first = first;
    this.#segments = this.#segments.filter(({ number }) => number >= first.segment);
  }

  /** Takes the caller's own new segment into the log, after the trace that it continues. */
  confirmSegment(number: number, { nextSlot, first }: SegmentHeader, end: number): void {
    this.#segments.push({ number, firstSlot: nextSlot, offsets: [], end });
    this.#beginAt(first);
  }

  /** Where the frame of a confirmed slot lies. */
  placeOf(slot: number): Beginning | undefined {
    const segment = this.#segments.findLast(({ firstSlot }) => firstSlot <= slot);
    const offset = segment?.offsets[slot - segment.firstSlot];
    return offset === undefined ? undefined : { slot, segment: segment!.number, offset };
  }

  /** Takes the caller's own frame, which starts at `end` of its segment `head`, into the log. */
  confirmFrame(bytes: number): void {
    const segment = this.#segments.at(-1)!;
    segment.offsets.push(segment.end);
    segment.end += bytes;
  }

  /**
   * Up to `limit` confirmed entries from slot `from` on; none if that is trimmed.
   * @throws an error with code ENOENT when they have been trimmed meanwhile.
   */
  async entries(from: number, limit: number): Promise<JournalEntry<Record>[]> {
    const found: JournalEntry<Record>[] = [];
    if (from < this.#first.slot) return found;
    const beyond = Math.min(from + limit, this.nextSlot);
    for (const segment of this.#segments) {
      const first = Math.max(from - segment.firstSlot, 0);
      const last = Math.min(beyond - segment.firstSlot, segment.offsets.length) - 1;
      for (let index = first; index <= last; index++) {
        const start = segment.offsets[index]!;
        const end = segment.offsets[index + 1] ?? segment.end;
        found.push(await this.#entryAt(segment, segment.firstSlot + index, start, end));
      }
    }
    return found;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.file.close();
  }

  async #entryAt(segment: Segment, slot: number, start: number, end: number): Promise<JournalEntry<Record>> {
    const buffer = await readAt(await this.#open(segment.number), start, end - start);
    if (frameAt(buffer, 0).kind !== 'frame') throw this.#corrupt(segment.number, start);
    const entry = decodeFrame(buffer) as JournalEntry<Record>;
    if (entry.slot !== slot) throw this.#corrupt(segment.number, start);
    return entry;
  }

  /** From the confirmed head, or from where the journal begins, up to `top`. Undefined if `top` is void. */
  async #chainDownFrom(top: number): Promise<Link[] | undefined> {
    const chain: Link[] = [];
    let first: Beginning | undefined;
    let number = top;
    while (number > this.head) {
      const found = await this.#header(number);
      if (found === undefined) {
        if (number === top) return undefined;
        throw this.#corrupt(number, 0);
      }
      const { header, end } = found;
      first ??= header.first;
      if (number === first.segment) {
        // The confirmed part, if there is any, is trimmed: what the journal begins with lies in the middle of this one.
        const segment = { number, firstSlot: first.slot, offsets: [], end: first.offset };
        return [{ segment, header }, ...chain];
      }
      chain.unshift({ segment: { number, firstSlot: header.nextSlot, offsets: [], end }, header });
      number = header.base;
    }
    if (number !== this.head)
      throw new JournalCorruptError(`${segmentName(top)} forgets ${segmentName(this.head)}`);
    const head = this.#segments.at(-1);
    if (head !== undefined) chain.unshift({ segment: head });
    return chain;
  }

  async #header(number: number): Promise<{ header: SegmentHeader; end: number } | undefined> {
    const file = await this.#open(number);
    const buffer = await readAt(file, 0, HEADER_BYTES_MAX);
    const at = frameAt(buffer, 0);
    if (at.kind !== 'frame') {
      if (await isDamaged(file, 0, HEADER_BYTES_MAX)) throw this.#corrupt(number, 0);
      return undefined;
    }
    const header = decodeFrame(buffer.subarray(0, at.bytes)) as SegmentHeader;
    if (header.format !== 'rehearse-journal-2') {
      throw new JournalCorruptError(`${segmentName(number)} is in a format that this version does not know`);
    }
    return { header, end: at.bytes };
  }

  /** Whole frames from `segment.end` on: up to the first that is none, or exactly up to `until`. */
  async #scan(
    segment: Segment,
    until = Number.POSITIVE_INFINITY,
  ): Promise<{ offsets: number[]; end: number }> {
    const file = await this.#open(segment.number);
    const offsets: number[] = [];
    let end = segment.end;
    let wanted = READ_BYTES;
    while (end < until) {
      const buffer = await readAt(file, end, wanted);
      const { bytes, stop } = framesIn(buffer, until - end, (start) => offsets.push(end + start));
      end += bytes;
      if (end >= until) break;
      const rest = buffer.length - bytes;
      const needed = stop.kind === 'short' ? stop.needBytes : 0;
      if (buffer.length === wanted && needed > rest) {
        wanted = Math.max(READ_BYTES, needed);
        continue;
      }
      if (rest > 0 && (await isDamaged(file, end, FRAME_BYTES_MAX))) throw this.#corrupt(segment.number, end);
      break;
    }
    if (until !== Number.POSITIVE_INFINITY && end !== until) throw this.#corrupt(segment.number, end);
    return { offsets, end };
  }

  async #open(number: number): Promise<SegmentFile> {
    if (this.#opened?.number !== number) {
      await this.close();
      this.#opened = { number, file: await this.#directory.open(segmentName(number)) };
    }
    return this.#opened.file;
  }

  #corrupt(number: number, offset: number): JournalCorruptError {
    return new JournalCorruptError(
      `${segmentName(number)} is damaged at byte ${offset}: a frame that was confirmed is not readable any more`,
    );
  }
}

/** Walks whole frames at the start of `buffer`, not beyond `limit` bytes; tells where and why it stopped. */
function framesIn(buffer: Buffer, limit: number, found: (start: number) => void) {
  let bytes = 0;
  for (;;) {
    const at = frameAt(buffer, bytes);
    if (at.kind !== 'frame' || bytes + at.bytes > limit) return { bytes, stop: at };
    found(bytes);
    bytes += at.bytes;
  }
}

/**
 * Whether what is no whole frame was one once. A frame is begun only after the one before it was written and synced, so
 * bytes that were confirmed have changed where a whole frame lies behind, or more bytes than one frame can have left that
 * was torn. Looks at the frame once more after that, since the first look may have overtaken the writer.
 */
async function isDamaged(file: SegmentFile, position: number, bytesMax: number): Promise<boolean> {
  const tail = await readTail(file, position, bytesMax + 1);
  if (tail.length <= bytesMax && !hasFrameBehind(tail)) return false;
  return frameAt(await readTail(file, position, bytesMax), 0).kind !== 'frame';
}

/** Most tails are short: no large buffer is made for them. */
async function readTail(file: SegmentFile, position: number, bytes: number): Promise<Buffer> {
  const near = await readAt(file, position, Math.min(bytes, READ_BYTES));
  return near.length < READ_BYTES ? near : await readAt(file, position, bytes);
}

async function readAt(file: SegmentFile, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(bytes, FRAME_BYTES_MAX + 1));
  return buffer.subarray(0, await file.read(buffer, position));
}

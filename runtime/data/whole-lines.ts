/**
 * Hands on the lines of a range as bytes, many at a time and where they were read to: the counterpart of the lines that
 * `map` gets (lines.ts), with the same rules for which line belongs to which range.
 */
import { NotForKernelError } from '../../kernel/kernel.js';
import { CHUNK_BYTES_DEFAULT } from './input-file.js';
import { startsWithMark } from './lines.js';
import type { Splitter } from './read-range.js';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const MARK_BYTES = 3;

/** Takes the bytes [from, to) of the buffer: whole lines, each with its line feed. The buffer begins at `base` of the file. */
export type TakeLines = (from: number, to: number, base: number) => void;

/** The text of the line that begins at `from`, without its end, and where the next one begins. */
export function lineAt(input: Buffer, from: number): { readonly text: string; readonly next: number } {
  const lineFeed = input.indexOf(LINE_FEED, from);
  const to = lineFeed > from && input[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
  return { text: input.toString('utf8', from, to), next: lineFeed + 1 };
}

export class WholeLines implements Splitter<void> {
  position: number;
  done: boolean;

  readonly #end: number;
  readonly #buffer: Buffer;
  readonly #take: TakeLines;
  /** Bytes in the buffer: those of the line that is not finished yet. */
  #held = 0;
  /** Still inside a line that started before the range. */
  #skipping: boolean;

  /** `buffer` has room for a chunk, and for the longest line that is not left to who takes one line after the other. */
  constructor(range: { readonly start: number; readonly end: number }, buffer: Uint8Array, take: TakeLines) {
    this.#end = range.end;
    this.#buffer = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length);
    this.#take = take;
    // One byte early: if that byte ends a line, a line starts exactly at the range.
    this.#skipping = range.start > 0;
    this.position = this.#skipping ? range.start - 1 : 0;
    this.done = range.start >= range.end;
  }

  /** Where the line begins that is not finished yet. */
  get lineStart(): number {
    return this.position - this.#held;
  }

  space(): Uint8Array {
    const end = this.#held + CHUNK_BYTES_DEFAULT;
    // One byte more, for the line feed that the last line may lack.
    if (end >= this.#buffer.length) throw new NotForKernelError('a line is very long');
    return this.#buffer.subarray(this.#held, end);
  }

  take(length: number): void {
    this.position += length;
    this.#held += length;
    if (this.#skipping) {
      const first = this.#lineEnd(0);
      this.#skipping = first === 0;
      this.#drop(this.#skipping ? this.#held : first);
      if (this.position - this.#held >= this.#end) this.done = true;
      if (this.done || this.#skipping) return;
    }
    const base = this.position - this.#held;
    const start = base === 0 && startsWithMark(this.#buffer, this.#held) ? MARK_BYTES : 0;
    const isLast = this.position >= this.#end;
    const last = isLast
      ? this.#lineEnd(this.#end - 1 - base)
      : this.#buffer.subarray(0, this.#held).lastIndexOf(LINE_FEED) + 1;
    this.done = isLast && last > 0;
    if (last === 0) return;
    this.#take(start, last, base);
    this.#drop(last);
  }

  /** The last line, if the file ends without an end of line. */
  finish(): void {
    const held = this.done || this.#skipping ? 0 : this.#held;
    this.done = true;
    const isFirst = this.position === this.#held;
    const start = isFirst && startsWithMark(this.#buffer, held) ? MARK_BYTES : 0;
    if (held <= start) return;
    this.#buffer[held] = LINE_FEED;
    this.#take(start, held + 1, this.position - held);
  }

  /** Where the line after the first line feed from `from` on begins; 0 without one. */
  #lineEnd(from: number): number {
    const at = this.#buffer.subarray(from, this.#held).indexOf(LINE_FEED);
    return at < 0 ? 0 : from + at + 1;
  }

  /** Forgets the first bytes of the buffer. */
  #drop(bytes: number): void {
    this.#buffer.copyWithin(0, bytes, this.#held);
    this.#held -= bytes;
  }
}

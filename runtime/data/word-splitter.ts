/**
 * Feeds the words of a range to the kernel, straight from where the file is read to: the counterpart of the lines that
 * `map` gets (lines.ts), with the same rules for which line belongs to which range.
 *
 * What is handed to the kernel ends where a word has ended, and is well-formed UTF-8: a chunk that is not is decoded and
 * encoded again, so that invalid bytes become U+FFFD as they do in lines.
 */
import { isUtf8 } from 'node:buffer';
import { BUFFER_BYTES, type Kernel, NotForKernelError, type WordKind } from '../../kernel/kernel.js';
import { CHUNK_BYTES_DEFAULT } from './input-file.js';
import { LINE_BYTES_MAX_DEFAULT, lineTooLong, startsWithMark } from './lines.js';
import type { Splitter } from './read-range.js';

const LINE_FEED = 10;
const MARK_BYTES = 3;
/** Decoding and encoding again makes at most three bytes of one. */
const BROKEN_BYTES_MAX = Math.floor(BUFFER_BYTES / 3);

/** What a split was made of. */
export interface WordTotals {
  lines: number;
  words: number;
}

export class WordSplitter implements Splitter<void> {
  position: number;
  done: boolean;

  readonly #kernel: Kernel;
  readonly #kind: WordKind;
  readonly #totals: WordTotals;
  readonly #onFull: () => void;
  readonly #name: string;
  readonly #end: number;
  /** Bytes in the input buffer: those of the word that is not finished yet. */
  #held = 0;
  /** Still inside a line that started before the range. */
  #skipping: boolean;
  /** Where the line begins that is not finished yet. */
  #lineStart: number;
  #onlyMark = false;

  constructor(
    name: string,
    range: { readonly start: number; readonly end: number },
    how: { kernel: Kernel; kind: WordKind; totals: WordTotals; onFull: () => void },
  ) {
    this.#name = name;
    this.#end = range.end;
    this.#kernel = how.kernel;
    this.#kind = how.kind;
    this.#totals = how.totals;
    this.#onFull = how.onFull;
    // One byte early: if that byte ends a line, a line starts exactly at the range.
    this.#skipping = range.start > 0;
    this.position = this.#skipping ? range.start - 1 : 0;
    this.#lineStart = range.start;
    this.done = range.start >= range.end;
  }

  space(): Uint8Array {
    if (this.#held + CHUNK_BYTES_DEFAULT > BUFFER_BYTES) throw new NotForKernelError('a word is very long');
    return this.#kernel.input.subarray(this.#held, this.#held + CHUNK_BYTES_DEFAULT);
  }

  take(length: number): void {
    const { input } = this.#kernel;
    const filled = this.#held + length;
    this.position += length;
    const base = this.position - filled;
    let start = 0;
    if (this.#skipping) {
      start = lineEnd(input, 0, filled);
      if (start === 0) {
        this.done = this.position >= this.#end;
        return;
      }
      this.#skipping = false;
      this.#lineStart = base + start;
      if (this.#lineStart >= this.#end) {
        this.done = true;
        return;
      }
    }
    const end = this.position < this.#end ? 0 : lineEnd(input, Math.max(start, this.#end - 1 - base), filled);
    this.done = end > 0;
    const to = this.done ? end : this.#wordEnd(start, filled);
    this.#noteLines(start, to, base);
    this.#held = this.done ? 0 : filled - to;
    const rest = input.slice(to, to + this.#held);
    this.#count(start, to);
    input.set(rest);
    if (!this.done && this.position - this.#lineStart > LINE_BYTES_MAX_DEFAULT) {
      throw lineTooLong(this.#name, this.#lineStart);
    }
  }

  finish(): void {
    if (this.done) return;
    this.done = true;
    if (this.#skipping) return;
    this.#count(0, this.#held);
    const isOpen = this.position > this.#lineStart;
    if (isOpen && !(this.#onlyMark && this.position === MARK_BYTES)) this.#totals.lines++;
  }

  /** The last place in [from, to] where a word has surely ended. */
  #wordEnd(from: number, to: number): number {
    const { input } = this.#kernel;
    let at = to;
    while (at > from && !isBetweenWords(this.#kind, input[at - 1]!)) at--;
    return at;
  }

  #noteLines(from: number, to: number, base: number): void {
    const { input } = this.#kernel;
    this.#totals.lines += this.#kernel.countLineFeeds(from, to);
    const last = to === 0 ? -1 : input.lastIndexOf(LINE_FEED, to - 1);
    if (last >= from) this.#lineStart = base + last + 1;
    if (base === 0) this.#onlyMark = startsWithMark(input, this.position);
  }

  #count(from: number, to: number): void {
    const { input } = this.#kernel;
    if (isUtf8(input.subarray(from, to))) {
      this.#countWellFormed(from, to);
      return;
    }
    const broken = Buffer.from(input.subarray(from, to));
    for (let at = 0; at < broken.length; ) {
      let end = Math.min(at + BROKEN_BYTES_MAX, broken.length);
      if (end < broken.length) while (end > at && !isBetweenWords(this.#kind, broken[end - 1]!)) end--;
      if (end === at) throw new NotForKernelError('a word is very long');
      const mended = Buffer.from(broken.toString('utf8', at, end));
      input.set(mended);
      this.#countWellFormed(0, mended.length);
      at = end;
    }
  }

  #countWellFormed(from: number, to: number): void {
    for (let at = from; at < to; ) {
      const { next, count } = this.#kernel.countWords(this.#kind, at, to);
      this.#totals.words += count;
      at = next;
      if (this.#kernel.full) this.#onFull();
    }
  }
}

/** Where the line after the first line feed in [from, to) begins; 0 without one. */
function lineEnd(bytes: Uint8Array, from: number, to: number): number {
  const at = bytes.subarray(from, to).indexOf(LINE_FEED);
  return at < 0 ? 0 : from + at + 1;
}

/** Whether the byte is an ASCII character that is no part of a word. */
function isBetweenWords(kind: WordKind, byte: number): boolean {
  if (kind === 'whitespace') return byte === 0x20 || (byte >= 9 && byte <= 13);
  const lower = byte | 0x20;
  return byte < 0x80 && (lower < 0x61 || lower > 0x7a);
}

/**
 * Reads the lines of one range of one input file, in bounded memory and without ever holding a whole file.
 *
 * Rules: a line belongs to the range in which its first byte lies, so ranges that cover a file yield each of its
 * lines exactly once; LF or CRLF ends a line, and the last one may lack its end; a byte-order mark at the start of a
 * file is dropped; invalid UTF-8 becomes U+FFFD. A file that is not, or does not stay, the one that was planned is
 * an InputChangedError, since another split may already have read the other version.
 *
 * Lines come in batches, one per chunk of the file, because a promise per line would cost more than the line.
 */
import { isAscii } from 'node:buffer';
import { InputDataError } from './errors.js';
import { CHUNK_BYTES_DEFAULT, type InputFile } from './input-file.js';
import { readCompressed, readRange, type Splitter, WHOLE } from './read-range.js';

/** One line without its end. `offset` is where it starts: in bytes of the file, decompressed if it is compressed. */
export interface Line {
  readonly text: string;
  readonly offset: number;
}

/** The lines of one chunk of a file; there may be none. */
export interface LineBatch {
  readonly lines: readonly Line[];
  /** How much of the range was read so far, in bytes of the file as it lies on the disk. */
  readonly bytesDone: number;
}

export interface ReadOptions {
  /** How much is read at a time; 256 KiB unless given. */
  readonly chunkBytes?: number;
  /** A longer line, or row of CSV, is an InputDataError; 256 MiB unless given. */
  readonly lineBytesMax?: number;
}

export const LINE_BYTES_MAX_DEFAULT = 256 * 1024 * 1024;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** The lines of an uncompressed file that start at or after byte `start` and before byte `end`. */
export function* readLines(
  file: InputFile,
  range: { readonly start: number; readonly end: number },
  options: ReadOptions = {},
): Generator<LineBatch> {
  // Many files are smaller than a chunk, and need no buffer of that size.
  const chunkBytes = Math.min(options.chunkBytes ?? CHUNK_BYTES_DEFAULT, file.sizeBytes - range.start + 1);
  const splitter = new LineSplitter(file.name, range, { ...options, chunkBytes });
  for (const { taken, bytesDone } of readRange(file, range, splitter)) yield { lines: taken, bytesDone };
}

/** The lines of a compressed file. It has one range only, since it cannot be entered half way. */
export async function* readCompressedLines(
  file: InputFile,
  options: ReadOptions = {},
): AsyncGenerator<LineBatch> {
  const splitter = new LineSplitter(file.name, WHOLE, options);
  for await (const { taken, bytesDone } of readCompressed(file, splitter, options))
    yield { lines: taken, bytesDone };
}

/**
 * Cuts a stream of bytes into lines. Holds one reused buffer whose front is the unfinished line, and grows only for
 * a line that does not fit.
 */
class LineSplitter implements Splitter<Line[]> {
  position: number;
  done = false;

  readonly #name: string;
  readonly #end: number;
  readonly #lineBytesMax: number;
  readonly #chunkBytes: number;
  #buffer: Buffer;
  /** Bytes in the buffer, all of the line that is not finished yet. */
  #held = 0;
  /** Still inside a line that started before the range. */
  #skipping: boolean;

  constructor(name: string, range: { readonly start: number; readonly end: number }, options: ReadOptions) {
    this.#name = name;
    this.#end = range.end;
    this.#lineBytesMax = options.lineBytesMax ?? LINE_BYTES_MAX_DEFAULT;
    // One byte early: if that byte ends a line, a line starts exactly at the range.
    this.#skipping = range.start > 0;
    this.position = this.#skipping ? range.start - 1 : 0;
    this.done = range.start >= range.end;
    this.#chunkBytes = Math.max(1, options.chunkBytes ?? CHUNK_BYTES_DEFAULT);
    this.#buffer = Buffer.allocUnsafe(this.#chunkBytes);
  }

  space(): Buffer {
    if (this.#held === this.#buffer.length) {
      const larger = Buffer.allocUnsafe(this.#buffer.length * 2);
      this.#buffer.copy(larger, 0, 0, this.#held);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#held, this.#held + this.#chunkBytes);
  }

  take(length: number): Line[] {
    const scanFrom = this.#held;
    const filled = scanFrom + length;
    this.position += length;
    const base = this.position - filled;
    const bytes = this.#buffer.subarray(0, filled);
    const lines: Line[] = [];
    let lineStart = 0;
    let lineFeed = bytes.indexOf(LINE_FEED, scanFrom);
    if (this.#skipping) {
      if (lineFeed < 0) {
        this.done = this.position >= this.#end;
        return lines;
      }
      this.#skipping = false;
      lineStart = lineFeed + 1;
      lineFeed = bytes.indexOf(LINE_FEED, lineStart);
    }
    const encoding = isAscii(bytes) ? 'latin1' : 'utf8';
    while (lineFeed >= 0 && base + lineStart < this.#end) {
      lines.push(this.#line(bytes, lineStart, lineFeed, base, encoding));
      lineStart = lineFeed + 1;
      lineFeed = bytes.indexOf(LINE_FEED, lineStart);
    }
    this.done = base + lineStart >= this.#end;
    this.#held = filled - lineStart;
    if (lineStart > 0) this.#buffer.copyWithin(0, lineStart, filled);
    if (!this.done && this.#held > this.#lineBytesMax) {
      throw lineTooLong(this.#name, base + lineStart, this.#lineBytesMax);
    }
    return lines;
  }

  /** The last line, if the file ends without an end of line. */
  finish(): Line[] {
    const held = this.done || this.#skipping ? 0 : this.#held;
    this.done = true;
    const base = this.position - this.#held;
    const onlyMark = base === 0 && held === 3 && startsWithMark(this.#buffer);
    if (held === 0 || onlyMark) return [];
    const text = this.#buffer.toString(
      'utf8',
      base === 0 && startsWithMark(this.#buffer, held) ? 3 : 0,
      held,
    );
    return [{ text, offset: base }];
  }

  #line(bytes: Buffer, start: number, lineFeed: number, base: number, encoding: 'latin1' | 'utf8'): Line {
    const from = base + start === 0 && startsWithMark(bytes, lineFeed) ? 3 : start;
    const to = lineFeed > from && bytes[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
    return { text: textOf(bytes, encoding, from, to), offset: base + start };
  }
}

/** What `toString` calls in the end; per line, the way there costs as much as the decoding. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

function textOf(bytes: Buffer, encoding: 'latin1' | 'utf8', start: number, end: number): string {
  const slices = bytes as unknown as Slices;
  return encoding === 'latin1' ? slices.latin1Slice(start, end) : slices.utf8Slice(start, end);
}

export function lineTooLong(
  name: string,
  offset: number,
  lineBytesMax = LINE_BYTES_MAX_DEFAULT,
): InputDataError {
  return new InputDataError(
    name,
    offset,
    `a line is longer than ${lineBytesMax} bytes; is this a text file?`,
  );
}

/** Whether the first `length` bytes begin with the UTF-8 byte-order mark. */
export function startsWithMark(bytes: Uint8Array, length = 3): boolean {
  return length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

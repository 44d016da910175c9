/**
 * The records of jobs that need only some fields of theirs: the kernel finds the fields in whole chunks of lines, and
 * only they become values. A line that the kernel finds odd is parsed when its turn comes, as all lines are otherwise.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { NotForKernelError } from '../../kernel/kernel.js';
import {
  areFewFields,
  BEGIN,
  END,
  IS_NUMBER,
  IS_TEXT,
  KIND,
  LINE_WORDS,
  MISSING,
  NUMBER_WORD,
  type RowKernel,
  SPAN_WORDS,
} from '../../kernel/row-kernel.js';
import type { InputFile } from './input-file.js';
import { type DataRecord, jsonRecords, type RecordBatch } from './json-records.js';
import { kernelOfRows } from './kernels.js';
import { type Line, readLines } from './lines.js';
import type { SplitRange } from './plan.js';
import { readRange } from './read-range.js';
import { lineAt, WholeLines } from './whole-lines.js';

const QUOTE = 0x22;
const MINUS = 0x2d;

/** Whether the kernel may read the split. */
export function isForFields(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  fields: readonly string[],
): boolean {
  // An object literal would take it for the prototype.
  const mayBe = !fields.includes('__proto__') && areFewFields(fields) && kernelOfRows() !== undefined;
  return mayBe && ranges.every(({ file }) => files[file]!.compression === 'none');
}

/** The counterpart of `readRecords`, with the same records. */
export async function* readFields(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  fields: readonly string[],
): AsyncGenerator<RecordBatch> {
  const kernel = kernelOfRows()!;
  let rangesDone = 0;
  for (const range of ranges) {
    const file = files[range.file]!;
    kernel.openFields(fields);
    const scanner = new FieldScanner(kernel, fields);
    const lines = new WholeLines(range, kernel.input, (from, to, base) => scanner.take(from, to, base));
    try {
      for (const { bytesDone } of readRange(file, range, lines)) {
        yield { file, records: recordsOf(file, scanner.taken(), fields), bytesDone: rangesDone + bytesDone };
      }
    } catch (error) {
      if (!(error instanceof NotForKernelError)) throw error;
      const rest = { start: Math.max(range.start, lines.lineStart), end: range.end };
      for (const { lines: batch, bytesDone } of readLines(file, rest)) {
        const records = jsonRecords(file, batch, fields);
        yield { file, records, bytesDone: rangesDone + rest.start - range.start + bytesDone };
      }
    }
    rangesDone += range.end - range.start;
  }
}

/** A record, or a line that is parsed when it is asked for. */
type Found = DataRecord | Line;

function* recordsOf(
  file: InputFile,
  found: readonly Found[],
  fields: readonly string[],
): Generator<DataRecord> {
  for (const one of found) {
    if ('text' in one) yield* jsonRecords(file, [one], fields);
    else yield one;
  }
}

/** What `toString` calls in the end; per value, the way there costs as much as the decoding. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

class FieldScanner {
  readonly #kernel: RowKernel;
  readonly #fields: readonly string[];
  readonly #input: Buffer;
  #found: Found[] = [];
  #isAscii = false;
  #base = 0;
  /** Where the first line begins behind a byte-order mark, which belongs to it. */
  #marked = 0;

  constructor(kernel: RowKernel, fields: readonly string[]) {
    this.#kernel = kernel;
    this.#fields = fields;
    this.#input = Buffer.from(kernel.input.buffer, kernel.input.byteOffset, kernel.input.length);
  }

  /** What was found since it was asked for last. */
  taken(): readonly Found[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** Takes the lines of [from, to) of the input, which begins at `base` of the file. */
  take(from: number, to: number, base: number): void {
    this.#base = base;
    this.#marked = base === 0 ? from : 0;
    const bytes = this.#input.subarray(from, to);
    this.#isAscii = isAscii(bytes);
    const isText = this.#isAscii || isUtf8(bytes);
    for (let at = from; at < to; ) {
      const { next, lines, isOdd } = isText
        ? this.#kernel.scanFields(at, to)
        : { next: at, lines: 0, isOdd: true };
      let begin = at;
      for (let line = 0; line < lines; line++) begin = this.#takeLine(line, begin);
      at = isOdd ? this.#takeOdd(next) : next;
    }
  }

  /** Makes a record of a line that was scanned. Returns where the next line begins. */
  #takeLine(line: number, begin: number): number {
    const { spans } = this.#kernel;
    const fields = this.#fields;
    const record: Record<string, unknown> = {};
    let at = line * (LINE_WORDS + fields.length * SPAN_WORDS);
    const next = spans[at]!;
    at += LINE_WORDS;
    for (let index = 0; index < fields.length; index++, at += SPAN_WORDS) {
      if (spans[at + KIND] !== MISSING) record[fields[index]!] = this.#value(at);
    }
    this.#found.push({ record, offset: this.#offsetOf(begin) });
    return next;
  }

  #value(at: number): unknown {
    const { spans, numbers } = this.#kernel;
    const input = this.#input;
    const kind = spans[at + KIND]!;
    const begin = spans[at + BEGIN]!;
    const end = spans[at + END]!;
    if ((kind & IS_NUMBER) !== 0) {
      const number = numbers[(at + NUMBER_WORD) / 2]!;
      return number === 0 && input[begin] === MINUS ? -0 : number;
    }
    const isString = input[begin - 1] === QUOTE;
    if (kind === IS_TEXT && isString) {
      const slices = input as unknown as Slices;
      return this.#isAscii ? slices.latin1Slice(begin, end) : slices.utf8Slice(begin, end);
    }
    return JSON.parse(
      isString ? input.toString('utf8', begin - 1, end + 1) : input.toString('utf8', begin, end),
    );
  }

  #takeOdd(from: number): number {
    const { text, next } = lineAt(this.#input, from);
    this.#found.push({ text, offset: this.#offsetOf(from) });
    return next;
  }

  #offsetOf(begin: number): number {
    return begin === this.#marked ? this.#base : this.#base + begin;
  }
}

/**
 * The kernel that reads lines of JSON objects without parsing them: it groups them by a field and adds up others, or says
 * where the fields lie that its caller wants. It is a WebAssembly module of its own, so that other jobs need not compile
 * it. It takes only lines that it fully understands, and leaves the others to its caller, who has `JSON.parse`.
 *
 * Used as the other kernel is (kernel.ts): `open`, fill `input` and let it be taken in; when `full`, or at the end, `sort`
 * and write, then `clear`. Positions are offsets in `input` or `output`, which may move with `open`, and only then.
 */
import { bytesOf, byteText } from './byte-text.js';
import {
  BUFFER_BYTES,
  KEY_BYTES_MAX,
  NotForKernelError,
  operations,
  type Taken,
  type Written,
} from './kernel.js';
import { type Global, instantiate, openTable, type TableExports } from './table-module.js';

export interface RowShape {
  /** The field whose value is the key. */
  readonly groupBy: string;
  /** The numbers of a row. */
  readonly columns: readonly RowColumn[];
  /** `full` once the keys have cost so much: 160 bytes each, two for every byte of a key, eight for each column. */
  readonly budgetBytes: number;
  readonly partitions: number;
}

export type RowColumn =
  | { readonly operation: 'count' }
  | { readonly operation: 'sum' | 'min' | 'max'; readonly field: string };

/** What `scanFields` finds: see assembly/spans.ts. Of a line its end, and of each field in it these. */
export const LINE_WORDS = 2;
export const SPAN_WORDS = 6;
export const KIND = 0;
export const BEGIN = 1;
export const END = 2;
/** As the other words, but two of them make one f64. */
export const NUMBER_WORD = 4;

/** Kinds of values. Text is a string without its quotes, or whatever is not in quotes; one that is both is an integer. */
export const MISSING = 0;
export const IS_NUMBER = 1;
export const IS_TEXT = 2;

/** How lines were scanned for fields. */
export interface LinesScanned {
  /** Where to go on. */
  readonly next: number;
  readonly lines: number;
  /** Whether the line at `next` is one for the caller. */
  readonly isOdd: boolean;
}

/** How lines were taken in. */
export interface LinesTaken {
  /** Where to go on. */
  readonly next: number;
  readonly lines: number;
  /** How many of them were left out, because they have no key or lack a number. */
  readonly left: number;
  /** Whether the line at `next` is one for the caller: it is no object, not JSON, or written in a rare way. */
  readonly isOdd: boolean;
}

/** What assembly/rows-index.ts exports. */
interface Exports extends TableExports {
  readonly linesTaken: Global;
  readonly linesLeft: Global;
  readonly isOdd: Global;
  readonly linesScanned: Global;
  readonly stoppedAtOdd: Global;
  readonly rowsRead: Global;
  readonly rowsWritten: Global;
  beginShape(): number;
  addNamedField(length: number): number;
  addColumn(operation: number, field: number): void;
  groupLines(from: number, to: number): number;
  scanFields(from: number, to: number): number;
  addRow(key: number, length: number): void;
  readRows(from: number, to: number): number;
  beginRows(partition: number): void;
  rowsDone(partition: number): number;
  writeRows(partition: number): number;
}

/** What a key costs beside its bytes and its row: see jobs/collector.ts. */
const KEY_COST = 160;
const NUMBER_BYTES = 8;
/** See assembly/rows.ts. */
const FIELDS_MAX = 32;
const COLUMNS_MAX = 64;
const NAMES_BYTES_MAX = 16 * 1024 - 64;

export class RowKernel {
  readonly #exports: Exports;
  input = new Uint8Array(0);
  output = new Uint8Array(0);
  #numbers = new Float64Array(0);
  /** What `scanFields` has found. */
  spans = new Int32Array(0);
  numbers = new Float64Array(0);
  #partitions = 1;
  #written = -1;

  /** `code` is the module made of assembly/rows-index.ts. */
  constructor(code: Uint8Array) {
    this.#exports = instantiate<Exports>(code, (bytes) => ({
      parseNumber: (address: number, length: number): number =>
        Number(String.fromCharCode(...bytes(address, length))),
    }));
  }

  get full(): boolean {
    return this.#exports.full.value !== 0;
  }

  get keys(): number {
    return this.#exports.keys.value;
  }

  /** Begins anew. Throws NotForKernelError for more fields or columns, or more memory, than there can be. */
  open({ groupBy, columns, budgetBytes, partitions }: RowShape): void {
    const keysMax = Math.ceil(budgetBytes / (KEY_COST + NUMBER_BYTES * columns.length)) + 1;
    const arenaBytes = budgetBytes + KEY_BYTES_MAX;
    // Of records the table is to mind the keys alone.
    openTable(this.#exports, {
      operation: 'count',
      budgetBytes,
      partitions,
      keysMax,
      arenaBytes,
      encodedBytes: 0,
    });
    const { memory, INPUT, OUTPUT } = this.#exports;
    this.input = new Uint8Array(memory.buffer, INPUT.value, BUFFER_BYTES);
    this.output = new Uint8Array(memory.buffer, OUTPUT.value, BUFFER_BYTES);
    this.#numbers = new Float64Array(memory.buffer, OUTPUT.value, COLUMNS_MAX);
    this.#partitions = partitions;
    this.#shape(groupBy, columns);
  }

  /** Begins anew, for `scanFields` alone. Throws NotForKernelError unless `areFewFields`. */
  openFields(names: readonly string[]): void {
    const [first = '', ...others] = names;
    const columns = others.map((field) => ({ operation: 'sum' as const, field }));
    this.open({ groupBy: first, columns, budgetBytes: 0, partitions: 1 });
    const words = BUFFER_BYTES / 4;
    this.spans = new Int32Array(this.output.buffer as ArrayBuffer, this.output.byteOffset, words);
    this.numbers = new Float64Array(this.output.buffer as ArrayBuffer, this.output.byteOffset, words / 2);
  }

  /**
   * Finds the fields in lines of well-formed UTF-8, each of which ends with a line feed. Ends early before an odd line,
   * and when there is no more room for what is found, which is in `spans` and `numbers`.
   */
  scanFields(from: number, to: number): LinesScanned {
    const exports = this.#exports;
    const base = exports.INPUT.value;
    const next = exports.scanFields(base + from, base + to) - base;
    return { next, lines: exports.linesScanned.value, isOdd: exports.stoppedAtOdd.value !== 0 };
  }

  /** Forgets all keys. */
  clear(): void {
    this.#exports.clearTable();
  }

  /**
   * Takes in lines of well-formed UTF-8, each of which ends with a line feed. Ends early when `full`, and before an odd
   * line. Throws NotForKernelError at a key that is too long.
   */
  groupLines(from: number, to: number): LinesTaken {
    const exports = this.#exports;
    const base = exports.INPUT.value;
    const next = exports.groupLines(base + from, base + to) - base;
    this.#checkKeys();
    return {
      next,
      lines: exports.linesTaken.value,
      left: exports.linesLeft.value,
      isOdd: exports.isOdd.value !== 0,
    };
  }

  /** Takes in one row. Throws NotForKernelError at a key that is too long. */
  addRow(key: Uint8Array, row: readonly number[]): void {
    if (key.length > KEY_BYTES_MAX) throw new NotForKernelError('a key is very long');
    this.#numbers.set(row);
    const place = COLUMNS_MAX * NUMBER_BYTES;
    this.output.set(key, place);
    this.#exports.addRow(this.#exports.OUTPUT.value + place, key.length);
  }

  /**
   * Takes in records as `writeRows` makes them; columns that a record has no number for count records. Ends early when
   * `full`, and at a record that is not whole. Throws NotForKernelError at a value that is no row and at a key that is too
   * long.
   */
  readRecords(from: number, to: number): Taken {
    const exports = this.#exports;
    const base = exports.INPUT.value;
    const next = exports.readRows(base + from, base + to);
    if (next < 0) throw new NotForKernelError('a record holds a value that is not a row');
    this.#checkKeys();
    return { next: next - base, count: exports.rowsRead.value };
  }

  /** Sorts by partition and key. Then the partitions can be written, one after the other and each once. */
  sort(): void {
    this.#exports.arrangeTable(this.#partitions);
    this.#written = -1;
  }

  /**
   * Writes the rows of a partition to the front of `output`, as records whose value is an array of numbers in JSON;
   * `done` is false when there are more than fit, and then the next call goes on. Throws NotForKernelError when a sum
   * went beyond all numbers.
   */
  writeRows(partition: number): Written {
    const exports = this.#exports;
    if (partition !== this.#written) exports.beginRows(partition);
    this.#written = partition;
    const end = exports.writeRows(partition) - exports.OUTPUT.value;
    if (exports.overflowed.value !== 0) throw new NotForKernelError('a sum is not a finite number');
    return { end, records: exports.rowsWritten.value, done: exports.rowsDone(partition) !== 0 };
  }

  /** Tells the module which fields to look for, each once, and what to make of them. */
  #shape(groupBy: string, columns: readonly RowColumn[]): void {
    const names = [groupBy];
    for (const column of columns) {
      if (column.operation !== 'count' && !names.includes(column.field)) names.push(column.field);
    }
    if (!areFewFields(names) || columns.length > COLUMNS_MAX) {
      throw new NotForKernelError('very many fields or columns');
    }
    const exports = this.#exports;
    let place = exports.beginShape();
    for (const name of names.map(byteText).map(bytesOf)) {
      new Uint8Array(exports.memory.buffer, place, name.length).set(name);
      place = exports.addNamedField(name.length);
    }
    for (const column of columns) {
      const field = column.operation === 'count' ? 0 : names.indexOf(column.field);
      exports.addColumn(operations.indexOf(column.operation), field);
    }
  }

  #checkKeys(): void {
    if (this.#exports.tooLong.value !== 0) throw new NotForKernelError('a key is very long');
  }
}

/** Whether a kernel has room for the names of so many fields. */
export function areFewFields(names: readonly string[]): boolean {
  const bytes = names.reduce((sum, name) => sum + byteText(name).length, 0);
  return names.length <= FIELDS_MAX && bytes <= NAMES_BYTES_MAX;
}

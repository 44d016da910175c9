/** The kernel in WebAssembly: what stands between its exports and the interface. */
import {
  BUFFER_BYTES,
  type Encoded,
  KEY_BYTES_MAX,
  type Kernel,
  type KernelShape,
  type MergeOutput,
  type MergeShape,
  type MergeStep,
  NotForKernelError,
  type Operation,
  operations,
  type Taken,
  type WordKind,
  type Written,
} from './kernel.js';
import { type Global, instantiate, openTable, type TableExports } from './table-module.js';

/** What assembly/index.ts exports. */
interface Exports extends TableExports {
  readonly wordsTaken: Global;
  readonly recordsRead: Global;
  readonly recordsWritten: Global;
  layOutSources(bufferBytes: number, sourcesBytes: bigint): number;
  countLineFeeds(from: number, to: number): number;
  countLetterWords(from: number, to: number): number;
  countSpacedWords(from: number, to: number): number;
  readRecords(from: number, to: number): number;
  encodeTable(partitions: number): void;
  encodedAt(partition: number): number;
  encodedEnd(partition: number): number;
  encodedCount(partition: number): number;
  beginPartition(partition: number): void;
  partitionDone(partition: number): number;
  writeRecords(partition: number, at: number): number;
  beginLines(): number;
  recordsOfHeaviest(): number;
  writeHeaviest(): number;
  writeLines(separator: number): number;
  mergeBytes(count: number, window: number, longest: number): bigint;
  openMerge(count: number, window: number, longest: number): void;
  beginMerge(how: number, separator: number): void;
  window(index: number): number;
  makeRoom(index: number): number;
  filled(index: number, bytes: number, isEnd: number): void;
  startMerge(): number;
  merge(): number;
  outputTaken(): void;
  copyHeaviest(): number;
  readonly mergedEnd: Global;
  readonly mergedHeaviest: Global;
  readonly mergedIn: Global;
  readonly mergedOut: Global;
}

/** What a key costs at least: see jobs/collector.ts. */
const KEY_COST = 168;
/** What `encode` leaves between partitions: see assembly/encode.ts. */
const ENCODED_SLACK = 16;
/** What `beginMerge` is told: see assembly/merge.ts. */
const SIDE_BY_SIDE = 0;
const COMBINED = 1;
const UNTOUCHED = 2;
/** What `merge` returns beside numbers of sources. */
const OUTPUT_FULL = -1;
const DONE = -2;
const BLOCK = 256;
const LETTER = /\p{L}/u;

export class WasmKernel implements Kernel {
  readonly #exports: Exports;
  input = new Uint8Array(0);
  output = new Uint8Array(0);
  #partitions = 1;
  #written = -1;
  #windowBytes = 0;
  #operation: Operation = 'sum';
  #merging = false;

  /** `code` is the module made of assembly/. There must be WebAssembly: see `hasWebAssembly`. */
  constructor(code: Uint8Array) {
    this.#exports = instantiate<Exports>(code, (bytes) => ({
      fillLetters: (block: number, address: number): void => bytes(address, BLOCK / 8).set(lettersOf(block)),
    }));
  }

  get full(): boolean {
    return this.#exports.full.value !== 0;
  }

  get keys(): number {
    return this.#exports.keys.value;
  }

  open({ operation, budgetBytes, partitions }: KernelShape): void {
    const keysMax = Math.ceil(budgetBytes / KEY_COST) + 1;
    const arenaBytes = Math.ceil(budgetBytes / 2) + KEY_BYTES_MAX;
    // Of the 168 bytes that a key costs a record needs at most 12, and one of the two for each of its own.
    const encodedBytes = arenaBytes + partitions * ENCODED_SLACK;
    openTable(this.#exports, { operation, budgetBytes, partitions, keysMax, arenaBytes, encodedBytes });
    this.#view();
    this.#partitions = partitions;
  }

  clear(): void {
    this.#exports.clearTable();
  }

  countLineFeeds(from: number, to: number): number {
    const base = this.#exports.INPUT.value;
    return this.#exports.countLineFeeds(base + from, base + to);
  }

  countWords(kind: WordKind, from: number, to: number): Taken {
    const exports = this.#exports;
    const base = exports.INPUT.value;
    const next =
      kind === 'letters'
        ? exports.countLetterWords(base + from, base + to)
        : exports.countSpacedWords(base + from, base + to);
    this.#checkKeys();
    return { next: next - base, count: exports.wordsTaken.value };
  }

  readRecords(from: number, to: number): Taken {
    const exports = this.#exports;
    const base = exports.INPUT.value;
    const next = exports.readRecords(base + from, base + to);
    if (next < 0) throw new NotForKernelError('a record holds a value that is not a number');
    this.#checkKeys();
    return { next: next - base, count: exports.recordsRead.value };
  }

  encode(): void {
    this.#exports.encodeTable(this.#partitions);
    if (this.#exports.overflowed.value !== 0) throw new NotForKernelError('a sum is not a finite number');
  }

  encoded(partition: number): Encoded {
    const exports = this.#exports;
    const begin = exports.encodedAt(partition);
    const bytes = new Uint8Array(exports.memory.buffer, begin, exports.encodedEnd(partition) - begin);
    return { bytes, records: exports.encodedCount(partition) };
  }

  arrange(): void {
    this.#exports.arrangeTable(this.#partitions);
    this.#written = -1;
  }

  writeRecords(partition: number, from: number): Written {
    const exports = this.#exports;
    if (partition !== this.#written) exports.beginPartition(partition);
    this.#written = partition;
    const base = exports.OUTPUT.value;
    const end = exports.writeRecords(partition, base + from) - base;
    if (exports.overflowed.value !== 0) throw new NotForKernelError('a sum is not a finite number');
    const done = exports.partitionDone(partition) !== 0;
    return { end, records: exports.recordsWritten.value, done };
  }

  sortLines(): void {
    this.#exports.beginLines();
  }

  heaviest(): { key: Uint8Array; records: number } {
    const end = this.#exports.writeHeaviest();
    const key = this.output.slice(0, end - this.#exports.OUTPUT.value);
    return { key, records: this.#exports.recordsOfHeaviest() };
  }

  writeLines(separator: number): number {
    return this.#exports.writeLines(separator) - this.#exports.OUTPUT.value;
  }

  openMerge({ operation, sources, windowBytes }: MergeShape): void {
    const exports = this.#exports;
    if (!exports.layOutSources(BUFFER_BYTES, exports.mergeBytes(sources, windowBytes, KEY_BYTES_MAX))) {
      throw new NotForKernelError(`merging ${sources} sources does not fit into memory`);
    }
    this.#view();
    this.#windowBytes = windowBytes;
    this.#operation = operation;
    exports.openMerge(sources, windowBytes, KEY_BYTES_MAX);
  }

  beginMerge(output: MergeOutput): void {
    // The operation that takes every value for a 1 is the one that does not mind what it is.
    const operation = output.as === 'any records' ? 'count' : this.#operation;
    this.#exports.setOperation(operations.indexOf(operation), KEY_BYTES_MAX);
    this.#exports.beginMerge(howToMerge(output), output.as === 'lines' ? output.separator : 0);
    this.#merging = false;
  }

  room(source: number): Uint8Array {
    const exports = this.#exports;
    const held = exports.makeRoom(source);
    return new Uint8Array(exports.memory.buffer, exports.window(source) + held, this.#windowBytes - held);
  }

  filled(source: number, bytes: number, isEnd: boolean): void {
    this.#exports.filled(source, bytes, isEnd ? 1 : 0);
  }

  merge(): MergeStep {
    const exports = this.#exports;
    const started = this.#merging ? 0 : exports.startMerge();
    this.#merging = true;
    const state = started === 0 ? exports.merge() : started;
    if (exports.overflowed.value !== 0) throw new NotForKernelError('a sum is not a finite number');
    if (state > 0) return { wants: 'source', source: state - 1 };
    if (state === OUTPUT_FULL) return { wants: 'output' };
    if (state === DONE) return { wants: 'nothing' };
    throw new NotForKernelError('a record that no kernel can take');
  }

  merged(): Uint8Array {
    const { mergedEnd, OUTPUT } = this.#exports;
    const bytes = this.output.subarray(0, mergedEnd.value - OUTPUT.value);
    this.#exports.outputTaken();
    return bytes;
  }

  mergedCounts(): { in: number; out: number } {
    return { in: this.#exports.mergedIn.value, out: this.#exports.mergedOut.value };
  }

  mergedHeaviest(): { key: Uint8Array; records: number } | undefined {
    const records = this.#exports.mergedHeaviest.value;
    if (records === 0) return undefined;
    return { key: this.output.slice(0, this.#exports.copyHeaviest()), records };
  }

  #checkKeys(): void {
    if (this.#exports.tooLong.value !== 0) throw new NotForKernelError('a key is very long');
  }

  #view(): void {
    const { memory, INPUT, OUTPUT } = this.#exports;
    this.input = new Uint8Array(memory.buffer, INPUT.value, BUFFER_BYTES);
    this.output = new Uint8Array(memory.buffer, OUTPUT.value, BUFFER_BYTES);
  }
}

function howToMerge(output: MergeOutput): number {
  if (output.as === 'any records') return UNTOUCHED;
  return output.as === 'lines' || output.combined ? COMBINED : SIDE_BY_SIDE;
}

/** A Node that was started with --jitless has none. */
export function hasWebAssembly(): boolean {
  return typeof WebAssembly === 'object';
}

/** One bit for each of the code points of a block, the lowest first: is it a letter? */
function lettersOf(block: number): Uint8Array {
  const bits = new Uint8Array(BLOCK / 8);
  for (let index = 0; index < BLOCK; index++) {
    if (LETTER.test(String.fromCodePoint(block * BLOCK + index))) bits[index >> 3]! |= 1 << (index & 7);
  }
  return bits;
}

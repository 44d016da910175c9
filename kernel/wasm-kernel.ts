/** The kernel in WebAssembly: what stands between its exports and the interface. */
import {
  BUFFER_BYTES,
  KEY_BYTES_MAX,
  type Kernel,
  type KernelShape,
  NotForKernelError,
  operations,
  type Taken,
  type WordKind,
  type Written,
} from './kernel.js';

/** What assembly/index.ts exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly INPUT: Global;
  readonly OUTPUT: Global;
  readonly used: Global;
  readonly full: Global;
  readonly wordsTaken: Global;
  readonly recordsRead: Global;
  readonly recordsWritten: Global;
  readonly overflowed: Global;
  layOut(inputBytes: number, outputBytes: number, partitions: number, arena: number, slots: number): number;
  openTable(operation: number, budgetBytes: bigint): void;
  clearTable(): void;
  countLineFeeds(from: number, to: number): number;
  countLetterWords(from: number, to: number): number;
  countSpacedWords(from: number, to: number): number;
  readRecords(from: number, to: number): number;
  sortTable(partitions: number): void;
  beginPartition(partition: number): void;
  partitionDone(partition: number): number;
  writeRecords(partition: number, at: number): number;
  beginLines(): number;
  recordsOfHeaviest(): number;
  writeHeaviest(): number;
  writeLines(separator: number): number;
}

interface Global {
  readonly value: number;
}

/** What a key costs at least: see jobs/map-task.ts. */
const KEY_COST = 104;
const LOAD_MAX = 0.8;
const SLOTS_MIN = 1024;
const BLOCK = 256;
const LETTER = /\p{L}/u;

export class WasmKernel implements Kernel {
  readonly #exports: Exports;
  input = new Uint8Array(0);
  output = new Uint8Array(0);
  #partitions = 1;
  #written = -1;

  /** `code` is the module made of assembly/. There must be WebAssembly: see `hasWebAssembly`. */
  constructor(code: Uint8Array) {
    const imports = {
      fillLetters: (block: number, address: number): void => {
        new Uint8Array(this.#exports.memory.buffer, address, BLOCK / 8).set(lettersOf(block));
      },
      formatNumber: (value: number, address: number): number => {
        const text = String(value);
        const bytes = new Uint8Array(this.#exports.memory.buffer, address, text.length);
        for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
        return text.length;
      },
    };
    this.#exports = new WebAssembly.Instance(new WebAssembly.Module(code), { kernel: imports })
      .exports as Exports;
  }

  get full(): boolean {
    return this.#exports.full.value !== 0;
  }

  get keys(): number {
    return this.#exports.used.value;
  }

  open({ operation, budgetBytes, partitions }: KernelShape): void {
    const exports = this.#exports;
    const keysMax = Math.ceil(budgetBytes / KEY_COST) + 1;
    const slots = Math.max(SLOTS_MIN, 2 ** Math.ceil(Math.log2(keysMax / LOAD_MAX)));
    const arenaBytes = Math.ceil(budgetBytes / 2) + KEY_BYTES_MAX;
    const memoryWanted = slots * 48 + arenaBytes;
    if (
      memoryWanted > 2 ** 31 ||
      !exports.layOut(BUFFER_BYTES, BUFFER_BYTES, partitions, arenaBytes, slots)
    ) {
      throw new NotForKernelError(`a kernel with a budget of ${budgetBytes} bytes does not fit into memory`);
    }
    const { buffer } = exports.memory;
    this.input = new Uint8Array(buffer, exports.INPUT.value, BUFFER_BYTES);
    this.output = new Uint8Array(buffer, exports.OUTPUT.value, BUFFER_BYTES);
    this.#partitions = partitions;
    exports.openTable(operations.indexOf(operation), BigInt(Math.min(budgetBytes, Number.MAX_SAFE_INTEGER)));
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
    return { next: next - base, count: exports.wordsTaken.value };
  }

  readRecords(from: number, to: number): Taken {
    const exports = this.#exports;
    const base = exports.INPUT.value;
    const next = exports.readRecords(base + from, base + to);
    if (next < 0) throw new NotForKernelError('a record holds a value that is not a number');
    return { next: next - base, count: exports.recordsRead.value };
  }

  sort(): void {
    this.#exports.sortTable(this.#partitions);
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

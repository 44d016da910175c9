/**
 * What the WebAssembly modules of kernels have in common: how one is made, and how its table is opened. There must be
 * WebAssembly: see `hasWebAssembly`.
 */
import { BUFFER_BYTES, KEY_BYTES_MAX, NotForKernelError, type Operation, operations } from './kernel.js';

export interface Global {
  readonly value: number;
}

/** What each of the modules exports. */
export interface TableExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly INPUT: Global;
  readonly OUTPUT: Global;
  readonly keys: Global;
  readonly full: Global;
  readonly tooLong: Global;
  readonly overflowed: Global;
  layOut(
    bufferBytes: number,
    partitions: number,
    arenaBytes: number,
    encodedBytes: number,
    keys: number,
  ): number;
  setOperation(operation: number, keyBytesMax: number): void;
  openTable(budgetBytes: bigint): void;
  clearTable(): void;
  arrangeTable(partitions: number): void;
}

export interface TableShape {
  readonly operation: Operation;
  readonly budgetBytes: number;
  readonly partitions: number;
  /** More keys than the budget allows. */
  readonly keysMax: number;
  /** Room for what lies beside the cells: long keys, and what they stand for. */
  readonly arenaBytes: number;
  /** Room for all records at once, where they are made at once. */
  readonly encodedBytes: number;
}

/** About what a key takes at least, in both tables and while it is sorted: see assembly/memory.ts. */
const KEY_BYTES = 110;

/** `code` is a module made of assembly/; `importsOf` gives what it needs beside the digits of numbers. */
export function instantiate<E extends TableExports>(
  code: Uint8Array,
  importsOf: (bytes: (address: number, length: number) => Uint8Array) => object,
): E {
  const bytes = (address: number, length: number): Uint8Array =>
    new Uint8Array(exports.memory.buffer, address, length);
  const formatNumber = (value: number, address: number): number => {
    const text = String(value);
    const place = bytes(address, text.length);
    for (let at = 0; at < text.length; at++) place[at] = text.charCodeAt(at);
    return text.length;
  };
  const kernel = { formatNumber, ...importsOf(bytes) };
  const exports = new WebAssembly.Instance(new WebAssembly.Module(code), { kernel }).exports as E;
  return exports;
}

/** Lays the memory out and empties the table. Throws NotForKernelError when there is not as much memory. */
export function openTable(exports: TableExports, shape: TableShape): void {
  const { operation, budgetBytes, partitions, keysMax, arenaBytes, encodedBytes } = shape;
  // Far more than there can be would not even go into the numbers of the module.
  const isTooMuch = keysMax * KEY_BYTES + arenaBytes > 2 ** 31;
  if (isTooMuch || !exports.layOut(BUFFER_BYTES, partitions, arenaBytes, encodedBytes, keysMax)) {
    throw new NotForKernelError(`a kernel with a budget of ${budgetBytes} bytes does not fit into memory`);
  }
  exports.setOperation(operations.indexOf(operation), KEY_BYTES_MAX);
  exports.openTable(BigInt(Math.min(budgetBytes, Number.MAX_SAFE_INTEGER)));
}

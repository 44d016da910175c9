/**
 * The byte-level kernel: it counts words, adds up pairs and records, sorts, and writes records and lines, all in one
 * piece of memory of its own. This is its interface; `wasm-kernel.ts` runs the WebAssembly module made of `assembly/`,
 * `plain-kernel.ts` does the same in TypeScript, as oracle and fallback.
 *
 * A kernel does one thing at a time and is reused from attempt to attempt: `open`, then fill `input` from the front and
 * let it be taken in; when `full`, or at the end, `arrange` and write, then `clear`.
 *
 * Positions are offsets in `input` or `output`. Both views may move in memory with `open`, and only then.
 */

/** How the values of a key become one; `count` takes every value, whatever it is, for a 1. */
export const operations = ['sum', 'min', 'max', 'count'] as const;
export type Operation = (typeof operations)[number];

/** What a word is: a run of letters (`\p{L}`), or what stands between white space (`\s`). */
export const wordKinds = ['letters', 'whitespace'] as const;
export type WordKind = (typeof wordKinds)[number];

/** Longer keys are not for a kernel. */
export const KEY_BYTES_MAX = 64 * 1024;
/** Size of `input` and of `output`: room for a chunk or line and the longest key. */
export const BUFFER_BYTES = 1024 * 1024;
export const PARTITIONS_MAX = 65_536;

export interface KernelShape {
  readonly operation: Operation;
  /** `full` once the keys have cost so much: 168 bytes each and two for every byte of a key. */
  readonly budgetBytes: number;
  readonly partitions: number;
}

export interface MergeShape {
  readonly operation: Operation;
  readonly sources: number;
  /** How much of each source lies in memory; a record must fit. */
  readonly windowBytes: number;
}

/**
 * What comes out of a merge: sorted records, equal keys combined or side by side, or combined lines. Of `any records` the
 * values are not looked at, so that they may be whatever JSON is.
 */
export type MergeOutput =
  | { readonly as: 'records'; readonly combined: boolean }
  | { readonly as: 'any records' }
  | { readonly as: 'lines'; readonly separator: number };

/** What the caller of a merge has to see to: read on in a source, take the output away, or nothing more. */
export type MergeStep =
  | { readonly wants: 'source'; readonly source: number }
  | { readonly wants: 'output' }
  | { readonly wants: 'nothing' };

/** How `input` was taken in. */
export interface Taken {
  /** Where to go on. */
  readonly next: number;
  /** How many words or records were taken. */
  readonly count: number;
}

/** The work is not for a kernel: a value that is no number, a sum beyond all numbers, a budget beyond all memory. */
export class NotForKernelError extends Error {
  override readonly name = 'NotForKernelError';
}

export interface Kernel {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** Whether the budget is used up. What was taken last is in; nothing more may be. */
  readonly full: boolean;
  /** How many keys there are. */
  readonly keys: number;

  /** Begins anew. Throws NotForKernelError when there is not enough memory. */
  open(shape: KernelShape): void;
  /** Forgets all keys. */
  clear(): void;

  /** How many line feeds lie between two positions of `input`. */
  countLineFeeds(from: number, to: number): number;
  /**
   * Adds 1 for every word. The text is well-formed UTF-8 and no word goes on at `to`. Ends early when `full`. Throws
   * NotForKernelError at a key that is too long.
   */
  countWords(kind: WordKind, from: number, to: number): Taken;
  /**
   * Takes in records as they lie in intermediate files (assembly/records.ts). Ends early when `full`, and at a record
   * that is not whole. Throws NotForKernelError at a value that is not a number and at a key that is too long.
   */
  readRecords(from: number, to: number): Taken;

  /**
   * Makes the records of all partitions, whose keys are in no order that means anything: for whoever combines by hash.
   * Throws NotForKernelError when a sum went beyond all numbers.
   */
  encode(): void;
  /** The records of a partition as `encode` left them. */
  encoded(partition: number): Encoded;
  /** Sorts the keys of each partition. Then the partitions can be written, one after the other and each once. */
  arrange(): void;
  /**
   * Writes the records of a partition to `output`, beginning at `from`; `done` is false when there are more than fit,
   * and then the next call goes on. Throws NotForKernelError when a sum went beyond all numbers.
   */
  writeRecords(partition: number, from: number): Written;

  /** Sorts by key alone, for the lines. */
  sortLines(): void;
  /** The key with the most records, the first of its kind, and how many. Only after `sortLines`, and if there are keys. */
  heaviest(): { readonly key: Uint8Array; readonly records: number };
  /** Writes lines `key value` to the front of `output`: the next ones with each call, until `end` is 0. */
  writeLines(separator: number): number;

  /** Lays the memory out for merging, which puts an end to what was open. Throws NotForKernelError when it is too little. */
  openMerge(shape: MergeShape): void;
  /** Begins a merge. Every source must have been filled before the first step. */
  beginMerge(output: MergeOutput): void;
  /** Room in a source's window: fill it from the front, and say how much of it. */
  room(source: number): Uint8Array;
  filled(source: number, bytes: number, isEnd: boolean): void;
  /**
   * Goes on until something has to be seen to. Throws NotForKernelError at a value that is not a number, at a record
   * that does not fit its window or is cut short, and when a sum went beyond all numbers.
   */
  merge(): MergeStep;
  /** What has come out, since it was asked for last. */
  merged(): Uint8Array;
  /** Records in and, combined or not, out since `beginMerge`. */
  mergedCounts(): { readonly in: number; readonly out: number };
  /** The key with the most records, the first of its kind; undefined without any. Only of lines. */
  mergedHeaviest(): { readonly key: Uint8Array; readonly records: number } | undefined;
}

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly records: number;
}

export interface Written {
  /** Where in `output` the records end. */
  readonly end: number;
  readonly records: number;
  readonly done: boolean;
}

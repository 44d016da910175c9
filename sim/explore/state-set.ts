/**
 * The states seen so far, as 64-bit fingerprints in two lanes, in an open-addressing table of 32-bit words that grows.
 *
 * With `exact`, the table also names the state's index, and a state counts as seen only when the whole of it is equal.
 * Without, two states of one fingerprint are taken for one: hash compaction (Wolper and Leroy, CAV 1993). With n states
 * the chance that this has happened at all is below n² / 2^65.
 */

/** The fingerprint computed last, in two lanes: a pair to return would be allocated each time. */
export const fingerprint = { a: 0, b: 0 };

/** Computes `fingerprint` of a state. Rounds and finalizer after MurmurHash3 (Appleby), with other constants per lane. */
export function takeFingerprint(states: Int32Array, offset: number, words: number): void {
  let a = 0x9e3779b9 | 0;
  let b = 0x7f4a7c15 | 0;
  for (let index = 0; index < words; index++) {
    const word = states[offset + index]!;
    a = Math.imul(a ^ Math.imul(word, 0xcc9e2d51), 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul((b << 13) ^ (b >>> 19) ^ word, 0xc2b2ae35);
    b ^= b >>> 16;
  }
  a ^= b;
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  a ^= a >>> 16;
  b = Math.imul(b ^ (b >>> 16), 0x27d4eb2f);
  b = Math.imul(b ^ (b >>> 15), 0x165667b1) + a;
  // 0 marks a free place of the table.
  fingerprint.a = a === 0 ? 1 : a | 0;
  fingerprint.b = b | 0;
}

/** Whether the state of this index is the one that is looked for. */
export type SameState = (index: number) => boolean;

const loadMax = 0.6;

export class StateSet {
  size = 0;
  /** Words of one place: both lanes, and with `exact` the index. */
  readonly #stride: 2 | 3;
  #table: Int32Array;
  #mask: number;

  constructor(exact: boolean) {
    this.#stride = exact ? 3 : 2;
    this.#mask = 4095;
    this.#table = new Int32Array(4096 * this.#stride);
  }

  get bytes(): number {
    return this.#table.byteLength;
  }

  /** What the table will take next: the old one and one of twice its size at once. */
  get growthBytes(): number {
    return this.size >= loadMax * this.#mask ? 2 * this.bytes : 0;
  }

  /**
   * Adds the state whose fingerprint was taken last, under the index `size`. Answers -1 when it was new; else its index
   * with `exact`, and 0 without.
   */
  add(same?: SameState): number {
    if (this.size >= loadMax * this.#mask) this.#grow();
    const { a, b } = fingerprint;
    const table = this.#table;
    const stride = this.#stride;
    for (let place = a & this.#mask; ; place = (place + 1) & this.#mask) {
      const at = place * stride;
      const there = table[at]!;
      if (there === 0) {
        table[at] = a;
        table[at + 1] = b;
        if (stride === 3) table[at + 2] = this.size;
        this.size++;
        return -1;
      }
      if (there !== a || table[at + 1] !== b) continue;
      if (stride === 2) return 0;
      const index = table[at + 2]!;
      if (same!(index)) return index;
    }
  }

  #grow(): void {
    const before = this.#table;
    const stride = this.#stride;
    const places = 2 * (this.#mask + 1);
    const mask = places - 1;
    const table = new Int32Array(places * stride);
    for (let from = 0; from < before.length; from += stride) {
      if (before[from] === 0) continue;
      let place = before[from]! & mask;
      while (table[place * stride] !== 0) place = (place + 1) & mask;
      for (let word = 0; word < stride; word++) table[place * stride + word] = before[from + word]!;
    }
    this.#table = table;
    this.#mask = mask;
  }
}

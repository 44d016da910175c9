/**
 * Takes the pairs of a map task into the kernel, for jobs whose keys are combined by a known function: the fast place
 * for what `emit` is given. Cuts runs exactly where `Groups` (jobs/collector.ts) does.
 *
 * Pairs are written to the kernel's input as records (segments/format.ts), many before it is called. This code runs for every
 * pair that a job emits; it makes no objects and calls nothing in the common case, a short key.
 */
import type { Collector } from '../../jobs/collector.js';
import { canonicalKey, canonicalValue } from '../../jobs/values.js';
import { KEY_BYTES_MAX, type Kernel, NotForKernelError } from '../../kernel/kernel.js';
import type { FailureMemory } from './attempt.js';

/** The kernel is called when so much has gathered: little enough to stay in the cache. */
const GATHER_BYTES = 32 * 1024;
const DOUBLE_BYTES = 8;
const UTF8_BYTES_PER_UNIT_MAX = 3;
/** Lengths below take one byte. */
const SHORT = 128;
/** Integers below take one byte: see segments/format.ts. */
const SMALL = 32;
const DOUBLE_TAG = 2;

export class KernelCollector implements Collector {
  readonly #kernel: Kernel;
  readonly #cut: () => void;
  readonly #memory: FailureMemory;
  readonly #input: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** `cut` writes what the kernel holds to a run; a failure that is not the job's doing is told to `memory`. */
  constructor(kernel: Kernel, cut: () => void, memory: FailureMemory) {
    this.#kernel = kernel;
    this.#cut = () => memory.keep(cut);
    this.#memory = memory;
    this.#input = kernel.input;
    this.#view = new DataView(this.#input.buffer, this.#input.byteOffset, this.#input.length);
  }

  add(key: string, value: unknown): void {
    if (typeof value !== 'number' || typeof key !== 'string' || key.length >= SHORT) {
      this.#addOdd(key, value);
      return;
    }
    const input = this.#input;
    const start = this.#at;
    const { length } = key;
    let at = start + 1;
    for (let index = 0; index < length; index++) {
      const unit = key.charCodeAt(index);
      if (unit < 0x80) {
        input[at++] = unit;
      } else if (unit < 0x800) {
        input[at++] = 0xc0 | (unit >> 6);
        input[at++] = 0x80 | (unit & 0x3f);
      } else if (unit < 0xd800 || unit > 0xdfff) {
        input[at++] = 0xe0 | (unit >> 12);
        input[at++] = 0x80 | ((unit >> 6) & 0x3f);
        input[at++] = 0x80 | (unit & 0x3f);
      } else {
        this.#addOdd(key, value); // a surrogate
        return;
      }
    }
    const bytes = at - start - 1;
    if (bytes >= SHORT) {
      this.#addOdd(key, value);
      return;
    }
    input[start] = bytes;
    this.#endRecord(at, value, key);
  }

  /** Takes what has gathered to the kernel. */
  finish(): void {
    const end = this.#at;
    this.#at = 0;
    for (let at = 0; at < end; ) {
      const { next } = this.#kernel.readRecords(at, end);
      if (this.#kernel.full) this.#cut();
      else if (next === at) throw new Error('a record that was written here is not whole');
      at = next;
    }
  }

  #endRecord(from: number, value: number, key: string): void {
    let at = from;
    if (value >= 0 && value < SMALL && Number.isInteger(value)) {
      this.#input[at++] = value << 2;
    } else {
      this.#input[at++] = DOUBLE_TAG;
      this.#view.setFloat64(at, canonicalValue(value, key) as number, true);
      at += DOUBLE_BYTES;
    }
    this.#at = at;
    if (at >= GATHER_BYTES) this.finish();
  }

  /** Any key and value; the general lane has the words for what is wrong with them. */
  #addOdd(spelling: string, value: unknown): void {
    const key = canonicalKey(spelling);
    if (typeof value !== 'number') throw this.#notForKernel('a value is not a number');
    if (key.length * UTF8_BYTES_PER_UNIT_MAX > KEY_BYTES_MAX) throw this.#notForKernel('a key is very long');
    // What has gathered, and this record: far less than the kernel's input holds.
    const bytes = Buffer.from(key);
    let at = this.#at;
    for (let rest = bytes.length; ; rest >>>= 7) {
      this.#input[at++] = rest < SHORT ? rest : (rest & 0x7f) | 0x80;
      if (rest < SHORT) break;
    }
    this.#input.set(bytes, at);
    this.#endRecord(at + bytes.length, value, key);
  }

  #notForKernel(reason: string): NotForKernelError {
    const error = new NotForKernelError(reason);
    this.#memory.note(error);
    return error;
  }
}

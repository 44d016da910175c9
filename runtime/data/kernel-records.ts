/**
 * Records on their way into the kernel (segments/format.ts has their form): many are gathered in its input before it is called.
 * Cuts runs exactly where `Groups` (jobs/collector.ts) does.
 *
 * A collector writes a key into `bytes` at `at`, behind its length, and ends the record with its value.
 */
import { KEY_BYTES_MAX, type Kernel, NotForKernelError } from '../../kernel/kernel.js';
import type { FailureMemory } from './attempt.js';

/** The kernel is called when so much has gathered: little enough to stay in the cache. */
const GATHER_BYTES = 32 * 1024;
/** What of the kernel's input is used: the longest key may come last. */
export const GATHERED_BYTES_MAX = GATHER_BYTES + KEY_BYTES_MAX + 16;
/** Lengths below take one byte. */
export const SHORT = 128;
/** Integers below take one byte. */
const SMALL = 32;
const DOUBLE_TAG = 2;
const DOUBLE_BYTES = 8;

export abstract class KernelRecords {
  protected readonly bytes: Uint8Array;
  /** Where the next record begins. */
  protected at = 0;
  readonly #kernel: Kernel;
  readonly #cut: () => void;
  readonly #memory: FailureMemory;
  readonly #view: DataView;

  /** `cut` writes what the kernel holds to a run; a failure that is not the job's doing is told to `memory`. */
  constructor(kernel: Kernel, cut: () => void, memory: FailureMemory) {
    this.#kernel = kernel;
    this.#cut = () => memory.keep(cut);
    this.#memory = memory;
    this.bytes = kernel.input;
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  /** The length of the next record's key, of any size; gives the place of the key. */
  protected writeLength(length: number): number {
    let { at } = this;
    for (let rest = length; ; rest >>>= 7) {
      this.bytes[at++] = rest < SHORT ? rest : (rest & 0x7f) | 0x80;
      if (rest < SHORT) return at;
    }
  }

  /** Ends the next record with a finite value; its key ends at `keyEnd`. */
  protected endRecord(keyEnd: number, value: number): void {
    let at = keyEnd;
    if (value >= 0 && value < SMALL && Number.isInteger(value)) {
      this.bytes[at++] = value << 2;
    } else {
      this.bytes[at++] = DOUBLE_TAG;
      this.#view.setFloat64(at, value, true);
      at += DOUBLE_BYTES;
    }
    this.at = at;
    if (at >= GATHER_BYTES) this.finish();
  }

  /** Takes what has gathered to the kernel. */
  finish(): void {
    const end = this.at;
    this.at = 0;
    for (let at = 0; at < end; ) {
      const { next } = this.#kernel.readRecords(at, end);
      if (this.#kernel.full) this.#cut();
      else if (next === at) throw new Error('a record that was written here is not whole');
      at = next;
    }
  }

  /** To be thrown: the kernel cannot take what was emitted, and the general lane shall have the words for it. */
  protected refusal(reason: string): NotForKernelError {
    const error = new NotForKernelError(reason);
    this.#memory.note(error);
    return error;
  }
}

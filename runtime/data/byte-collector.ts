/**
 * Takes pairs whose keys are ranges of bytes into the kernel, without a string on the way: what `emit` of a `mapBytes` is.
 * Cuts runs exactly where `Groups` (jobs/collector.ts) does.
 */
import { KEY_BYTES_MAX, type Kernel, NotForKernelError } from '../../kernel/kernel.js';
import type { FailureMemory } from './attempt.js';

/** The kernel is called when so much has gathered: little enough to stay in the cache. */
const GATHER_BYTES = 32 * 1024;
/** What of the kernel's input is used: the longest key may come last. */
export const GATHERED_BYTES_MAX = GATHER_BYTES + KEY_BYTES_MAX + 16;
const DOUBLE_BYTES = 8;
/** Lengths below take one byte. */
const SHORT = 128;
/** Integers below take one byte: see segments/format.ts. */
const SMALL = 32;
const DOUBLE_TAG = 2;

export class ByteCollector {
  readonly #kernel: Kernel;
  readonly #cut: () => void;
  readonly #memory: FailureMemory;
  readonly #input: Uint8Array;
  readonly #view: DataView;
  /** What the ranges are of; undefined while nobody may emit. */
  #lines: Uint8Array | undefined;
  #at = 0;
  #emitted = 0;

  /** `cut` writes what the kernel holds to a run; a failure that is not the job's doing is told to `memory`. */
  constructor(kernel: Kernel, cut: () => void, memory: FailureMemory) {
    this.#kernel = kernel;
    this.#cut = () => memory.keep(cut);
    this.#memory = memory;
    this.#input = kernel.input;
    this.#view = new DataView(this.#input.buffer, this.#input.byteOffset, this.#input.length);
  }

  get emitted(): number {
    return this.#emitted;
  }

  /** From now on ranges are of these lines; undefined ends that. */
  open(lines: Uint8Array | undefined): void {
    this.#lines = lines;
  }

  /** Adds the value to the key that lies in [from, to). Runs for every pair: it makes no objects in the common case. */
  emit(from: number, to: number, value: number): void {
    const lines = this.#lines;
    if (lines === undefined) throw this.#notForKernel('emit was called outside of mapBytes');
    const length = to - from;
    if (!isKey(lines, from, to) || typeof value !== 'number') {
      throw this.#notForKernel('what mapBytes emitted is no key of whole characters, or its value no number');
    }
    const input = this.#input;
    let at = this.#at;
    if (length < SHORT) {
      input[at++] = length;
      for (let index = from; index < to; index++) input[at++] = lines[index]!;
    } else {
      for (let rest = length; ; rest >>>= 7) {
        input[at++] = rest < SHORT ? rest : (rest & 0x7f) | 0x80;
        if (rest < SHORT) break;
      }
      input.set(lines.subarray(from, to), at);
      at += length;
    }
    this.#emitted++;
    this.#endRecord(at, value);
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

  #endRecord(from: number, value: number): void {
    let at = from;
    if (value >= 0 && value < SMALL && Number.isInteger(value)) {
      this.#input[at++] = value << 2;
    } else {
      if (!Number.isFinite(value)) throw this.#notForKernel('a value is not finite');
      this.#input[at++] = DOUBLE_TAG;
      this.#view.setFloat64(at, value, true);
      at += DOUBLE_BYTES;
    }
    this.#at = at;
    if (at >= GATHER_BYTES) this.finish();
  }

  #notForKernel(reason: string): NotForKernelError {
    const error = new NotForKernelError(reason);
    this.#memory.note(error);
    return error;
  }
}

/** Whether these are places in well-formed UTF-8 between which whole characters lie, and no more than a key may have. */
export function isKey(lines: Uint8Array, from: number, to: number): boolean {
  return (
    Number.isInteger(from) &&
    Number.isInteger(to) &&
    from >= 0 &&
    from <= to &&
    to <= lines.length &&
    to - from <= KEY_BYTES_MAX &&
    !isInside(lines[from]) &&
    !isInside(lines[to])
  );
}

/** Whether a byte goes on with a character that began before it. */
function isInside(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

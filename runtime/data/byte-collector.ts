/** Takes pairs whose keys are ranges of bytes into the kernel, without a string on the way: what `emit` of a `mapBytes` is. */
import { KEY_BYTES_MAX } from '../../kernel/kernel.js';
import { KernelRecords, SHORT } from './kernel-records.js';

export class ByteCollector extends KernelRecords {
  /** What the ranges are of; undefined while nobody may emit. */
  #lines: Uint8Array | undefined;
  #emitted = 0;

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
    if (lines === undefined) throw this.refusal('emit was called outside of mapBytes');
    if (!isKey(lines, from, to) || !Number.isFinite(value)) {
      throw this.refusal(
        'what mapBytes emitted is no key of whole characters, or its value no finite number',
      );
    }
    const { bytes } = this;
    const length = to - from;
    let { at } = this;
    if (length < SHORT) {
      bytes[at++] = length;
      for (let index = from; index < to; index++) bytes[at++] = lines[index]!;
    } else {
      at = this.writeLength(length);
      bytes.set(lines.subarray(from, to), at);
      at += length;
    }
    this.#emitted++;
    this.endRecord(at, value);
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

/** A segment as bytes, for whoever takes its records apart by himself. */
import { crc32 } from 'node:zlib';
import { SegmentCorruptError } from '../errors.js';
import { readInto } from './file.js';
/**
 * Reads the bytes of a segment from first to last. Its checksum is compared with the last read, so that what was made of
 * the bytes must not be used when that throws.
 */
export class SegmentCursor {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #end: number;
  readonly #expected: number;
  #position: number;
  #check = 0;

  constructor(
    path: string,
    descriptor: number,
    range: { readonly start: number; readonly end: number },
    expected: number,
  ) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#position = range.start;
    this.#end = range.end;
    this.#expected = expected;
  }

  /** Whether all was read. */
  get exhausted(): boolean {
    return this.#position === this.#end;
  }

  /** Reads all of it once, ahead of the first `read`, unless that will take it all and so check it. `room` is for the bytes. */
  verify(room: Uint8Array): void {
    const start = this.#position;
    if (this.#end - start <= room.length) return;
    while (!this.exhausted) this.read(room);
    this.#position = start;
    this.#check = 0;
  }

  /** Reads on, as much as `into` takes. Returns how much that is. */
  read(into: Uint8Array): number {
    const length = Math.min(into.length, this.#end - this.#position);
    readInto(this.#path, this.#descriptor, into, 0, length, this.#position);
    this.#check = crc32(into.subarray(0, length), this.#check);
    this.#position += length;
    if (this.exhausted && this.#check !== this.#expected) {
      throw this.corrupt('the checksum of a segment is wrong');
    }
    return length;
  }

  corrupt(reason: string): SegmentCorruptError {
    return new SegmentCorruptError(this.#path, reason);
  }
}

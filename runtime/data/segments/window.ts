/** A segment as what is in it: numbers and texts, one after the other. */
import { crc32 } from 'node:zlib';
import { SegmentCorruptError } from '../errors.js';
import { readInto } from './file.js';
import { DOUBLE_BYTES, type EncodedValue, VARINT_BYTES_MAX } from './format.js';
/** A moving view of one segment. Checks what it reads; refuses to look beyond the segment's end. */
export class Window {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #start: number;
  readonly #end: number;
  #buffer: Buffer;
  /** Where in the file the next byte comes from. */
  position: number;
  #at = 0;
  #filled = 0;
  #check = 0;

  constructor(path: string, descriptor: number, start: number, end: number, bufferBytes: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#start = start;
    this.#end = end;
    this.position = start;
    this.#buffer = Buffer.allocUnsafe(Math.max(1, Math.min(bufferBytes, end - start)));
  }

  get exhausted(): boolean {
    return this.#at === this.#filled && this.position === this.#end;
  }

  /** Reads the whole segment once, ahead of its records; one that fits the buffer is not read again. */
  verify(expected: number): void {
    do {
      this.#at = this.#filled;
      this.#fill();
    } while (this.position < this.#end);
    this.expect(expected);
    this.#at = 0;
    if (this.#end - this.#start <= this.#buffer.length) return;
    this.position = this.#start;
    this.#filled = 0;
    this.#check = 0;
  }

  /** Compares the checksum of all bytes that were read. */
  expect(expected: number): void {
    if (this.#check !== expected)
      throw new SegmentCorruptError(this.#path, 'the checksum of a segment is wrong');
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
      if (this.#at === this.#filled) this.#require(1);
      const byte = this.#buffer[this.#at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new SegmentCorruptError(this.#path, 'a length has no end');
  }

  value(): EncodedValue {
    const tagged = this.varint();
    switch (tagged % 4) {
      case 0:
        return tagged / 4;
      case 1:
        return this.text((tagged - 1) / 4);
      case 2:
        if (this.#filled - this.#at < DOUBLE_BYTES) this.#require(DOUBLE_BYTES);
        this.#at += DOUBLE_BYTES;
        return this.#buffer.readDoubleLE(this.#at - DOUBLE_BYTES);
      default:
        throw new SegmentCorruptError(this.#path, 'a value is of no known kind');
    }
  }

  text(length: number): string {
    if (this.#filled - this.#at < length) this.#require(length);
    const start = this.#at;
    this.#at += length;
    return this.#buffer.toString('utf8', start, this.#at);
  }

  #require(length: number): void {
    const ahead = this.#filled - this.#at + (this.#end - this.position);
    if (length > ahead) throw new SegmentCorruptError(this.#path, 'a record reaches beyond its segment');
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(length);
      this.#buffer.copy(larger, 0, this.#at, this.#filled);
      this.#buffer = larger;
      this.#filled -= this.#at;
      this.#at = 0;
    }
    while (this.#filled - this.#at < length) this.#fill();
  }

  /** Moves what is unread to the front and reads on as far as the buffer goes. */
  #fill(): void {
    this.#buffer.copyWithin(0, this.#at, this.#filled);
    this.#filled -= this.#at;
    this.#at = 0;
    const length = Math.min(this.#buffer.length - this.#filled, this.#end - this.position);
    readInto(this.#path, this.#descriptor, this.#buffer, this.#filled, length, this.position);
    this.#check = crc32(this.#buffer.subarray(this.#filled, this.#filled + length), this.#check);
    this.position += length;
    this.#filled += length;
  }
}

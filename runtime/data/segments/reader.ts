/** Reads the intermediate file of a map attempt: format.ts. */
import { closeSync, fstatSync, type Stats } from 'node:fs';
import { crc32 } from 'node:zlib';
import { onDisk } from '../disk.js';
import { SegmentCorruptError } from '../errors.js';
import { SegmentCursor } from './cursor.js';
import { openSegments, readInto } from './file.js';
import {
  BUFFER_BYTES_DEFAULT,
  type EncodedValue,
  FOOTER_BYTES,
  FOOTER_MAGIC,
  HEADER_BYTES,
  HEADER_MAGIC,
  ORDER_BYTES,
  PARTITION_BYTES,
  SORTED,
} from './format.js';
import { Window } from './window.js';

/** Read at once from the end: it nearly always holds the whole index. */
const TAIL_BYTES = 4096;
/** What every reader begins with: thousands of buffers of their own would all wait for the collector. */
const headRoom = Buffer.alloc(HEADER_BYTES);
const tailRoom = Buffer.alloc(TAIL_BYTES);

export interface SegmentReadOptions {
  readonly bufferBytes?: number;
  readonly onRead?: (bytes: number) => void;
}

export type SegmentRecord = readonly [key: string, value: EncodedValue];

/** Reads a file of segments; `close` it. Constructing checks header, index and footer. */
export class SegmentReader {
  readonly path: string;
  /** Its number among the open files of the process. */
  readonly descriptor: number;
  /** Read where it is asked: an attempt opens many files for one partition of each. */
  readonly #index: DataView;
  readonly partitions: number;
  #mtimeMs = 0;

  constructor(path: string) {
    this.path = path;
    this.descriptor = openSegments(path);
    try {
      this.#index = this.#readIndex();
      this.partitions = (this.#index.byteLength - 8 - ORDER_BYTES) / PARTITION_BYTES;
    } catch (error) {
      closeSync(this.descriptor);
      throw error;
    }
  }

  /** Whether the records of each partition are in order of their keys. */
  get sorted(): boolean {
    return this.#index.getUint32(this.#index.byteLength - ORDER_BYTES, true) === SORTED;
  }

  /** Whether the file was removed or written to since it was opened. */
  get changed(): boolean {
    const { nlink, mtimeMs } = this.#stats();
    return nlink === 0 || mtimeMs !== this.#mtimeMs;
  }

  /** How many records a partition has. */
  recordsOf(partition: number): number {
    return this.#has(partition) ? this.#index.getFloat64((this.partitions + 1 + partition) * 8, true) : 0;
  }

  /** How many bytes a partition's segment has. */
  bytesOf(partition: number): number {
    return this.#has(partition) ? this.#offset(partition + 1) - this.#offset(partition) : 0;
  }

  /**
   * The records of one partition in the order in which they were written, with at most a buffer in memory.
   * `onRead` is told the bytes as they are taken up.
   */
  *records(partition: number, options: SegmentReadOptions = {}): Generator<SegmentRecord> {
    const { start, end } = this.#rangeOf(partition);
    const count = this.recordsOf(partition);
    const check = this.checksumOf(partition);
    const bufferBytes = options.bufferBytes ?? BUFFER_BYTES_DEFAULT;
    const window = new Window(this.path, this.descriptor, start, end, bufferBytes);
    window.verify(check);
    let reported = start;
    for (let index = 0; index < count; index++) {
      if (window.position !== reported) {
        options.onRead?.(window.position - reported);
        reported = window.position;
      }
      const key = window.text(window.varint());
      yield [key, window.value()];
    }
    options.onRead?.(window.position - reported);
    if (!window.exhausted)
      throw new SegmentCorruptError(this.path, 'a segment holds more than its index says');
    window.expect(check);
  }

  /** The bytes of a partition as they lie there, for whoever reads records by himself. */
  cursor(partition: number): SegmentCursor {
    const range = this.#rangeOf(partition);
    return new SegmentCursor(this.path, this.descriptor, range, this.checksumOf(partition));
  }

  /** CRC-32 of a partition's segment, as the index has it. */
  checksumOf(partition: number): number {
    const checksAt = (2 * this.partitions + 1) * 8;
    return this.#has(partition) ? this.#index.getUint32(checksAt + partition * 4, true) : 0;
  }

  /** At most `length` bytes of a partition's segment from an offset on, as they lie there: nothing is checked. */
  bytesAt(partition: number, offset: number, length: number): Buffer {
    const { start, end } = this.#rangeOf(partition);
    return this.#readAt(start + offset, Math.min(length, end - start - offset));
  }

  close(): void {
    closeSync(this.descriptor);
  }

  #has(partition: number): boolean {
    return partition >= 0 && partition < this.partitions;
  }

  #offset(partition: number): number {
    return this.#index.getFloat64(partition * 8, true);
  }

  /** Where a segment lies. */
  #rangeOf(partition: number): { start: number; end: number } {
    if (!this.#has(partition)) throw this.#corrupt(`it has no partition ${partition}`);
    const start = this.#offset(partition);
    const end = this.#offset(partition + 1);
    const isWithin = start >= HEADER_BYTES && start <= end && end <= this.#offset(this.partitions);
    if (!isWithin) throw this.#corrupt('its index does not fit its size');
    return { start, end };
  }

  /** The index, checked against header, footer and its checksum. */
  #readIndex(): DataView {
    const { size, mtimeMs } = this.#stats();
    this.#mtimeMs = mtimeMs;
    if (size < HEADER_BYTES + FOOTER_BYTES) throw this.#corrupt('it is cut short');
    const header = this.#readInto(headRoom, 0, HEADER_BYTES);
    const tail = this.#readInto(tailRoom, Math.max(0, size - TAIL_BYTES), Math.min(TAIL_BYTES, size));
    const footer = tail.subarray(tail.length - FOOTER_BYTES);
    if (!header.subarray(0, HEADER_MAGIC.length).equals(HEADER_MAGIC))
      throw this.#corrupt('its header is wrong');
    if (!footer.subarray(12).equals(FOOTER_MAGIC)) throw this.#corrupt('its end is missing');
    const partitions = header.readUInt32LE(HEADER_MAGIC.length);
    const indexBytes = 8 + partitions * PARTITION_BYTES + ORDER_BYTES;
    const indexAt = size - FOOTER_BYTES - indexBytes;
    if (indexAt < HEADER_BYTES || footer.readDoubleLE(0) !== indexAt)
      throw this.#corrupt('its footer is wrong');
    const index =
      indexBytes + FOOTER_BYTES <= tail.length
        ? Buffer.from(tail.subarray(tail.length - FOOTER_BYTES - indexBytes, tail.length - FOOTER_BYTES))
        : this.#readAt(indexAt, indexBytes);
    if (crc32(index) !== footer.readUInt32LE(8)) throw this.#corrupt('the checksum of its index is wrong');
    if (index.readDoubleLE(0) !== HEADER_BYTES || index.readDoubleLE(partitions * 8) !== indexAt) {
      throw this.#corrupt('its index does not fit its size');
    }
    return new DataView(index.buffer, index.byteOffset, index.length);
  }

  #stats(): Stats {
    return onDisk(this.path, () => fstatSync(this.descriptor));
  }

  #readAt(position: number, length: number): Buffer {
    return this.#readInto(Buffer.allocUnsafe(length), position, length);
  }

  #readInto(room: Buffer, position: number, length: number): Buffer {
    readInto(this.path, this.descriptor, room, 0, length, position);
    return room.subarray(0, length);
  }

  #corrupt(reason: string): SegmentCorruptError {
    return new SegmentCorruptError(this.path, reason);
  }
}

/**
 * The intermediate file of one map attempt: its output by partition, each partition checksummed, and sorted by key unless
 * the file says otherwise.
 *
 *   header   magic `RHSEGS3\n`, u32 number of partitions R
 *   records  R segments back to back; a record is: varint key length, key in UTF-8, varint v, value
 *              v & 3 = 0   an integer from 0 to 2^53: v >> 2 itself, and no more bytes
 *              v & 3 = 1   v >> 2 bytes of JSON: whatever is not a number
 *              v & 3 = 2   any other number: a double of 8 bytes
 *   index    R + 1 offsets of the segments (f64), R record counts (f64), R crc32 of the segments (u32), order (u32):
 *              0   each segment is sorted by key; a key may have several records
 *              1   each key has one record, and they lie in no order that means anything
 *   footer   position of the index (f64), crc32 of the index (u32), magic `RHSEGE3\n`
 *
 * Numbers are little-endian. The writer never holds more than one buffer and the file has its name only when it is
 * whole. Every byte is covered by a checksum or compared with the only value it can have, and a reader checks a whole
 * segment before it hands out the first record, so that user code is never blamed for what the disk did.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { crc32 } from 'node:zlib';
import { errnoOf, onDisk, PrivateFile } from './disk.js';
import { DiskError, SegmentCorruptError, SegmentMissingError } from './errors.js';

const HEADER_MAGIC = Buffer.from('RHSEGS3\n', 'latin1');
const FOOTER_MAGIC = Buffer.from('RHSEGE3\n', 'latin1');
const HEADER_BYTES = 12;
const FOOTER_BYTES = 20;
/** Of the index for each partition: where it ends, how many records, their checksum. */
const PARTITION_BYTES = 8 + 8 + 4;
const ORDER_BYTES = 4;
const SORTED = 0;
const UNSORTED = 1;
/** Read at once from the end: it nearly always holds the whole index. */
const TAIL_BYTES = 4096;
/** What every reader begins with: thousands of buffers of their own would all wait for the collector. */
const headRoom = Buffer.alloc(HEADER_BYTES);
const tailRoom = Buffer.alloc(TAIL_BYTES);
const VARINT_BYTES_MAX = 9;
const DOUBLE_BYTES = 8;
const INTEGER_MAX = 2 ** 53;
const BUFFER_BYTES_DEFAULT = 64 * 1024;
const SHORT_TEXT = 64;

export interface WriteOptions {
  /** How many partitions the file has. */
  readonly partitions: number;
  readonly bufferBytes?: number;
  /** Force the bytes to the disk before the file gets its name. */
  readonly sync?: boolean;
}

export interface SegmentSummary {
  /** Size of the file. */
  readonly bytes: number;
  readonly records: number;
  /** sha256 of all segments and the index, in lowercase hex: equal exactly when the content is. */
  readonly digest: string;
}

/** A value on its way: a number as it is, everything else as its JSON text. */
export type EncodedValue = number | string;

export function encodeSegmentValue(value: unknown): EncodedValue {
  return typeof value === 'number' ? value : JSON.stringify(value);
}

export function decodeSegmentValue(value: EncodedValue): unknown {
  return typeof value === 'number' ? value : JSON.parse(value);
}

const noBuffer = Buffer.alloc(0);
/** Left by a writer that is done. Ten thousand new ones would all wait for the collector. */
let spareBuffer: Buffer = noBuffer;

function takeBuffer(bytes: number): Buffer {
  if (spareBuffer.length !== bytes) return Buffer.allocUnsafe(bytes);
  const buffer = spareBuffer;
  spareBuffer = noBuffer;
  return buffer;
}

/** Writes a file of segments, partition after partition; ends with `finish` or `abandon`. */
export class SegmentWriter {
  readonly #file: PrivateFile;
  readonly #sync: boolean;
  readonly #offsets: number[] = [HEADER_BYTES];
  readonly #counts: number[] = [];
  readonly #checks: number[] = [];
  readonly #digest = createHash('sha256');
  #buffer: Buffer;
  #used = 0;
  /** How much of the buffer is in the checksum. */
  #checked = 0;
  #flushed = HEADER_BYTES;
  #count = 0;
  #check = 0;
  #sorted = true;

  constructor(path: string, options: WriteOptions) {
    this.#sync = options.sync === true;
    this.#buffer = takeBuffer(options.bufferBytes ?? BUFFER_BYTES_DEFAULT);
    this.#file = new PrivateFile(path);
    const header = Buffer.alloc(HEADER_BYTES);
    HEADER_MAGIC.copy(header);
    header.writeUInt32LE(options.partitions, HEADER_MAGIC.length);
    this.#file.write(header);
  }

  /** The records come in no order, and each key of a partition once. */
  leaveUnsorted(): void {
    this.#sorted = false;
  }

  /** Adds a record to the current partition. Keys must come in order, unless the file is left unsorted. */
  write(key: string, value: EncodedValue): void {
    this.#writeText(key, 1, 0);
    if (typeof value === 'string') {
      this.#writeText(value, 4, 1);
      this.#count++;
      return;
    }
    this.#reserve(DOUBLE_BYTES + VARINT_BYTES_MAX);
    if (value >= 0 && value <= INTEGER_MAX && Number.isInteger(value)) {
      this.#used = writeVarint(this.#buffer, this.#used, 4 * value);
    } else {
      this.#used = writeVarint(this.#buffer, this.#used, 2);
      this.#used = this.#buffer.writeDoubleLE(value, this.#used);
    }
    this.#count++;
  }

  /** A text behind its length in bytes, times `scale` plus `tag`. Short ASCII, the common case, needs no call of the engine. */
  #writeText(text: string, scale: number, tag: number): void {
    const { length } = text;
    if (length <= SHORT_TEXT) {
      this.#reserve(length + VARINT_BYTES_MAX);
      const buffer = this.#buffer;
      let at = writeVarint(buffer, this.#used, scale * length + tag);
      let index = 0;
      for (; index < length; index++) {
        const unit = text.charCodeAt(index);
        if (unit >= 0x80) break;
        buffer[at++] = unit;
      }
      if (index === length) {
        this.#used = at;
        return;
      }
    }
    const bytes = Buffer.byteLength(text);
    this.#reserve(bytes + VARINT_BYTES_MAX);
    this.#used = writeVarint(this.#buffer, this.#used, scale * bytes + tag);
    this.#used += this.#buffer.write(text, this.#used);
  }

  /** Adds `count` whole records that are encoded already. */
  writeEncoded(records: Uint8Array, count: number): void {
    this.#count += count;
    if (records.length > this.#buffer.length - this.#used) this.#flush();
    if (records.length > this.#buffer.length) {
      this.#check = crc32(records, this.#check);
      this.#put(records);
      return;
    }
    this.#buffer.set(records, this.#used);
    this.#used += records.length;
  }

  /** Records that `writeEncoded` was not told of. */
  addRecords(count: number): void {
    this.#count += count;
  }

  /** Ends the current partition; the next record belongs to the next one. */
  endPartition(): void {
    this.#takeCheck();
    this.#offsets.push(this.#flushed + this.#used);
    this.#counts.push(this.#count);
    this.#checks.push(this.#check);
    this.#count = 0;
    this.#check = 0;
  }

  /** Completes the file and gives it its name. All partitions must have been ended. */
  finish(): SegmentSummary {
    this.#flush();
    const index = encodeIndex(this.#offsets, this.#counts, this.#checks, this.#sorted);
    const footer = Buffer.alloc(FOOTER_BYTES);
    footer.writeDoubleLE(this.#flushed, 0);
    footer.writeUInt32LE(crc32(index), 8);
    FOOTER_MAGIC.copy(footer, 12);
    this.#file.write(Buffer.concat([index, footer]));
    this.#file.finish(this.#sync);
    this.#releaseBuffer();
    return {
      bytes: this.#flushed + index.length + footer.length,
      records: this.#counts.reduce((sum, count) => sum + count, 0),
      digest: this.#digest.update(index).digest('hex'),
    };
  }

  /** Gives up and removes what was written. */
  abandon(): void {
    this.#file.abandon();
    this.#releaseBuffer();
  }

  #releaseBuffer(): void {
    if (this.#buffer.length === BUFFER_BYTES_DEFAULT) spareBuffer = this.#buffer;
    this.#buffer = noBuffer;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length - this.#used) return;
    this.#flush();
    if (bytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(bytes);
  }

  /** Brings the checksum of the current partition up to what is in the buffer. */
  #takeCheck(): void {
    if (this.#checked === this.#used) return;
    this.#check = crc32(this.#buffer.subarray(this.#checked, this.#used), this.#check);
    this.#checked = this.#used;
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#takeCheck();
    this.#put(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
    this.#checked = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#digest.update(bytes);
    this.#file.write(bytes);
    this.#flushed += bytes.length;
  }
}

export interface SegmentReadOptions {
  readonly bufferBytes?: number;
  readonly onRead?: (bytes: number) => void;
}

export type SegmentRecord = readonly [key: string, value: EncodedValue];

/** Reads a file of segments; `close` it. Constructing checks header, index and footer. */
export class SegmentReader {
  readonly path: string;
  readonly #descriptor: number;
  /** Read where it is asked: an attempt opens many files for one partition of each. */
  readonly #index: DataView;
  readonly partitions: number;
  #mtimeMs = 0;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSegments(path);
    try {
      this.#index = this.#readIndex();
      this.partitions = (this.#index.byteLength - 8 - ORDER_BYTES) / PARTITION_BYTES;
    } catch (error) {
      closeSync(this.#descriptor);
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
    const window = new Window(this.path, this.#descriptor, start, end, bufferBytes);
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
    return new SegmentCursor(this.path, this.#descriptor, range, this.checksumOf(partition));
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
    closeSync(this.#descriptor);
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
    return onDisk(this.path, () => fstatSync(this.#descriptor));
  }

  #readAt(position: number, length: number): Buffer {
    return this.#readInto(Buffer.allocUnsafe(length), position, length);
  }

  #readInto(room: Buffer, position: number, length: number): Buffer {
    readInto(this.path, this.#descriptor, room, 0, length, position);
    return room.subarray(0, length);
  }

  #corrupt(reason: string): SegmentCorruptError {
    return new SegmentCorruptError(this.path, reason);
  }
}

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

/** A moving view of one segment. Checks what it reads; refuses to look beyond the segment's end. */
class Window {
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

function openSegments(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') throw new SegmentMissingError(path);
    throw errno === undefined ? error : new DiskError(path, errno, error);
  }
}

function readInto(
  path: string,
  descriptor: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
): void {
  for (let done = 0; done < length; ) {
    const read = onDisk(path, () =>
      readSync(descriptor, into, offset + done, length - done, position + done),
    );
    if (read === 0) throw new SegmentCorruptError(path, 'it is cut short');
    done += read;
  }
}

function encodeIndex(
  offsets: readonly number[],
  counts: readonly number[],
  checks: readonly number[],
  sorted: boolean,
): Buffer {
  const index = Buffer.alloc((offsets.length + counts.length) * 8 + checks.length * 4 + ORDER_BYTES);
  let at = 0;
  for (const offset of offsets) at = index.writeDoubleLE(offset, at);
  for (const count of counts) at = index.writeDoubleLE(count, at);
  for (const check of checks) at = index.writeUInt32LE(check, at);
  index.writeUInt32LE(sorted ? SORTED : UNSORTED, at);
  return index;
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at++] = rest;
  return at;
}

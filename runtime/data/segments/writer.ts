/** Writes the intermediate file of a map attempt: format.ts. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { PrivateFile } from '../disk.js';
import {
  BUFFER_BYTES_DEFAULT,
  DOUBLE_BYTES,
  type EncodedValue,
  encodeIndex,
  FOOTER_BYTES,
  FOOTER_MAGIC,
  HEADER_BYTES,
  HEADER_MAGIC,
  VARINT_BYTES_MAX,
} from './format.js';

const INTEGER_MAX = 2 ** 53;
/** Up to so many characters a text is copied one by one: that is less than a call of the engine. */
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

const noBuffer = Buffer.alloc(0);
/** Left by a writer that is done. Ten thousand new ones would all wait for the collector. */
let spareBuffer: Buffer = noBuffer;

function takeBuffer(bytes: number): Buffer {
  if (spareBuffer.length !== bytes) return Buffer.allocUnsafe(bytes);
  const buffer = spareBuffer;
  spareBuffer = noBuffer;
  return buffer;
}

/** Writes a file of segments, or nothing at all when `content` throws. */
export function writeSegments(
  path: string,
  options: WriteOptions,
  content: (writer: SegmentWriter) => void,
): SegmentSummary {
  const writer = new SegmentWriter(path, options);
  try {
    content(writer);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** The same of content that takes its time. */
export async function writeSegmentsAsync(
  path: string,
  options: WriteOptions,
  content: (writer: SegmentWriter) => Promise<void>,
): Promise<SegmentSummary> {
  const writer = new SegmentWriter(path, options);
  try {
    await content(writer);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
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

  /** Leaves all partitions before this one empty. To be called first. */
  skipTo(partition: number): void {
    while (this.#counts.length < partition) this.endPartition();
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

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at++] = rest;
  return at;
}

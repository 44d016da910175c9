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

export const HEADER_MAGIC = Buffer.from('RHSEGS3\n', 'latin1');
export const FOOTER_MAGIC = Buffer.from('RHSEGE3\n', 'latin1');
export const HEADER_BYTES = 12;
export const FOOTER_BYTES = 20;
/** Of the index for each partition: where it ends, how many records, their checksum. */
export const PARTITION_BYTES = 8 + 8 + 4;
export const ORDER_BYTES = 4;
export const SORTED = 0;
const UNSORTED = 1;
export const VARINT_BYTES_MAX = 9;
export const DOUBLE_BYTES = 8;
/** How much is written or read at once, unless told otherwise. */
export const BUFFER_BYTES_DEFAULT = 64 * 1024;

/** A value on its way: a number as it is, everything else as its JSON text. */
export type EncodedValue = number | string;

export function encodeSegmentValue(value: unknown): EncodedValue {
  return typeof value === 'number' ? value : JSON.stringify(value);
}

export function decodeSegmentValue(value: EncodedValue): unknown {
  return typeof value === 'number' ? value : JSON.parse(value);
}

/** Where segments begin and end (one more than there are), how many records each has, and their checksums. */
export function encodeIndex(
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

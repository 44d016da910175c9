/**
 * Records as they lie in intermediate files, written from the sorted table and read into the table. The format is that
 * of runtime/data/segments/format.ts:
 *
 *   varint length of the key, the key in UTF-8, varint v
 *     v & 3 = 0   the value is the integer v >> 2, up to 2^53
 *     v & 3 = 1   v >> 2 bytes of JSON follow: not a number, and not for this module
 *     v & 3 = 2   the value is the f64 that follows, little-endian
 */
import { full, mightFill } from './budget';
import { copyKey, keyLength, valueOf } from './cells';
import { BATCH, OUTPUT_END, SORTED_BYTES } from './memory';
import { COUNT, operation } from './operations';
import { cellOfEntry, partitionBegin } from './sort';
import { isShort, queue, queueValue, reserve, takeValues } from './table';

const INTEGER_MAX: f64 = 9007199254740992;
/** What a record takes beside its key: length, value, and what `copyKey` writes too much. */
const RECORD_BYTES_MAX: i32 = 5 + 9 + 16;
/** Returned for a value that is not a number. */
const NOT_A_NUMBER: i32 = -1;

/** The next sorted entry to write, and how many records the last call wrote. */
let cursor: i32 = 0;
export let recordsWritten: i32 = 0;
/** A sum left the range of numbers: what a number then means is for the plain path to say. */
export let overflowed: bool = false;

export function beginPartition(partition: i32): void {
  cursor = partitionBegin(partition);
  forgetOverflow();
}

export function forgetOverflow(): void {
  overflowed = false;
}

/** Writes records of the partition from `at` on, as many as fit the output. Returns where they end. */
export function writeRecords(partition: i32, at: i32): i32 {
  const end = partitionBegin(partition + 1);
  recordsWritten = 0;
  while (cursor < end) {
    const cell = cellOfEntry(cursor);
    const length = keyLength(cell);
    if (!fitsRecord(at, length)) break;
    at = writeVarint(at, length);
    at = copyKey(cell, at);
    at = writeNumber(at, valueOf(cell));
    cursor += SORTED_BYTES;
    recordsWritten++;
  }
  return at;
}

@inline
export function fitsRecord(at: i32, keyLength: i32): bool {
  return at + keyLength + RECORD_BYTES_MAX <= OUTPUT_END;
}

/** Whether all records of the partition are written. */
export function partitionDone(partition: i32): bool {
  return cursor === partitionBegin(partition + 1);
}

@inline
export function writeVarint(at: i32, value: u64): i32 {
  while (value >= 0x80) {
    store<u8>(at++, <u8>value | 0x80);
    value >>= 7;
  }
  store<u8>(at++, <u8>value);
  return at;
}

@inline
export function writeNumber(at: i32, value: f64): i32 {
  if (value >= 0 && value <= INTEGER_MAX && nearest(value) === value) return writeVarint(at, <u64>value << 2);
  if (!isFinite(value)) overflowed = true;
  at = writeVarint(at, 2);
  store<f64>(at, value);
  return at + 8;
}

/** What the last `readRecords` took. */
export let recordsRead: i32 = 0;

/**
 * Adds the records in [from, to) to the table. Returns where to go on: at a record that is not whole, or when the table
 * is full; or -1 when there is a value that is not a number.
 */
export function readRecords(from: i32, to: i32): i32 {
  recordsRead = 0;
  let at = from;
  let count: i32;
  do {
    const begin = at;
    let shorts = 0;
    let longs = 0;
    reserve(BATCH);
    for (count = 0; count < BATCH; count++) {
      const next = parseRecord(at, to);
      if (next === NOT_A_NUMBER) return NOT_A_NUMBER;
      if (next === at) break;
      queue(shorts, longs, keyAt, keyBytes);
      queueValue(shorts, longs, value);
      const short = isShort(keyBytes);
      shorts += short;
      longs += 1 - short;
      at = next;
    }
    if (mightFill(count, at - begin)) {
      at = readOneByOne(begin, at);
      if (full) return at;
    } else {
      takeValues(shorts, longs);
      recordsRead += count;
    }
  } while (count === BATCH);
  return at;
}

/** Adds whole records. Returns where to go on: `to`, unless the table is full before. */
function readOneByOne(from: i32, to: i32): i32 {
  let at = from;
  while (at < to && !full) {
    at = parseRecord(at, to);
    reserve(1);
    queue(0, 0, keyAt, keyBytes);
    queueValue(0, 0, value);
    takeValues(isShort(keyBytes), 1 - isShort(keyBytes));
    recordsRead++;
  }
  return at;
}

/** What `parseRecord` found. */
export let keyAt: i32 = 0;
export let keyBytes: i32 = 0;
export let value: f64 = 0;

/** Looks at the record at `at`. Returns its end; `at` itself if it is not whole; -1 if its value is not a number. */
@inline
export function parseRecord(at: i32, to: i32): i32 {
  let length: u64 = 0;
  let position = at;
  if (position < to && load<u8>(position) < 0x80) {
    length = load<u8>(position++);
  } else {
    position = readVarint(at, to);
    if (position === 0) return at;
    length = varint;
  }
  keyAt = position;
  if (<u64>(to - position) <= length) return at;
  keyBytes = <i32>length;
  position += keyBytes;
  let tagged: u64 = load<u8>(position);
  if (tagged < 0x80) {
    position++;
  } else {
    position = readVarint(position, to);
    if (position === 0) return at;
    tagged = varint;
  }
  value = <f64>(tagged >> 2);
  if ((tagged & 3) === 0) {
    if (operation === COUNT) value = 1;
    return position;
  }
  return parseOther(at, position, to, tagged);
}

function parseOther(at: i32, from: i32, to: i32, tagged: u64): i32 {
  const isDouble = (tagged & 3) === 2;
  if (!isDouble && operation !== COUNT) return NOT_A_NUMBER;
  const bytes = isDouble ? 8 : tagged >> 2;
  if (<u64>(to - from) < bytes) return at;
  value = operation === COUNT ? 1 : load<f64>(from);
  return from + <i32>bytes;
}

let varint: u64 = 0;

/** Reads a varint into `varint`. Returns its end, or 0 if it is not whole. */
export function readVarint(at: i32, to: i32): i32 {
  let value: u64 = 0;
  for (let bits: u64 = 0; at < to && bits < 63; bits += 7) {
    const byte = <u64>load<u8>(at++);
    value |= (byte & 0x7f) << bits;
    if (byte < 0x80) {
      varint = value;
      return at;
    }
  }
  return 0;
}

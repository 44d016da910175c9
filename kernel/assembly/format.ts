/**
 * The lines of an output file, from the sorted table of a reduce: `key value`, as jobs/text.ts has it.
 */
import { copyKey, keyLength, recordsOf, valueOf } from './cells';
import { ENTRIES_SORTED, OUTPUT, OUTPUT_END, SORTED_BYTES } from './memory';
import { cellOfEntry, sortKeys } from './sort';

/** Writes a number as JavaScript prints it to `address`; returns how many bytes. At most 32. */
@external('kernel', 'formatNumber')
declare function formatNumber(value: f64, address: i32): i32;

const INTEGER_MAX: f64 = 9007199254740992;
const NUMBER_BYTES_MAX: i32 = 32;
const KEY_SLACK: i32 = 16;

let cursor: i32 = 0;
let end: i32 = 0;
let heaviest: i32 = 0;

/** Sorts the table. Returns how many lines there will be. */
export function beginLines(): i32 {
  cursor = ENTRIES_SORTED;
  end = sortKeys();
  heaviest = cellOfEntry(ENTRIES_SORTED);
  for (let entry = ENTRIES_SORTED; entry < end; entry += SORTED_BYTES) {
    const cell = cellOfEntry(entry);
    if (recordsOf(cell) > recordsOf(heaviest)) heaviest = cell;
  }
  return (end - ENTRIES_SORTED) / SORTED_BYTES;
}

/** Copies the key that has most records to the output; the first of them in the order of keys. Returns its end. */
export function writeHeaviest(): i32 {
  return copyKey(heaviest, OUTPUT);
}

export function recordsOfHeaviest(): i32 {
  return recordsOf(heaviest);
}

/** Writes as many lines as fit the output, `separator` between key and value. Returns their end. */
export function writeLines(separator: i32): i32 {
  let at = OUTPUT;
  while (cursor < end) {
    const cell = cellOfEntry(cursor);
    if (!fitsLine(at, keyLength(cell))) break;
    at = endLine(at, copyKey(cell, at), separator, valueOf(cell));
    cursor += SORTED_BYTES;
  }
  return at;
}

@inline
export function fitsLine(at: i32, keyLength: i32): bool {
  return at + 2 * keyLength + KEY_SLACK + NUMBER_BYTES_MAX <= OUTPUT_END;
}

/** Makes a line of the key that lies from `at` to `keyEnd`. Returns its end. */
@inline
export function endLine(at: i32, keyEnd: i32, separator: i32, value: f64): i32 {
  at = escape(at, keyEnd);
  store<u8>(at++, <u8>separator);
  at = writeText(at, value);
  store<u8>(at++, 0x0a);
  return at;
}

/** Puts a backslash before what would break the line. Returns the new end of the key. */
function escape(from: i32, to: i32): i32 {
  let extra = 0;
  for (let at = from; at < to; at++) extra += isSpecial(load<u8>(at)) ? 1 : 0;
  if (extra === 0) return to;
  let target = to + extra;
  for (let at = to - 1; target - 1 > at; at--) {
    const byte = load<u8>(at);
    if (isSpecial(byte)) {
      store<u8>(--target, byte === 0x09 ? 0x74 : byte === 0x0a ? 0x6e : byte === 0x0d ? 0x72 : byte);
      store<u8>(--target, 0x5c);
    } else {
      store<u8>(--target, byte);
    }
  }
  return to + extra;
}

@inline
function isSpecial(byte: u8): bool {
  return byte === 0x5c || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Writes a number as JavaScript prints it. Returns its end. */
@inline
export function writeText(at: i32, value: f64): i32 {
  if (!(value >= 0 && value < INTEGER_MAX && nearest(value) === value)) return at + formatNumber(value, at);
  let rest = <u64>value;
  let digits = 1;
  for (let power: u64 = 10; power <= rest; power *= 10) digits++;
  for (let place = at + digits - 1; place >= at; place--) {
    store<u8>(place, 0x30 + <u8>(rest % 10));
    rest /= 10;
  }
  return at + digits;
}

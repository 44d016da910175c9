/**
 * Lines grouped by a field, and other fields added up: for each key a row, an f64 for each column. Rows lie in the arena
 * of the table, behind the keys.
 *
 * As words, lines come in batches, so that the accesses to the table overlap. Rows are written as records whose value
 * is JSON, an array of numbers: see records.ts.
 */
import { full } from './budget';
import { copyKey, keyLength } from './cells';
import { addField, beginFields, FIELD_BYTES, fieldAt, kindOf, MEMBERS_BYTES, MISSING, NUMBER, numberOf, scanLine, TEXT, textBegin, textLength } from './fields';
import { writeText } from './format';
import { CLOSE_ARRAY, COMMA, numberEnd, numberValue, ODD, OPEN_ARRAY } from './json';
import { isNewRow, reserveLong, rowFor, setKey, touch } from './long-keys';
import { LETTERS, OUTPUT, OUTPUT_END, SORTED_BYTES } from './memory';
import { COUNT, MAX, SUM } from './operations';
import { keyAt, keyBytes, parseRecord, writeVarint } from './records';
import { cellOfEntry, partitionBegin } from './sort';

/** Lines per batch. */
const BATCH: i32 = 64;
/** Most fields, the key's among them, and most columns. */
const FIELDS_MAX: i32 = 32;
const COLUMNS_MAX: i32 = 64;
const NAMES_BYTES: i32 = 16 * 1024;
/** What a column takes as text, its comma included. */
const NUMBER_BYTES_MAX: i32 = 33;

/** This module knows no letters, so their room is free. A column is its operation and its field (u32). */
const COLUMNS: i32 = LETTERS;
const FIELDS: i32 = COLUMNS + COLUMNS_MAX * 8;
const NAMES: i32 = FIELDS + FIELDS_MAX * FIELD_BYTES;
/** Of each row of a batch: where its line ends, and how many lines were taken and left out until then (u32). */
const PLACES: i32 = NAMES + NAMES_BYTES;
const PLACE_BYTES: i32 = 12;
const MEMBERS: i32 = PLACES + BATCH * PLACE_BYTES;
/** One row as text, while it is written. */
const ROW_TEXT: i32 = MEMBERS + MEMBERS_BYTES;
/** The batch's rows. Nothing is written while lines are read. */
@inline
function valuesAt(index: i32): i32 {
  return OUTPUT + index * columnCount * 8;
}

let columnCount: i32 = 0;
let namesEnd: i32 = NAMES;

/** Begins a new shape, without fields and columns. The first field is the key's. Returns where names are put. */
export function beginShape(): i32 {
  columnCount = 0;
  namesEnd = NAMES;
  beginFields(FIELDS, MEMBERS);
  return NAMES;
}

/** Adds a field whose name was put at the place that was returned last. Returns where the next name is put. */
export function addNamedField(length: i32): i32 {
  addField(namesEnd, length);
  namesEnd += length;
  return namesEnd;
}

/** Adds a column; `field` is of no meaning to COUNT. */
export function addColumn(operation: i32, field: i32): void {
  store<u32>(COLUMNS + columnCount * 8, operation);
  store<u32>(COLUMNS + columnCount * 8, field, 4);
  columnCount++;
}

/** Lines that the last `groupLines` took, and how many of them have no key or lack a number. */
export let linesTaken: i32 = 0;
export let linesLeft: i32 = 0;
/** Whether it stopped at a line that it cannot take. */
export let isOdd: bool = false;

/** Groups the lines in [from, to), each of which ends with a line feed. Returns where to go on. */
export function groupLines(from: i32, to: i32): i32 {
  linesTaken = 0;
  linesLeft = 0;
  isOdd = false;
  let at = from;
  while (at < to && !isOdd) {
    reserveLong(BATCH);
    let count = 0;
    while (at < to && count < BATCH) {
      const next = scanLine(at);
      isOdd = next === ODD || needsText();
      if (isOdd) break;
      at = next;
      linesTaken++;
      if (takeRow(count)) {
        const place = PLACES + count * PLACE_BYTES;
        store<u32>(place, at);
        store<u32>(place, linesTaken, 4);
        store<u32>(place, linesLeft, 8);
        count++;
      } else {
        linesLeft++;
      }
    }
    const taken = addRows(count);
    if (full) return backTo(taken);
  }
  return at;
}

/** Whether the text of the key is not the one that stands in the line. */
@inline
function needsText(): bool {
  const kind = kindOf(fieldAt(0));
  return kind !== MISSING && (kind & TEXT) === 0;
}

/** Puts the line into the batch; false if it lacks something. */
@inline
function takeRow(index: i32): bool {
  const key = fieldAt(0);
  if (kindOf(key) === MISSING) return false;
  let value = valuesAt(index);
  for (let column = COLUMNS; column < COLUMNS + columnCount * 8; column += 8) {
    if (load<u32>(column) === COUNT) {
      store<f64>(value, 1);
    } else {
      const field = fieldAt(load<u32>(column, 4));
      if ((kindOf(field) & NUMBER) === 0) return false;
      store<f64>(value, numberOf(field));
    }
    value += 8;
  }
  setKey(index, textBegin(key), textLength(key));
  return true;
}

/** Takes back the lines behind row `taken` of the batch, counted from 1. Returns where they begin. */
function backTo(taken: i32): i32 {
  const place = PLACES + (taken - 1) * PLACE_BYTES;
  linesTaken = load<u32>(place, 4);
  linesLeft = load<u32>(place, 8);
  isOdd = false;
  return load<u32>(place);
}

/** Adds one row: the key lies at `key`, and the row at the output. */
export function addRow(key: i32, length: i32): void {
  reserveLong(1);
  setKey(0, key, length);
  addRows(1);
}

/** What the last `readRows` took. */
export let rowsRead: i32 = 0;

/**
 * Adds the records in [from, to), whose values are rows. Returns where to go on: at a record that is not whole, or when the
 * table is full; or -1 at one that holds no row.
 */
export function readRows(from: i32, to: i32): i32 {
  rowsRead = 0;
  let at = from;
  let count: i32;
  do {
    reserveLong(BATCH);
    for (count = 0; count < BATCH; count++) {
      const next = readRow(count, at, to);
      if (next < 0) return next;
      if (next === at) break;
      store<u32>(PLACES + count * PLACE_BYTES, next);
      at = next;
    }
    const taken = addRows(count);
    rowsRead += taken;
    if (full) return load<u32>(PLACES + (taken - 1) * PLACE_BYTES);
  } while (count === BATCH);
  return at;
}

/** Puts the record at `at` into the batch. Returns its end; `at` itself if it is not whole; -1 if it holds no row. */
function readRow(index: i32, at: i32, to: i32): i32 {
  const end = parseRecord(at, to);
  if (end <= at) return end;
  let text = keyAt + keyBytes;
  while (load<u8>(text) >= 0x80) text++;
  setKey(index, keyAt, keyBytes);
  return readNumbers(text + 1, valuesAt(index)) === end ? end : -1;
}

/** Reads an array of numbers; the columns that it has none for count records. Returns its end, or ODD. */
function readNumbers(text: i32, row: i32): i32 {
  if (load<u8>(text) !== OPEN_ARRAY) return ODD;
  let at = text;
  let column = 0;
  do {
    at = numberEnd(at + 1);
    if (at === ODD || column === columnCount) return ODD;
    store<f64>(row + column * 8, numberValue());
    column++;
  } while (load<u8>(at) === COMMA);
  for (; column < columnCount; column++) store<f64>(row + column * 8, 1);
  return load<u8>(at) === CLOSE_ARRAY ? at + 1 : ODD;
}

/** Adds the rows of the batch to those of their keys; ends early, when full. Returns how many were taken. */
function addRows(count: i32): i32 {
  touch(count);
  const bytes = columnCount * 8;
  for (let index = 0; index < count; index++) {
    const row = rowFor(index, bytes);
    const values = valuesAt(index);
    if (isNewRow) {
      memory.copy(row, values, bytes);
      if (full) return index + 1;
      continue;
    }
    for (let column = 0; column < bytes; column += 8) {
      const value = combined(load<u32>(COLUMNS + column), load<f64>(row + column), load<f64>(values + column));
      store<f64>(row + column, value);
    }
  }
  return count;
}

/** As jobs/aggregates.ts. */
@inline
function combined(operation: i32, a: f64, b: f64): f64 {
  if (operation === SUM || operation === COUNT) return a + b;
  if (operation === MAX) return b > a ? b : a;
  return b < a ? b : a;
}

let cursor: i32 = 0;
export let rowsWritten: i32 = 0;
/** A sum left the range of numbers: what that means is for the plain path to say. */
export let overflowed: bool = false;

export function beginRows(partition: i32): void {
  cursor = partitionBegin(partition);
  overflowed = false;
}

export function rowsDone(partition: i32): bool {
  return cursor === partitionBegin(partition + 1);
}

/** Writes rows of the partition to the output, as many as fit. Returns where they end. */
export function writeRows(partition: i32): i32 {
  const end = partitionBegin(partition + 1);
  // Lengths, brackets, and what `copyKey` writes too much.
  const rowBytesMax = columnCount * NUMBER_BYTES_MAX + 32;
  let at = OUTPUT;
  rowsWritten = 0;
  for (; cursor < end; cursor += SORTED_BYTES) {
    const cell = cellOfEntry(cursor);
    const length = keyLength(cell);
    if (at + length + rowBytesMax > OUTPUT_END) break;
    at = writeVarint(at, length);
    at = copyKey(cell, at);
    const textEnd = writeRowText(<i32>load<u32>(cell, 16));
    const textBytes = textEnd - ROW_TEXT;
    at = writeVarint(at, (<u64>textBytes << 2) | 1);
    memory.copy(at, ROW_TEXT, textBytes);
    at += textBytes;
    rowsWritten++;
  }
  return at;
}

function writeRowText(row: i32): i32 {
  let at = ROW_TEXT;
  store<u8>(at++, 0x5b);
  for (let column = 0; column < columnCount; column++) {
    if (column > 0) store<u8>(at++, 0x2c);
    const value = load<f64>(row + column * 8);
    if (!isFinite(value)) overflowed = true;
    at = writeText(at, value);
  }
  store<u8>(at++, 0x5d);
  return at;
}

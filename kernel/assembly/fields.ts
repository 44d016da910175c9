/**
 * The wanted fields of a line that holds a JSON object: names of its top level, each with the value that was found last,
 * as `JSON.parse` has it for names that come twice.
 */
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  hasEscapes,
  isNumber,
  isPlainInteger,
  isQuote,
  numberEnd,
  numberValue,
  ODD,
  OPEN_OBJECT,
  skipSpace,
  stringEnd,
  valueEnd,
} from './json';
import { MASKS } from './memory';

/** What a field's value is. */
export const MISSING: i32 = 0;
export const NUMBER: i32 = 1;
/** A string without escapes, or a value that is written as its text: an integer, `true`, `false`, `null`. */
export const TEXT: i32 = 2;
/** A number that is written as its text. */
export const NUMBER_AND_TEXT: i32 = NUMBER | TEXT;
/** Anything else. */
export const OTHER: i32 = 4;

const LINE_FEED: u8 = 0x0a;

/**
 * A field is 40 bytes: address and length of its name (u32), the first eight bytes of the name (u64); of the line at hand
 * the kind of the value, begin and end of its text (u32), and the number that it is (f64, at 32).
 */
export const FIELD_BYTES: i32 = 40;

/** Where the fields lie, and how many there are. */
let begin: i32 = 0;
let end: i32 = 0;

/** Begins anew, without fields; they will lie at `address`. */
export function beginFields(address: i32): void {
  begin = address;
  end = address;
}

/** Adds a field; its name must stay where it is, and be followed by eight bytes of anything. */
export function addField(name: i32, length: i32): void {
  store<u32>(end, name);
  store<u32>(end, length, 4);
  store<u64>(end, load<u64>(name) & beginningMask(length), 8);
  end += FIELD_BYTES;
}

@inline
export function fieldAt(index: i32): i32 {
  return begin + index * FIELD_BYTES;
}

@inline
export function kindOf(field: i32): i32 {
  return load<u32>(field, 16);
}

@inline
export function textBegin(field: i32): i32 {
  return load<u32>(field, 20);
}

@inline
export function textLength(field: i32): i32 {
  return load<u32>(field, 24) - load<u32>(field, 20);
}

@inline
export function numberOf(field: i32): f64 {
  return load<f64>(field, 32);
}

/** Finds the fields of the line at `from`. Returns where the next line begins, or ODD. */
export function scanLine(from: i32): i32 {
  for (let field = begin; field < end; field += FIELD_BYTES) store<u32>(field, MISSING, 16);
  let at = skipSpace(from);
  if (load<u8>(at) !== OPEN_OBJECT) return ODD;
  at = skipSpace(at + 1);
  if (load<u8>(at) !== CLOSE_OBJECT) {
    at = scanMembers(at);
    if (at === ODD) return ODD;
  }
  at = skipSpace(at + 1);
  return load<u8>(at) === LINE_FEED ? at + 1 : ODD;
}

/** Scans the members from the first name on. Returns where the object's closing brace stands. */
@inline
function scanMembers(from: i32): i32 {
  let at = from;
  while (true) {
    if (!isQuote(at)) return ODD;
    const name = at + 1;
    at = stringEnd(name);
    // What is spelt in escapes may be the name of a field.
    if (at === ODD || hasEscapes) return ODD;
    const field = fieldOf(name, at - name);
    at = skipSpace(at + 1);
    if (load<u8>(at) !== COLON) return ODD;
    at = skipSpace(at + 1);
    at = field === 0 ? valueEnd(at) : takeValue(field, at);
    if (at === ODD) return ODD;
    at = skipSpace(at);
    const next = load<u8>(at);
    if (next === CLOSE_OBJECT) return at;
    if (next !== COMMA) return ODD;
    at = skipSpace(at + 1);
  }
}

/** The field of that name; 0 without one. */
@inline
function fieldOf(name: i32, length: i32): i32 {
  const beginning = load<u64>(name) & beginningMask(length);
  for (let field = begin; field < end; field += FIELD_BYTES) {
    if (load<u64>(field, 8) !== beginning || load<u32>(field, 4) !== length) continue;
    if (length <= 8 || memory.compare(load<u32>(field), name, length) === 0) return field;
  }
  return 0;
}

/** Keeps as many bytes of eight as belong to a name of that length. */
@inline
function beginningMask(length: i32): u64 {
  return load<u64>(MASKS + min(length, 8) * 16);
}

/** Notes the value at `at`. Returns its end. */
@inline
function takeValue(field: i32, at: i32): i32 {
  const byte = load<u8>(at);
  if (byte === 0x22) {
    const close = stringEnd(at + 1);
    if (close === ODD) return ODD;
    note(field, hasEscapes ? OTHER : TEXT, at + 1, close);
    return close + 1;
  }
  if (isNumber(byte)) {
    const stop = numberEnd(at);
    if (stop === ODD) return ODD;
    const number = numberValue();
    store<f64>(field, number, 32);
    note(field, isFinite(number) ? (isPlainInteger() ? NUMBER_AND_TEXT : NUMBER) : OTHER, at, stop);
    return stop;
  }
  const stop = valueEnd(at);
  note(field, byte === OPEN_OBJECT || byte === 0x5b ? OTHER : TEXT, at, stop);
  return stop;
}

@inline
function note(field: i32, kind: i32, textFrom: i32, textTo: i32): void {
  store<u32>(field, kind, 16);
  store<u32>(field, textFrom, 20);
  store<u32>(field, textTo, 24);
}

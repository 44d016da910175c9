/**
 * The wanted fields of a line that holds a JSON object: names of its top level, each with the value that was found last,
 * as `JSON.parse` has it for names that come twice.
 *
 * Lines are mostly alike. So what stood between the values of a line before, `{"host":` say, is remembered, and where
 * the same bytes stand in the next line, nothing of them has to be looked at again.
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
  OPEN_ARRAY,
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

/**
 * What is remembered of each member of a line, by its number: the bytes from the brace or comma before a member to its
 * value, as many as 16; how many they are, none if there is nothing to remember, and the field of that name (u32).
 */
const MEMBER_BYTES: i32 = 32;
const MEMBERS_MAX: i32 = 32;
const BETWEEN_MAX: i32 = 16;
export const MEMBERS_BYTES: i32 = MEMBERS_MAX * MEMBER_BYTES;

/** Where the fields lie, and what is remembered. */
let begin: i32 = 0;
let end: i32 = 0;
let members: i32 = 0;

/** Begins anew, without fields; they will lie at `address`, and what is remembered at `remembered`. */
export function beginFields(address: i32, remembered: i32): void {
  begin = address;
  end = address;
  members = remembered;
  memory.fill(members, 0, MEMBERS_BYTES);
}

/** Adds a field; its name must stay where it is, and be followed by eight bytes of anything. */
export function addField(name: i32, length: i32): void {
  store<u32>(end, name);
  store<u32>(end, length, 4);
  store<u64>(end, load<u64>(name) & beginningMask(length), 8);
  end += FIELD_BYTES;
}

export function fieldCount(): i32 {
  return (end - begin) / FIELD_BYTES;
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
  at = scanMembers(at);
  if (at === ODD) return ODD;
  at = skipSpace(at + 1);
  return load<u8>(at) === LINE_FEED ? at + 1 : ODD;
}

/** Where the name ended that was looked at last, with all that stands before the value, and whose field it is. */
let valueAt: i32 = 0;
let fieldFound: i32 = 0;

/** Scans the members of an object from its opening brace on. Returns where the closing one stands. */
@inline
function scanMembers(from: i32): i32 {
  let at = from;
  let member = members;
  while (true) {
    const length = load<u32>(member, 16);
    const differing = v128.and(v128.xor(v128.load(at), v128.load(member)), v128.load(MASKS + length * 16));
    if (length > 0 && !v128.any_true(differing)) {
      fieldFound = load<u32>(member, 20);
      at += length;
    } else {
      if (!scanName(at)) return isEmptyObject(at, from) ? skipSpace(at + 1) : ODD;
      remember(member, at);
      at = valueAt;
    }
    if (member < members + MEMBERS_BYTES - MEMBER_BYTES) member += MEMBER_BYTES;
    at = fieldFound === 0 ? valueEnd(at) : takeValue(fieldFound, at);
    if (at === ODD) return ODD;
    at = skipSpace(at);
    const next = load<u8>(at);
    if (next === CLOSE_OBJECT) return at;
    if (next !== COMMA) return ODD;
  }
}

/** Whether the brace that opens an object is followed by one that closes it. */
function isEmptyObject(at: i32, first: i32): bool {
  return at === first && load<u8>(skipSpace(at + 1)) === CLOSE_OBJECT;
}

/** Looks at what stands between the brace or comma at `at` and the value after it; false if it is odd. */
function scanName(at: i32): bool {
  const quote = skipSpace(at + 1);
  if (!isQuote(quote)) return false;
  const nameEnd = stringEnd(quote + 1);
  // What is spelt in escapes may be the name of a field.
  if (nameEnd === ODD || hasEscapes) return false;
  fieldFound = fieldOf(quote + 1, nameEnd - quote - 1);
  const colon = skipSpace(nameEnd + 1);
  if (load<u8>(colon) !== COLON) return false;
  valueAt = skipSpace(colon + 1);
  return true;
}

function remember(member: i32, at: i32): void {
  const length = valueAt - at;
  v128.store(member, v128.load(at));
  store<u32>(member, length > BETWEEN_MAX ? 0 : length, 16);
  store<u32>(member, fieldFound, 20);
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
  note(field, byte === OPEN_OBJECT || byte === OPEN_ARRAY ? OTHER : TEXT, at, stop);
  return stop;
}

@inline
function note(field: i32, kind: i32, textFrom: i32, textTo: i32): void {
  store<u32>(field, kind, 16);
  store<u32>(field, textFrom, 20);
  store<u32>(field, textTo, 24);
}

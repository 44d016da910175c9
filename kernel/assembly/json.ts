/**
 * JSON in a line of text: where a value ends, and what a number is. The text is well-formed UTF-8, and a line feed stands
 * at its end, which no JSON value of one line can hold.
 *
 * Accepts nothing that `JSON.parse` refuses. What is legal but rare, like very deep nesting, may be refused as well:
 * whoever calls has `JSON.parse` to fall back to.
 *
 * Grammar: RFC 8259.
 */

/** The number that JSON makes of the text at an address. For those that need more than the 53 bits of a double. */
@external('kernel', 'parseNumber')
declare function parseNumber(address: i32, length: i32): f64;

/** Returned instead of an address for what is no JSON, or not for this module. */
export const ODD: i32 = 0;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
export const OPEN_OBJECT: u8 = 0x7b;
export const CLOSE_OBJECT: u8 = 0x7d;
export const OPEN_ARRAY: u8 = 0x5b;
export const CLOSE_ARRAY: u8 = 0x5d;
const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const POINT: u8 = 0x2e;

const DEPTH_MAX: i32 = 64;
const EXACT_MAX: u64 = 9007199254740992;
const DIGITS_MAX: i32 = 19;
/** The greatest power of ten that a double holds exactly. */
const EXACT_POWER_MAX: i32 = 22;

@inline
export function skipSpace(at: i32): i32 {
  return load<u8>(at) > 0x20 ? at : skipSpaces(at);
}

function skipSpaces(from: i32): i32 {
  let at = from;
  for (let byte = load<u8>(at); byte === 0x20 || byte === 0x09 || byte === 0x0d; byte = load<u8>(at)) at++;
  return at;
}

/** Whether the string that was looked at last holds escapes. */
export let hasEscapes: bool = false;

@inline
export function isQuote(at: i32): bool {
  return load<u8>(at) === QUOTE;
}

/** The closing quote of a string; `at` is behind the opening one. */
export function stringEnd(from: i32): i32 {
  let at = from;
  hasEscapes = false;
  while (true) {
    const bytes = v128.load(at);
    const special = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH))),
        i8x16.lt_u(bytes, i8x16.splat(0x20)),
      ),
    );
    if (special === 0) {
      at += 16;
      continue;
    }
    at += ctz(special);
    const byte = load<u8>(at);
    if (byte === QUOTE) return at;
    if (byte !== BACKSLASH) return ODD;
    hasEscapes = true;
    at = escapeEnd(at + 1);
    if (at === ODD) return ODD;
  }
}

/** Where an escape ends whose backslash stands before `at`. */
function escapeEnd(at: i32): i32 {
  switch (load<u8>(at)) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 1;
    case 0x75: // u
      return isHex(at + 1) && isHex(at + 2) && isHex(at + 3) && isHex(at + 4) ? at + 5 : ODD;
    default:
      return ODD;
  }
}

function isHex(at: i32): bool {
  const byte = load<u8>(at);
  const lower = byte | 0x20;
  return <u8>(byte - 0x30) < 10 || <u8>(lower - 0x61) < 6;
}

/** What `numberEnd` found. */
let numberBegin: i32 = 0;
let numberStop: i32 = 0;
let mantissa: u64 = 0;
let digits: i32 = 0;
let scale: i32 = 0;
let hasExponent: bool = false;

@inline
function digitAt(at: i32): u32 {
  return <u32>load<u8>(at) - 0x30;
}

@inline
export function isNumber(byte: u8): bool {
  return byte === MINUS || <u8>(byte - 0x30) < 10;
}

/** Where the number at `from` ends. */
export function numberEnd(from: i32): i32 {
  const begin = load<u8>(from) === MINUS ? from + 1 : from;
  let at = begin;
  let value: u64 = 0;
  for (let digit = digitAt(at); digit < 10; digit = digitAt(++at)) value = value * 10 + digit;
  digits = at - begin;
  if (digits === 0 || (digits > 1 && digitAt(begin) === 0)) return ODD;
  scale = 0;
  hasExponent = false;
  if (load<u8>(at) === POINT) {
    const fraction = ++at;
    for (let digit = digitAt(at); digit < 10; digit = digitAt(++at)) value = value * 10 + digit;
    scale = at - fraction;
    if (scale === 0) return ODD;
    digits += scale;
  }
  if ((load<u8>(at) | 0x20) === 0x65) {
    at = exponentEnd(at + 1);
    if (at === ODD) return ODD;
    hasExponent = true;
  }
  mantissa = value;
  numberBegin = from;
  numberStop = at;
  return at;
}

function exponentEnd(from: i32): i32 {
  let at = from;
  if (load<u8>(at) === PLUS || load<u8>(at) === MINUS) at++;
  if (digitAt(at) > 9) return ODD;
  while (digitAt(at) < 10) at++;
  return at;
}

/**
 * The number that `numberEnd` looked at last; 0 for -0. A quotient of two integers that doubles hold exactly is rounded
 * once, and so to the nearest double (Clinger, How to read floating point numbers accurately, 1990).
 */
export function numberValue(): f64 {
  if (hasExponent || digits > DIGITS_MAX || mantissa > EXACT_MAX || scale > EXACT_POWER_MAX) {
    return parseNumber(numberBegin, numberStop - numberBegin) + 0;
  }
  let value = <f64>mantissa;
  if (scale > 0) {
    let power: f64 = 1;
    for (let index = 0; index < scale; index++) power *= 10;
    value /= power;
  }
  return load<u8>(numberBegin) === MINUS ? 0 - value : value;
}

/** Whether JavaScript writes the number that was looked at last as it stands there. */
export function isPlainInteger(): bool {
  if (hasExponent || scale > 0 || digits > 15) return false;
  return mantissa !== 0 || load<u8>(numberBegin) !== MINUS;
}

/** Where `true`, `false` or `null` ends. */
function literalEnd(at: i32): i32 {
  const four = load<u32>(at);
  if (four === 0x65757274 || four === 0x6c6c756e) return at + 4;
  return four === 0x736c6166 && load<u8>(at, 4) === 0x65 ? at + 5 : ODD;
}

/** Where the value at `at` ends. */
export function valueEnd(at: i32, depth: i32 = 0): i32 {
  const byte = load<u8>(at);
  if (byte === QUOTE) {
    const end = stringEnd(at + 1);
    return end === ODD ? ODD : end + 1;
  }
  if (isNumber(byte)) return numberEnd(at);
  if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) return literalEnd(at);
  return depth === DEPTH_MAX ? ODD : membersEnd(at + 1, depth + 1, byte === OPEN_OBJECT);
}

/** Where the object or array ends whose inside begins at `from`. */
function membersEnd(from: i32, depth: i32, isObject: bool): i32 {
  const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
  let at = skipSpace(from);
  if (load<u8>(at) === close) return at + 1;
  while (true) {
    if (isObject) {
      if (!isQuote(at)) return ODD;
      at = stringEnd(at + 1);
      if (at === ODD) return ODD;
      at = skipSpace(at + 1);
      if (load<u8>(at) !== COLON) return ODD;
      at = skipSpace(at + 1);
    }
    at = valueEnd(at, depth);
    if (at === ODD) return ODD;
    at = skipSpace(at);
    const next = load<u8>(at);
    if (next === close) return at + 1;
    if (next !== COMMA) return ODD;
    at = skipSpace(at + 1);
  }
}

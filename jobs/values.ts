/**
 * What may travel between map and reduce. A value is made canonical the moment it is emitted, so that user code sees
 * the same value whether it went through a file, a socket or neither.
 */
import { isPromise } from './maybe-promise.js';
import { wellFormed } from './utf8.js';

/** User code produced a key, a value or a partition that cannot be used. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  /** The key that it was produced for, where there is one. */
  readonly key: string | undefined;

  constructor(message: string, key?: string) {
    super(message);
    this.key = key;
  }
}

const KEY_LENGTH_SHOWN = 40;

/** A key as messages show it: in quotes, cut when long. */
export function showKey(key: string): string {
  return key.length <= KEY_LENGTH_SHOWN
    ? JSON.stringify(key)
    : `${JSON.stringify(key.slice(0, KEY_LENGTH_SHOWN))}… (${key.length} characters)`;
}

/** Whatever user code gave, as messages show it. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return showKey(value);
  try {
    return encodeValue(value) ?? String(value);
  } catch {
    return typeof value;
  }
}

/** The key as it is kept. Throws ValueError for what is no string. */
export function canonicalKey(key: unknown): string {
  if (typeof key === 'string') return wellFormed(key);
  throw new ValueError(`a key must be a string, but ${showValue(key)} was emitted: use String(key)`);
}

/**
 * The value as it is after its way through the codec. Finite numbers (-0 becomes 0), strings, booleans and null stay;
 * objects and arrays become what JSON makes of them, as fresh copies. Throws ValueError for everything else.
 */
export function canonicalValue(value: unknown, key: string): unknown {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw unusable(String(value), key);
      return value === 0 ? 0 : value;
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : JSON.parse(objectText(value, key));
    default:
      throw unusable(value === undefined ? 'undefined' : `a ${typeof value}`, key);
  }
}

/**
 * What JSON makes of an array of finite numbers, without the text in between: it is what jobs emit most, beside plain
 * numbers and strings. Undefined for any other array, and for -0, which JSON does not know.
 */
export function numbersOf(values: readonly unknown[]): readonly number[] | undefined {
  if ((values as { toJSON?: unknown }).toJSON !== undefined) return undefined;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value !== 'number' || !Number.isFinite(value) || Object.is(value, -0)) return undefined;
  }
  return values.slice() as number[];
}

/** How long the JSON text of an array of finite numbers is. */
export function lengthInJson(numbers: readonly number[]): number {
  let length = 1 + Math.max(1, numbers.length);
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index]!;
    if (number >= 0 && number < 1e9 && Number.isInteger(number)) {
      for (let power = 10; power <= number; power *= 10) length++;
      length++;
    } else {
      length += String(number).length;
    }
  }
  return length;
}

/** The JSON text of a canonical value. */
export function encodeValue(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** The JSON text of an object or array that user code made; throws ValueError if it has none. */
export function objectText(value: object, key: string): string {
  const never = neverKept(value);
  if (never !== undefined) throw lostValue(never, key, []);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new ValueError(
      `the value of key ${showKey(key)} has no JSON form: ${(error as Error).message}`,
      key,
    );
  }
  if (text === undefined) throw unusable('an object without a JSON form', key);
  if (text.includes('{}')) refuseLost(value, key, []);
  return text;
}

/** Throws ValueError for what JSON made {} of without a word, wherever in a value it lies. The path is that to the value. */
function refuseLost(value: object, key: string, path: readonly string[]): void {
  if ('toJSON' in value) return;
  const lost = lostKind(value);
  if (lost !== undefined) throw lostValue(lost, key, path);
  for (const [name, part] of Object.entries(value)) {
    if (typeof part === 'object' && part !== null) refuseLost(part, key, [...path, name]);
  }
}

function lostValue([what, instead]: Lost, key: string, path: readonly string[]): ValueError {
  const place = path.length > 0 ? `holds ${what}, at ${path.join('.')}` : `is ${what}`;
  return new ValueError(
    `the value of key ${showKey(key)} ${place}, of which JSON keeps nothing: ${instead}`,
    key,
  );
}

/** What it is, and what to emit instead. */
type Lost = readonly [what: string, instead: string];

const spread = 'make an array of it, [...it]';

function lostKind(value: object): Lost | undefined {
  const kind = seldomKept(value);
  return neverKept(value) ?? (kind !== undefined && JSON.stringify(value) === '{}' ? kind : undefined);
}

/** What JSON finds in these, if anything, is never what was meant. */
function neverKept(value: object): Lost | undefined {
  if (value instanceof Map) return ['a Map', spread];
  if (value instanceof Set) return ['a Set', spread];
  return isPromise(value) ? ['a promise', 'await it'] : undefined;
}

/** What JSON may find something in. */
function seldomKept(value: object): Lost | undefined {
  if (isStream(value)) return ['something that gives values', spread];
  if (value instanceof Error) return ['an error', 'emit its message'];
  if (value instanceof RegExp) return ['a regular expression', 'emit its source'];
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    return ['a buffer', 'emit an array of its bytes'];
  return undefined;
}

/** A generator, the values of `reduce`, and whatever else is there to be iterated: {} says nothing of what it gives. */
function isStream(value: object): boolean {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return false; // JSON keeps what is in them
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

function unusable(what: string, key: string): ValueError {
  return new ValueError(
    `the value of key ${showKey(key)} is ${what}: a value must be a finite number, a string, a boolean, null, or an object or array of these`,
    key,
  );
}

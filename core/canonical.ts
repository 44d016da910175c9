/**
 * One way to write down plain data, and its hash.
 *
 * Two values that are equal as data have the same canonical text, whatever order their object fields were written in;
 * `undefined` fields count as absent, as they do in JSON. Maps keep their insertion order: a machine that iterates one
 * depends on it, so it is part of the state.
 */
import { type Hash, hashText, mixInt, mixNumber, mixText, newHash } from './hash.js';

/**
 * What kind of value follows, so that `1` and `'1'` differ. A `number` fills one lane of the hash; any other is `wide`,
 * so that its further lanes are never taken for the next value.
 */
const tag = {
  none: 1,
  yes: 2,
  no: 3,
  number: 4,
  text: 5,
  list: 6,
  object: 7,
  map: 8,
  set: 9,
  wide: 10,
} as const;

/** Feeds a value of plain data into the hash. */
export function mixValue(hash: Hash, value: unknown): void {
  switch (typeof value) {
    case 'number':
      mixInt(hash, value >>> 0 === value ? tag.number : tag.wide);
      mixNumber(hash, value);
      return;
    case 'string':
      mixInt(hash, tag.text);
      mixText(hash, value);
      return;
    case 'boolean':
      mixInt(hash, value ? tag.yes : tag.no);
      return;
    case 'undefined':
      mixInt(hash, tag.none);
      return;
    case 'object':
      mixObject(hash, value);
      return;
    default:
      throw new TypeError(`not plain data: ${typeof value}`);
  }
}

function mixObject(hash: Hash, value: object | null): void {
  if (value === null) {
    mixInt(hash, tag.none);
  } else if (Array.isArray(value)) {
    mixInt(hash, tag.list);
    mixInt(hash, value.length);
    for (const item of value) mixValue(hash, item);
  } else if (value instanceof Map) {
    mixInt(hash, tag.map);
    mixInt(hash, value.size);
    for (const [key, item] of value) {
      mixValue(hash, key);
      mixValue(hash, item);
    }
  } else if (value instanceof Set) {
    mixInt(hash, tag.set);
    mixInt(hash, value.size);
    for (const item of value) mixValue(hash, item);
  } else {
    mixFields(hash, value as Record<string, unknown>);
  }
}

/** Fields in any order: the sum of their hashes does not depend on it, and nothing has to be sorted. */
function mixFields(hash: Hash, value: Record<string, unknown>): void {
  mixInt(hash, tag.object);
  let a = 0;
  let b = 0;
  for (const key in value) {
    const item = value[key];
    if (item === undefined) continue;
    const field = newHash();
    mixText(field, key);
    mixValue(field, item);
    a = (a + field.a) | 0;
    b = (b + field.b) | 0;
  }
  mixInt(hash, a);
  mixInt(hash, b);
}

/** The digest of a state or of any plain data: 16 hex digits. */
export function stateDigest(value: unknown): string {
  const hash = newHash();
  mixValue(hash, value);
  return hashText(hash);
}

/** The canonical text of plain data: JSON with sorted fields, Maps and Sets as lists under `$map` and `$set`. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(ordered(value)) ?? 'null';
}

function ordered(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(ordered);
  if (value instanceof Map) return { $map: [...value].map(([key, item]) => [ordered(key), ordered(item)]) };
  if (value instanceof Set) return { $set: [...value].map(ordered) };
  const fields = value as Record<string, unknown>;
  const result: [string, unknown][] = [];
  for (const key of Object.keys(fields).sort()) {
    if (fields[key] !== undefined) result.push([key, ordered(fields[key])]);
  }
  return { $: result };
}

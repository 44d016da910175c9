/**
 * The hash of plain data: the sum, in two lanes, of a hash for each of its leaves, made of the leaf and of the path to it.
 * So the order of fields does not matter and nothing has to be sorted, a path is two integers, and nothing is allocated
 * on the way.
 *
 * Live data and what JSON makes of it have the same hash: `undefined` fields count as absent.
 */
import { type FieldName, fieldAfter, noField, textHash } from './field-names.js';
import { type Hash, newHash } from './hash.js';

/** Walks data of some kind, and learns in which order its fields come. */
export interface Reader {
  /**
   * Fields whose values never change and pass through many hands: each is hashed by itself, once, and its hash kept for
   * as long as it is likely to come again.
   */
  readonly remembered: ReadonlySet<string>;
  readonly first: FieldName;
  hashes: Map<object, Hash>;
  /** Entries of lists, Maps, Sets and objects that it has walked so far, modulo 2^32: what the walking costs, roughly. */
  entries: number;
}

export function newReader(remembered: readonly string[] = []): Reader {
  return { remembered: new Set(remembered), first: noField(), hashes: new Map(), entries: 0 };
}

const hashesKept = 1024;

/** What is no number and no text, and what tells kinds of values apart that would otherwise be the same. */
const mark = {
  none: 0x2c1b3c6d,
  yes: 0x297a2d39,
  no: 0x7feb352d,
  list: 0x46ca68b5,
  empty: 0x1b56c4e9,
  wide: 0x27d4eb2f,
  text: 0x165667b1,
  map: 0x3d4d51cb,
  set: 0x5bd1e995,
} as const;

/** Feeds a value of plain data into the hash. Throws TypeError for anything else. */
export function addValue(reader: Reader, hash: Hash, value: unknown): void {
  add(reader, hash, hash.a, hash.b, value, reader.first);
}

/** `a` and `b` are the path to the value, `field` the last name in it. */
function add(reader: Reader, sum: Hash, a: number, b: number, value: unknown, field: FieldName): void {
  if (typeof value === 'object') {
    if (value === null) addLeaf(sum, a, b, mark.none, 0);
    else if (field.remembered) addRemembered(reader, sum, a, b, value, field);
    else addObject(reader, sum, a, b, value, field);
  } else if (typeof value === 'number') addNumber(sum, a, b, value);
  else if (typeof value === 'string') addText(sum, a, b, value);
  else if (typeof value === 'boolean') addLeaf(sum, a, b, value ? mark.yes : mark.no, 0);
  else if (value === undefined) addLeaf(sum, a, b, mark.none, 0);
  else throw new TypeError(`not plain data: ${typeof value}`);
}

function addRemembered(
  reader: Reader,
  sum: Hash,
  a: number,
  b: number,
  value: object,
  field: FieldName,
): void {
  // Of a list, not of each of its items: it alone comes again, and they would push it out of what is kept.
  const keeps = Array.isArray(value);
  let own = keeps ? reader.hashes.get(value) : undefined;
  if (own === undefined) {
    own = newHash();
    addObject(reader, own, own.a, own.b, value, field);
    if (keeps) {
      if (reader.hashes.size >= hashesKept) reader.hashes = new Map();
      reader.hashes.set(value, own);
    }
  }
  addLeaf(sum, a, b, own.a, own.b);
}

function addObject(reader: Reader, sum: Hash, a: number, b: number, value: object, field: FieldName): void {
  if (Array.isArray(value)) {
    addLeaf(sum, a, b, mark.list, value.length);
    reader.entries = (reader.entries + value.length) | 0;
    for (let i = 0; i < value.length; i++) add(reader, sum, inA(a, i), inB(b, i), value[i], field);
  } else if (value instanceof Map) {
    addLeaf(sum, a, b, mark.map, value.size);
    reader.entries = (reader.entries + value.size) | 0;
    let i = 0;
    for (const [key, item] of value) {
      add(reader, sum, inA(a, i), inB(b, i), key, field);
      i++;
      add(reader, sum, inA(a, i), inB(b, i), item, field);
      i++;
    }
  } else if (value instanceof Set) {
    addLeaf(sum, a, b, mark.set, value.size);
    reader.entries = (reader.entries + value.size) | 0;
    let i = 0;
    for (const item of value) {
      add(reader, sum, inA(a, i), inB(b, i), item, field);
      i++;
    }
  } else {
    addFields(reader, sum, a, b, value as Record<string, unknown>, field);
  }
}

function addFields(
  reader: Reader,
  sum: Hash,
  a: number,
  b: number,
  value: Record<string, unknown>,
  parent: FieldName,
): void {
  let field = (parent.within ??= noField());
  let entries = 0;
  for (const name in value) {
    const item = value[name];
    if (item === undefined) continue;
    entries++;
    const { next } = field;
    field = next !== undefined && next.name === name ? next : fieldAfter(field, name, reader.remembered);
    const atA = inA(a, field.a);
    const atB = inB(b, field.b);
    // The two most frequent kinds here and not in `add`: this is where all the time goes.
    if (typeof item === 'number') addNumber(sum, atA, atB, item);
    else if (typeof item === 'string') addText(sum, atA, atB, item);
    else add(reader, sum, atA, atB, item, field);
  }
  reader.entries = (reader.entries + entries) | 0;
  if (entries === 0) addLeaf(sum, a, b, mark.empty, 0);
}

/** Any double; -0 and 0 are one, as in JSON. */
function addNumber(sum: Hash, a: number, b: number, value: number): void {
  const low = value | 0;
  if (low === value) addLeaf(sum, a, b, low, low);
  else if (Number.isSafeInteger(value)) addLeaf(sum, a ^ mark.wide, b, low, Math.floor(value / 4294967296));
  else addText(sum, a ^ mark.wide, b, String(value));
}

function addText(sum: Hash, a: number, b: number, value: string): void {
  const text = textHash(value);
  addLeaf(sum, a, b ^ mark.text, text.a, text.b);
}

/** One step of a path, in each lane: into a field, by the hash of its name, or into a list, by the index. */
function inA(a: number, step: number): number {
  return Math.imul(a ^ step, 0x9e3779b1);
}
function inB(b: number, step: number): number {
  return Math.imul(b + step, 0x85ebca77);
}

/** Multiply-xorshift after MurmurHash3's finalizer (Appleby), each lane once crossed with the other. */
function addLeaf(sum: Hash, pathA: number, pathB: number, valueA: number, valueB: number): void {
  let a = Math.imul(pathA ^ valueA, 0xcc9e2d51);
  a ^= a >>> 15;
  let b = Math.imul(pathB + valueB, 0x1b873593);
  b ^= b >>> 14;
  a = Math.imul(a + b, 0x85ebca6b);
  a ^= a >>> 13;
  b = Math.imul(b ^ a, 0xc2b2ae35);
  sum.a = (sum.a + a) | 0;
  sum.b = (sum.b + (b ^ (b >>> 16))) | 0;
}

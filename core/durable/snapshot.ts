/**
 * The durable state as text and back, for snapshots in the journal. Knows nothing of what the state means, so a field
 * that is new tomorrow is in it by itself.
 *
 * Canonical: two states that are equal as data have the same text. JSON of nested lists, where an object's names stand
 * once: `[names, value]`, a list as `[0, …items]`, a Map as `[1, key, value, …]` in its order, an object as
 * `[n + 2, …values]` by the n-th list of names. A field that is `undefined` is left out; in a list it is `null`, and so
 * the state may hold no `null`.
 */
import type { DurableState } from './state.js';

type Packed = number | string | boolean | null | readonly Packed[];

const listTag = 0;
const mapTag = 1;
const firstShapeTag = 2;

/** The numbers of the lists of names that a text has so far, by the list. */
type Shapes = Map<Names, number>;
type Names = readonly string[];

/** Field names in the order in which they were written, one after the other: objects are mostly written alike. */
interface WrittenNames {
  /** Sorted: of objects that have these names and no more. */
  sorted: Names | undefined;
  readonly next: Map<string, WrittenNames>;
}

/** Found once for every kind of object that a state has, of which there are a few: nothing depends on it. */
const written: WrittenNames = { sorted: undefined, next: new Map() };
/** The one list of these names, by all of them. */
const sortedNames = new Map<string, Names>();

/** Cost O(state). */
export function packState(state: DurableState): string {
  const shapes: Shapes = new Map();
  const value = pack(state, shapes);
  return JSON.stringify([[...shapes.keys()], value]);
}

/** The state that was packed; a field that was `undefined` is absent. */
export function unpackState(text: string): DurableState {
  const [shapes, value] = JSON.parse(text) as [string[][], Packed];
  return unpack(value, shapes) as DurableState;
}

function pack(value: unknown, shapes: Shapes): Packed {
  if (value === undefined) return null;
  if (typeof value !== 'object') return value as Packed;
  const packed: Packed[] = [];
  if (Array.isArray(value)) {
    packed.push(listTag);
    for (const item of value) packed.push(pack(item, shapes));
  } else if (value instanceof Map) {
    packed.push(mapTag);
    for (const [key, item] of value) packed.push(pack(key, shapes), pack(item, shapes));
  } else {
    const fields = value as Record<string, unknown>;
    const names = namesOf(fields);
    let tag = shapes.get(names);
    if (tag === undefined) shapes.set(names, (tag = firstShapeTag + shapes.size));
    packed.push(tag);
    for (const name of names) packed.push(pack(fields[name], shapes));
  }
  return packed;
}

/** Of the fields that are there, sorted; one list for all objects with the same names. */
function namesOf(fields: Record<string, unknown>): Names {
  let path = written;
  for (const name in fields) {
    if (fields[name] === undefined) continue;
    let next = path.next.get(name);
    if (!next) path.next.set(name, (next = { sorted: undefined, next: new Map() }));
    path = next;
  }
  path.sorted ??= sortedNamesOf(fields);
  return path.sorted;
}

function sortedNamesOf(fields: Record<string, unknown>): Names {
  const names = Object.keys(fields)
    .filter((name) => fields[name] !== undefined)
    .sort();
  const key = names.join(' ');
  const known = sortedNames.get(key) ?? names;
  sortedNames.set(key, known);
  return known;
}

function unpack(value: Packed, shapes: readonly (readonly string[])[]): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  const tag = value[0] as number;
  if (tag === listTag) {
    const list: unknown[] = [];
    for (let index = 1; index < value.length; index++) list.push(unpack(value[index]!, shapes));
    return list;
  }
  if (tag === mapTag) {
    const map = new Map<unknown, unknown>();
    for (let index = 1; index < value.length; index += 2) {
      map.set(unpack(value[index]!, shapes), unpack(value[index + 1]!, shapes));
    }
    return map;
  }
  const names = shapes[tag - firstShapeTag]!;
  const fields: Record<string, unknown> = {};
  for (let index = 0; index < names.length; index++) {
    fields[names[index]!] = unpack(value[index + 1]!, shapes);
  }
  return fields;
}

/** Pieces that, each written as a JSON string in UTF-8, take at most `bytesMax` bytes; at least one piece. */
export function cutText(text: string, bytesMax: number): string[] {
  if (text.length * costMax <= bytesMax) return [text];
  const pieces: string[] = [];
  let begin = 0;
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const cost = costOf(text.charCodeAt(at));
    if (bytes + cost > bytesMax && at > begin) {
      pieces.push(text.slice(begin, at));
      begin = at;
      bytes = 0;
    }
    bytes += cost;
  }
  pieces.push(text.slice(begin));
  return pieces;
}

/** Of any UTF-16 unit. */
const costMax = 6;

/** Bytes of one UTF-16 unit in a JSON string, from above: half of a pair that is cut apart is written as an escape. */
function costOf(unit: number): number {
  if (unit === 0x22 || unit === 0x5c) return 2;
  if (unit < 0x20 || (unit >= 0xd800 && unit <= 0xdfff)) return costMax;
  return unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
}

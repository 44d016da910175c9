/**
 * Plain data, whatever its fields: copying it, renaming in it and hashing it. Nothing here knows what a
 * machine's state looks like, so new fields need no change.
 */

/**
 * A copy that shares nothing but what is frozen. Two places that hold the same object hold one and the same copy of it.
 */
export function copyOf<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function copy(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    const list: unknown[] = new Array(value.length);
    copies.set(value, list);
    for (let index = 0; index < value.length; index++) list[index] = copy(value[index], copies);
    return list;
  }
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    copies.set(value, map);
    for (const [key, item] of value) map.set(key, copy(item, copies));
    return map;
  }
  if (value instanceof Set) {
    const set = new Set(value);
    copies.set(value, set);
    return set;
  }
  const fields = value as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  copies.set(value, result);
  for (const key in fields) result[key] = copy(fields[key], copies);
  return result;
}

/** A copy that nobody can change: whoever tries gets an error. Of objects and arrays only. */
export function frozen<T>(value: T): T {
  return freeze(copyOf(value));
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

/** A copy in which every word that `names` knows is another, in texts and keys; a text is words with spaces between. */
export function renamed<T>(value: T, names: ReadonlyMap<string, string>): T {
  return rename(value, names, new Map()) as T;
}

function rename(value: unknown, names: ReadonlyMap<string, string>, copies: Map<object, unknown>): unknown {
  if (typeof value === 'string') return renamedText(value, names);
  if (typeof value !== 'object' || value === null) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const again = (item: unknown): unknown => rename(item, names, copies);
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    copies.set(value, list);
    for (const item of value) list.push(again(item));
    return list;
  }
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    copies.set(value, map);
    for (const [key, item] of value) map.set(again(key), again(item));
    return map;
  }
  if (value instanceof Set) {
    const set = new Set([...value].map(again));
    copies.set(value, set);
    return set;
  }
  const fields = value as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  copies.set(value, result);
  for (const key in fields) result[renamedText(key, names)] = again(fields[key]);
  return result;
}

function renamedText(text: string, names: ReadonlyMap<string, string>): string {
  if (!text.includes(' ')) return names.get(text) ?? text;
  return text
    .split(' ')
    .map((word) => names.get(word) ?? word)
    .join(' ');
}

/** A number of 30 bits that equal data share: of its values in their order, not of the names of its fields. */
export function hashOf(value: unknown): number {
  return finish(mix(0x2f0b4a27, value)) & 0x3fffffff;
}

function mix(hash: number, value: unknown): number {
  switch (typeof value) {
    case 'number':
      return round(hash, value | 0);
    case 'string':
      return round(hash, textHash(value));
    case 'object': {
      if (value === null) return round(hash, 1);
      let mixed = hash;
      if (Array.isArray(value)) {
        for (const item of value) mixed = mix(mixed, item);
        return round(mixed, value.length);
      }
      if (value instanceof Map) {
        for (const [key, item] of value) mixed = mix(mix(mixed, key), item);
        return round(mixed, value.size);
      }
      if (value instanceof Set) {
        for (const item of value) mixed = mix(mixed, item);
        return round(mixed, value.size);
      }
      const fields = value as Record<string, unknown>;
      for (const name in fields) if (fields[name] !== undefined) mixed = mix(mixed, fields[name]);
      return mixed;
    }
    default:
      return round(hash, value === true ? 2 : 3);
  }
}

const textHashes = new Map<string, number>();

function textHash(text: string): number {
  let hash = textHashes.get(text);
  if (hash === undefined) {
    hash = text.length;
    for (let index = 0; index < text.length; index++) hash = round(hash, text.charCodeAt(index));
    textHashes.set(text, hash);
  }
  return hash;
}

function round(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ Math.imul(word, 0xcc9e2d51), 0x1b873593);
  return mixed ^ (mixed >>> 15);
}

/** The finalizer of MurmurHash3 (Appleby). */
function finish(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

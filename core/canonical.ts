/**
 * One way to write down plain data, and its hash.
 *
 * Two values that are equal as data have the same canonical text, whatever order their object fields were written in;
 * `undefined` fields count as absent, as they do in JSON. Maps keep their insertion order: a machine that iterates one
 * depends on it, so it is part of the state.
 */
import { type Hash, hashText, newHash } from './hash.js';
import { addValue, newReader } from './value-hash.js';

/** States and whatever else is still going to change: nothing of it is remembered. */
const changing = newReader();

/** Feeds a value of plain data into the hash. */
export function mixValue(hash: Hash, value: unknown): void {
  addValue(changing, hash, value);
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

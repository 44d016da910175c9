/**
 * The name of a record within its task: short, and the same in every attempt, so that a record at which user code fails
 * can be told again and left out. A line is known by its number in the split, from 0; a key by itself or, when it is
 * long, by its beginning and 128 bits of its hash.
 */
import { murmur3 } from './murmur3.js';

const keyLengthMax = 100;
const beginningLength = 40;

export function lineRecord(number: number): string {
  return String(number);
}

export function keyRecord(key: string): string {
  if (key.length <= keyLengthMax) return `=${key}`;
  const hash = [0, 1, 2, 3].map((salt) => murmur3(`${salt} ${key}`).toString(16).padStart(8, '0'));
  return `#${key.slice(0, beginningLength)}…${hash.join('')}`;
}

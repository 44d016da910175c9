/**
 * Which generation of map outputs a reduce has read: a sum over (task, digest), so that the order of reading does not
 * matter and replacing one map's output costs O(1). Two reduces of a job mix generations exactly if their texts differ.
 */
import { hashText, mixInt, mixText, newHash } from './hash.js';
import type { TaskIndex } from './ids.js';

export interface Generation {
  a: number;
  b: number;
}

export function newGeneration(): Generation {
  return { a: 0, b: 0 };
}

/** Adds (`by` 1) or takes away (`by` -1) the output of a map. */
export function mixGeneration(generation: Generation, task: TaskIndex, digest: string, by: 1 | -1): void {
  const hash = newHash();
  mixInt(hash, task);
  mixText(hash, digest);
  generation.a = (generation.a + Math.imul(by, hash.a)) | 0;
  generation.b = (generation.b + Math.imul(by, hash.b)) | 0;
}

/** Adds what another has read. */
export function addGeneration(generation: Generation, other: Generation): void {
  generation.a = (generation.a + other.a) | 0;
  generation.b = (generation.b + other.b) | 0;
}

/** 16 hex digits. */
export function generationText(generation: Generation): string {
  return hashText(generation);
}

/** How often each word occurs. A word is a maximal run of Unicode letters; case is kept. */
import { sum } from '../aggregates.js';
import { defineJob } from '../define.js';
import type { Emit } from '../types.js';
import type { Builtin } from './builtin.js';

const WORD = /\p{L}+/gu;

/** The `map` of counting words. */
export function emitWords(line: string, emit: Emit): void {
  const words = line.match(WORD);
  if (words === null) return;
  for (const word of words) emit(word, 1);
}

export const wordCount: Builtin = {
  job: defineJob({ name: 'word-count', words: 'letters', combine: sum, reduce: sum }),
  summary: 'how often each word occurs; a word is a run of Unicode letters',
  params: [],
};

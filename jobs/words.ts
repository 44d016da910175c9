/** What a word is, for jobs that are given words. */
import type { Job } from './types.js';

export const wordKinds = ['letters', 'whitespace'] as const;

/** `letters`: a maximal run of Unicode letters, case kept; `whitespace`: whatever stands between white space. */
export type WordKind = (typeof wordKinds)[number];

const LETTERS = /\p{L}+/gu;
const SPACED = /\S+/g;

/** The words of a text, in order. */
export function wordsOf(kind: WordKind, text: string): readonly string[] {
  return text.match(kind === 'letters' ? LETTERS : SPACED) ?? [];
}

/** The same job, asked line by line: for whoever has to look at lines. */
export function byLine(job: Job): Job {
  const { words } = job;
  if (words === undefined) return job;
  const map: Job['map'] = (line, emit, context) => {
    for (const word of wordsOf(words, line as string)) job.map(word, emit, context);
  };
  return { ...job, words: undefined, map };
}

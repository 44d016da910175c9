/** What a word is, for jobs that are given words. */

export const wordKinds = ['letters', 'whitespace'] as const;

/** `letters`: a maximal run of Unicode letters, case kept; `whitespace`: whatever stands between white space. */
export type WordKind = (typeof wordKinds)[number];

const LETTERS = /\p{L}+/gu;
const SPACED = /\S+/g;

/** The words of a text, in order. */
export function wordsOf(kind: WordKind, text: string): readonly string[] {
  return text.match(kind === 'letters' ? LETTERS : SPACED) ?? [];
}

/**
 * In which inputs each word occurs: `word 3 a.txt,b.txt,c.txt`, the number of inputs and their names in the order of
 * their UTF-8 bytes. Words as in word-count.
 *
 * A value is the JSON text of a sorted array of names: a string is cheap to emit for every word, an array would not be.
 */
import { defineJob } from '../define.js';
import type { Emit } from '../types.js';
import { compareUtf8 } from '../utf8.js';
import type { Builtin } from './builtin.js';
import { WORD } from './word-count.js';

function unite(values: Iterable<string>): string[] {
  const names = new Set<string>();
  let last: string | undefined;
  for (const value of values) {
    if (value === last) continue;
    last = value;
    for (const name of JSON.parse(value) as string[]) names.add(name);
  }
  return [...names].sort(compareUtf8);
}

export const invertedIndex: Builtin = {
  job: defineJob({
    name: 'inverted-index',
    map(line, emit: Emit<string, string>, ctx) {
      const words = line.match(WORD);
      if (words === null) return;
      const names = JSON.stringify([ctx.input.name]);
      for (const word of words) emit(word, names);
    },
    combine: (_word, values) => JSON.stringify(unite(values)),
    reduce(_word, values) {
      const names = unite(values);
      return `${names.length} ${names.join(',')}`;
    },
  }),
  summary: 'in how many inputs, and which, each word occurs',
  params: [],
};

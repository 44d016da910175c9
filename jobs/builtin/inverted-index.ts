/**
 * In which inputs each word occurs: `word 3 a.txt,b.txt,c.txt`, the number of inputs and their names in the order of
 * their UTF-8 bytes. Words as in word-count.
 *
 * A value is the names with a NUL between them, which no name holds: nearly always it is one name, and then it costs
 * nothing to make and to read.
 */
import { defineJob } from '../define.js';
import type { Emit } from '../types.js';
import { compareUtf8 } from '../utf8.js';
import type { Builtin } from './builtin.js';

const BETWEEN = '\0';

/** All names of the values, each once and in order. Nearly always there is but one value, and nothing to do. */
function unite(values: Iterable<string>): string {
  let last: string | undefined;
  let names: Set<string> | undefined;
  for (const value of values) {
    if (value === last) continue;
    if (last !== undefined) {
      names ??= new Set(last.split(BETWEEN));
      for (const name of value.split(BETWEEN)) names.add(name);
    }
    last = value;
  }
  return names === undefined ? last! : [...names].sort(compareUtf8).join(BETWEEN);
}

export const invertedIndex: Builtin = {
  job: defineJob({
    name: 'inverted-index',
    words: 'letters',
    map(word, emit: Emit<string, string>, { input }) {
      emit(word, input.name);
    },
    combine: (_word, values) => unite(values),
    reduce(_word, values) {
      const names = unite(values).split(BETWEEN);
      return `${names.length} ${names.join(',')}`;
    },
  }),
  summary: 'in how many inputs, and which, each word occurs',
  params: [],
};

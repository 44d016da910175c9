/** A word count as a user writes it. */
import { defineJob, sum } from 'mapreduce-rehearsal';

export default defineJob({
  name: 'words-by-regex',
  map(line, emit) {
    for (const word of line.match(/\p{L}+/gu) ?? []) emit(word, 1);
  },
  combine: sum,
  reduce: sum,
});

/** The same without a combiner: every word travels alone. */
import { defineJob, sum } from 'mapreduce-rehearsal';

export default defineJob({
  name: 'words-one-at-a-time',
  map(line, emit) {
    for (const word of line.match(/\p{L}+/gu) ?? []) emit(word, 1);
  },
  reduce: sum,
});

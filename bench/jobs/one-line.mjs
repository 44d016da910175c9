/** A task with next to nothing to do: one pair for each line. */
import { defineJob, sum } from 'mapreduce-rehearsal';

export default defineJob({
  name: 'one-line',
  map(_line, emit) {
    emit('lines', 1);
  },
  combine: sum,
  reduce: sum,
});

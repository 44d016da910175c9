/** Every line once. */
import { defineJob } from '../define.js';
import type { Builtin } from './builtin.js';

export const distinct: Builtin = {
  job: defineJob({
    name: 'distinct',
    outputFormat: 'lines',
    map(line, emit) {
      emit(line, 1);
    },
    combine: () => 1,
    reduce: (line) => line,
  }),
  summary: 'every line once',
  params: [],
};

/**
 * All lines in the order of their UTF-8 bytes: part after part, the output is sorted as a whole. As `LC_ALL=C sort`, but
 * that bytes which are no UTF-8 come out as U+FFFD.
 */
import { sum } from '../aggregates.js';
import { defineJob } from '../define.js';
import { type Builtin, booleanParam } from './builtin.js';

export const sort: Builtin = {
  job: defineJob({
    name: 'sort',
    outputFormat: 'lines',
    partition: 'range',
    map(line, emit) {
      emit(line, 1);
    },
    combine: sum,
    *reduce(line, counts, { params }) {
      const times = params.unique === 'true' ? 1 : sum(line, counts);
      for (let time = 0; time < times; time++) yield line;
    },
  }),
  summary: 'all lines, sorted as a whole over all parts',
  params: [
    { name: 'unique', summary: 'true to write equal lines once; false unless given', required: false },
  ],
  check: (params) => booleanParam('sort', params, 'unique'),
};

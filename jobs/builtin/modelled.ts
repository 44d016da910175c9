/** The job of scenarios whose work is modelled: counts words, while the driver decides how long a task takes. */
import { sum } from '../aggregates.js';
import { defineJob } from '../define.js';
import type { Builtin } from './builtin.js';
import { emitWords } from './word-count.js';

export const modelled: Builtin = {
  job: defineJob({ name: 'modelled', map: emitWords, combine: sum, reduce: sum }),
  summary: 'counts words at the pace that a scenario gives',
  params: [],
};

/** The built-in jobs by name. */
import type { Builtin } from './builtin.js';
import { grep } from './grep.js';
import { invertedIndex } from './inverted-index.js';
import { modelled } from './modelled.js';
import { wordCount } from './word-count.js';

export const builtinJobs: ReadonlyMap<string, Builtin> = new Map(
  [wordCount, grep, invertedIndex, modelled].map((builtin) => [builtin.job.name, builtin]),
);

/** Jobs whose code cannot stand some lines and keys, for rehearsals: bad records that are there on purpose. */
import type { Job } from './types.js';
import { wordsOf } from './words.js';

export interface Poison {
  /** Lines at which `map` throws. */
  readonly lines: readonly string[];
  /** Keys at which `reduce` throws. */
  readonly keys: readonly string[];
}

export function poisoned(job: Job, { lines, keys }: Poison): Job {
  if (lines.length + keys.length === 0) return job;
  const asked = byLine(job);
  const map: Job['map'] = (line, emit, context) => {
    if (lines.includes(line)) throw new Error(`the scenario has the line ${JSON.stringify(line)} throw`);
    return asked.map(line, emit, context);
  };
  const { reduce } = job;
  if (reduce === 'none') return { ...asked, map };
  const picky: Job['reduce'] = (key, values, context) => {
    if (keys.includes(key)) throw new Error(`the scenario has the key ${JSON.stringify(key)} throw`);
    return reduce(key, values, context);
  };
  return { ...asked, map, reduce: picky };
}

/** The same job, asked line by line: for whoever has to look at lines. */
function byLine(job: Job): Job {
  const { words } = job;
  if (words === undefined) return { ...job, mapBytes: undefined };
  const map: Job['map'] = (line, emit, context) => {
    for (const word of wordsOf(words, line as string)) job.map(word, emit, context);
  };
  return { ...job, words: undefined, map };
}

/**
 * The lines that match a regular expression, each once, with how often it occurs behind it: as `grep PATTERN | sort | uniq -c`,
 * but that backslashes and tabs in a line are escaped, as in all text output.
 */
import { sum } from '../aggregates.js';
import { defineJob } from '../define.js';
import type { Params } from '../types.js';
import { type Builtin, booleanParam, ParamsError } from './builtin.js';

function compile(params: Params): RegExp {
  const { pattern = '', ignoreCase = 'false' } = params;
  if (pattern === '') throw new ParamsError('grep: the pattern is empty');
  booleanParam('grep', params, 'ignoreCase');
  try {
    return new RegExp(pattern, ignoreCase === 'true' ? 'iu' : 'u');
  } catch (error) {
    throw new ParamsError(`grep: the pattern does not compile: ${(error as Error).message}`);
  }
}

/** One expression per task, whose params are one object. */
const compiled = new WeakMap<Params, RegExp>();

export const grep: Builtin = {
  job: defineJob({
    name: 'grep',
    map(line, emit, { params }) {
      let expression = compiled.get(params);
      if (expression === undefined) compiled.set(params, (expression = compile(params)));
      if (expression.test(line)) emit(line, 1);
    },
    combine: sum,
    reduce: sum,
  }),
  summary: 'the lines that match a pattern, each with how often it occurs',
  params: [
    { name: 'pattern', summary: 'a JavaScript regular expression (with the u flag)', required: true },
    {
      name: 'ignoreCase',
      summary: 'true to match letters of either case; false unless given',
      required: false,
    },
  ],
  check: compile,
};

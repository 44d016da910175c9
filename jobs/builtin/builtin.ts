/** What a built-in job is besides a job: a summary and documented params, checked before anything starts. */
import { suggest } from '../suggest.js';
import type { Job, Params } from '../types.js';

export interface ParamDoc {
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
}

export interface Builtin {
  readonly job: Job;
  /** One line for `rehearse run --help`. */
  readonly summary: string;
  readonly params: readonly ParamDoc[];
  /** Throws ParamsError where a value is wrong in itself. */
  readonly check?: (params: Params) => void;
}

/** The params given do not fit the job: nothing was run. */
export class ParamsError extends Error {
  override readonly name = 'ParamsError';
  readonly code = 'job-params';
}

/** Throws ParamsError if a param is unknown, missing or wrong. */
export function checkParams(builtin: Builtin, params: Params): void {
  const { name } = builtin.job;
  const known = builtin.params.map((param) => param.name);
  for (const given of Object.keys(params)) {
    if (known.includes(given)) continue;
    const meant = suggest(given, known);
    const all = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
    throw new ParamsError(
      `${name}: unknown param "${given}"; ${meant === undefined ? all : `did you mean "${meant}"?`}`,
    );
  }
  for (const param of builtin.params) {
    if (param.required && !Object.hasOwn(params, param.name)) {
      throw new ParamsError(`${name}: needs --param ${param.name}=…, ${param.summary}`);
    }
  }
  builtin.check?.(params);
}

/** What a built-in job is besides a job: a summary and documented params, checked before anything starts. */
import type { Pipeline, Program } from '../pipeline.js';
import { suggest } from '../suggest.js';
import type { Job, Params } from '../types.js';

export interface ParamDoc {
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
}

export interface Builtin extends Documented {
  /** The job without params. */
  readonly job: Job;
  /** Where the params decide what the job is; of the same name. */
  readonly jobOf?: (params: Params) => Job;
}

export interface BuiltinPipeline extends Documented {
  readonly pipeline: Pipeline;
}

interface Documented {
  /** One line for `rehearse run --help`. */
  readonly summary: string;
  readonly params: readonly ParamDoc[];
  /** Throws ParamsError where a value is wrong in itself. */
  readonly check?: (params: Params) => void;
}

/** What runs. */
export function programOf(builtin: Builtin | BuiltinPipeline): Program {
  return 'job' in builtin ? (builtin.jobOf ?? builtin.job) : builtin.pipeline;
}

/** The params given do not fit the job: nothing was run. */
export class ParamsError extends Error {
  override readonly name = 'ParamsError';
  readonly code = 'job-params';
}

/** Throws ParamsError if a param is unknown, missing or wrong. */
export function checkParams(builtin: Builtin | BuiltinPipeline, params: Params): void {
  const { name } = 'job' in builtin ? builtin.job : builtin.pipeline;
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

/** Throws ParamsError unless the param is absent, `true` or `false`. */
export function booleanParam(job: string, params: Params, name: string): void {
  choiceParam(job, params, name, ['true', 'false']);
}

/** Throws ParamsError unless the param is absent or one of the choices. */
export function choiceParam(job: string, params: Params, name: string, choices: readonly string[]): void {
  const given = params[name];
  if (given === undefined || choices.includes(given)) return;
  throw new ParamsError(`${job}: ${name} is one of ${choices.join(', ')}, not "${given}"`);
}

/** NaN for what is not written in decimal digits, such as nothing at all: `Number` takes that for 0. */
export function decimal(text: string): number {
  return /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}

/** A whole number of at least `least`; `otherwise` when the param is absent. Throws ParamsError. */
export function countParam(
  job: string,
  params: Params,
  name: string,
  least: number,
  otherwise: number,
): number {
  const given = params[name];
  if (given === undefined) return otherwise;
  const value = decimal(given);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new ParamsError(`${job}: ${name} is a whole number from ${least} on, not "${given}"`);
}

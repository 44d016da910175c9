/** `defineJob`: where the types of a job are inferred and its fields are checked, also for those who write JavaScript. */
import { knownAs, once } from './aggregates.js';
import { groupingFunctions } from './grouping.js';
import { type InputFormat, inputFormats } from './input-format.js';
import { outputFormats } from './output-format.js';
import { isStandardSchema, type StandardSchema } from './standard-schema.js';
import { suggest } from './suggest.js';
import type {
  Aggregates,
  Emit,
  GroupJobDefinition,
  Job,
  JobDefinition,
  MapContext,
  MapEmit,
  Params,
  WordJobDefinition,
} from './types.js';
import { wellFormed } from './utf8.js';
import { wordKinds } from './words.js';

/** The job is not one: nothing was run. */
export class JobDefinitionError extends Error {
  override readonly name = 'JobDefinitionError';
  readonly code = 'job-definition';
}

const FUNCTION_FIELDS = [
  'map',
  'mapBytes',
  'combine',
  'reduce',
  'partition',
  'orderValues',
  'setup',
  'teardown',
] as const;
const REQUIRED: readonly string[] = ['map', 'reduce'];
/** Fields that name one of a few, and what they may be besides a function. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  inputFormat: inputFormats,
  outputFormat: outputFormats,
  words: wordKinds,
  partition: ['range'],
  reduce: ['none'],
};
const GROUP_FIELDS = ['groupBy', 'aggregates'] as const;
const FIELDS: readonly string[] = [
  'name',
  ...FUNCTION_FIELDS,
  'params',
  'inputFormat',
  'fields',
  'outputFormat',
  'words',
  ...GROUP_FIELDS,
];
const NAME_LENGTH_MAX = 100;

type EmittedKey<E> = E extends Emit<infer K extends string, never> ? K : string;
type EmittedValue<E> = E extends Emit<never, infer V> ? V : number;

/**
 * Defines a job. Write `map` before `combine` and `reduce`: TypeScript infers the types of keys and values from it.
 *
 * - `map(line, emit)`: keys are strings and values numbers
 * - `map(line, emit: Emit<string, Visit>)`: as annotated
 * - `*map(line, ctx)` that yields `[key, value]`: as yielded
 * - `words: 'letters'`: the job is given words, and counts them unless `map(word, emit)` says otherwise
 * - `groupBy: 'host', aggregates: { total: { sum: 'bytes' } }`: the job has no functions at all
 * - `params: z.object({ limit: z.coerce.number().default(10) })`: `ctx.params.limit` is a number
 *
 * Throws JobDefinitionError if a field is missing, unknown or of the wrong kind.
 */
export function defineJob<const A extends Aggregates>(
  job: GroupJobDefinition<A>,
): JobDefinition<string, readonly number[], { readonly [N in keyof A]: number }>;
export function defineJob<V = number, R = unknown, P = Params>(
  job: WordJobDefinition<V, R, P>,
): JobDefinition<string, V, R, MapEmit<string, V, P>, 'lines', P>;
export function defineJob<
  P,
  E extends Emit<never, never> | MapContext<NoInfer<P>> = MapEmit<string, number, P>,
  K extends string = EmittedKey<E>,
  V = EmittedValue<E>,
  R = unknown,
  I extends InputFormat = 'lines',
>(
  job: JobDefinition<K, V, R, E, I, P> & { readonly params: StandardSchema<P> },
): JobDefinition<K, V, R, MapEmit<K, V, P>, I, P>;
export function defineJob<
  E extends Emit<never, never> | MapContext = MapEmit,
  K extends string = EmittedKey<E>,
  V = EmittedValue<E>,
  R = unknown,
  I extends InputFormat = 'lines',
>(job: JobDefinition<K, V, R, E, I>): JobDefinition<K, V, R, MapEmit<K, V>, I>;
export function defineJob(job: object): Job {
  return validateJob(job);
}

/** The same check for a value of unknown origin, a module's default export say. */
export function validateJob(value: unknown): Job {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JobDefinitionError(`a job is an object { name, map, reduce }, not ${kindOf(value)}`);
  }
  if (value instanceof Promise) {
    const instead = 'use top-level await (export default await …), and functions that are not async';
    throw new JobDefinitionError(`a job is an object, and not the promise of one: ${instead}`);
  }
  const fields = value as Record<string, unknown>;
  const title = jobTitle(fields.name);
  for (const field of Object.keys(fields)) {
    if (FIELDS.includes(field)) continue;
    const meant = suggest(field, FIELDS);
    const hint = meant === undefined ? `its fields are ${FIELDS.join(', ')}` : `did you mean "${meant}"?`;
    throw new JobDefinitionError(`${title}: unknown field "${field}"; ${hint}`);
  }
  checkSchema(title, fields.params);
  for (const [field, choices] of Object.entries(CHOICES)) checkChoice(title, field, fields[field], choices);
  if (GROUP_FIELDS.some((field) => fields[field] !== undefined)) return groupJob(title, fields);
  for (const field of FUNCTION_FIELDS) {
    const given = fields[field];
    if (typeof given === 'function' || (typeof given === 'string' && CHOICES[field])) continue;
    if (given !== undefined)
      throw new JobDefinitionError(`${title}: ${field} must be a function, not ${kindOf(given)}`);
    if (field === 'map' && fields.words !== undefined) continue;
    if (REQUIRED.includes(field)) throw new JobDefinitionError(`${title}: has no ${field}`);
  }
  if (fields.words !== undefined && (fields.inputFormat ?? 'lines') !== 'lines') {
    throw new JobDefinitionError(`${title}: words are those of lines, so inputFormat can only be "lines"`);
  }
  checkFields(title, fields.fields, fields.inputFormat);
  checkBytes(title, fields);
  if (fields.reduce === 'none') {
    const idle = ['combine', 'partition', 'orderValues'].find((field) => fields[field] !== undefined);
    if (idle) throw new JobDefinitionError(`${title}: ${idle} does nothing in a job whose reduce is "none"`);
  }
  if (knownAs(fields.combine) === 'count') {
    throw new JobDefinitionError(`${title}: count cannot combine, it would count counts; emit 1 and use sum`);
  }
  return (fields.words !== undefined && fields.map === undefined
    ? { ...fields, map: once }
    : fields) as unknown as Job;
}

/** Also of a pipeline. Throws JobDefinitionError for what is no schema. */
export function checkSchema(title: string, params: unknown): void {
  if (params === undefined || isStandardSchema(params)) return;
  throw new JobDefinitionError(
    `${title}: params is a schema, of zod 3.24 or later, valibot, arktype or whatever follows Standard Schema, not ${kindOf(params)}`,
  );
}

/** What `mapBytes` emits goes to a place that knows three ways of combining, and no user code. */
function checkBytes(title: string, fields: Record<string, unknown>): void {
  if (fields.mapBytes === undefined) return;
  if ((fields.inputFormat ?? 'lines') !== 'lines') {
    throw new JobDefinitionError(`${title}: mapBytes is given lines, so inputFormat can only be "lines"`);
  }
  if (!['sum', 'min', 'max'].includes(knownAs(fields.combine) ?? '')) {
    throw new JobDefinitionError(`${title}: a job with mapBytes has combine: sum, min or max`);
  }
  const other = ['words', 'partition', 'orderValues', 'setup', 'teardown'].find(
    (field) => fields[field] !== undefined,
  );
  if (other) throw new JobDefinitionError(`${title}: a job with mapBytes has no ${other}`);
}

function checkFields(title: string, names: unknown, inputFormat: unknown): void {
  if (names === undefined) return;
  if (inputFormat !== 'ndjson') {
    throw new JobDefinitionError(`${title}: fields are those of records of JSON, so inputFormat is "ndjson"`);
  }
  const isNames =
    Array.isArray(names) && names.every((name) => typeof name === 'string' && name === wellFormed(name));
  if (!isNames || names.length === 0 || new Set(names).size < names.length) {
    throw new JobDefinitionError(`${title}: fields is a list of names, each once`);
  }
}

/** Fills in what a job does that only says what it wants; once more does no harm. */
function groupJob(title: string, fields: Record<string, unknown>): Job {
  const { groupBy, aggregates, inputFormat = 'lines' } = fields;
  if (typeof groupBy !== 'string' || groupBy !== wellFormed(groupBy)) {
    throw new JobDefinitionError(`${title}: groupBy is the name of a field, not ${kindOf(groupBy)}`);
  }
  if (inputFormat !== 'lines' && inputFormat !== 'ndjson') {
    throw new JobDefinitionError(`${title}: groupBy needs JSON, so inputFormat is "lines" or "ndjson"`);
  }
  const idle = [...FUNCTION_FIELDS, 'words', 'fields'].find((field) => fields[field] !== undefined);
  if (idle !== undefined && knownAs(fields.map) !== 'group') {
    throw new JobDefinitionError(`${title}: groupBy and aggregates say it all, so there is no ${idle}`);
  }
  checkAggregates(title, aggregates);
  return {
    ...fields,
    ...groupingFunctions(groupBy, aggregates as Aggregates, inputFormat),
  } as unknown as Job;
}

function checkAggregates(title: string, aggregates: unknown): void {
  if (typeof aggregates !== 'object' || aggregates === null || Object.keys(aggregates).length === 0) {
    throw new JobDefinitionError(
      `${title}: aggregates is a list or an object of "count", { sum: field }, { min: field } and { max: field }, not ${kindOf(aggregates)}`,
    );
  }
  for (const [name, aggregate] of Object.entries(aggregates)) {
    if (aggregate === 'count') continue;
    const [[operation, field] = [], ...more] = Object.entries((aggregate ?? {}) as object);
    const isKnown = operation === 'sum' || operation === 'min' || operation === 'max';
    if (isKnown && more.length === 0 && typeof field === 'string' && field === wellFormed(field)) continue;
    throw new JobDefinitionError(
      `${title}: aggregate ${name} is "count", { sum: field }, { min: field } or { max: field }`,
    );
  }
}

/** What is no string is left to the check of functions where the field may be one. */
function checkChoice(title: string, field: string, given: unknown, choices: readonly string[]): void {
  if (given === undefined) return;
  if (typeof given === 'string') {
    if (choices.includes(given)) return;
    const meant = suggest(given, choices);
    const hint = meant === undefined ? `it is one of ${choices.join(', ')}` : `did you mean "${meant}"?`;
    throw new JobDefinitionError(`${title}: unknown ${field} "${given}"; ${hint}`);
  }
  if (FUNCTION_FIELDS.some((name) => name === field)) return;
  throw new JobDefinitionError(`${title}: ${field} is one of ${choices.join(', ')}, not ${kindOf(given)}`);
}

export function jobTitle(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new JobDefinitionError(`a job needs a name, a string that is not empty, not ${kindOf(name)}`);
  }
  if (name.length > NAME_LENGTH_MAX || /\p{Control}/u.test(name)) {
    throw new JobDefinitionError(
      `the name of a job has at most ${NAME_LENGTH_MAX} characters and no control characters: ${JSON.stringify(name.slice(0, NAME_LENGTH_MAX))}`,
    );
  }
  return `job "${name}"`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

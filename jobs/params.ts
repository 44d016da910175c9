/**
 * The params of a job that says what they are: its schema is asked once, by the command, before anything is started. What it
 * gives is written down as JSON, and every task is given that. So tasks agree even where a schema is not deterministic.
 */
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js';
import { suggest } from './suggest.js';
import type { Params, ParamValues } from './types.js';

/** The params given are not for the job: nothing was run. */
export class ParamsRefused extends Error {
  override readonly name = 'ParamsRefused';
  /** `wrong`: the schema says so. `unknown`: it never looks at one. `no JSON`: what it gives cannot be written down. */
  readonly reason: 'wrong' | 'unknown' | 'no JSON' | 'threw';
  /** The param that it is about; undefined for all of them. */
  readonly param: string | undefined;
  /** A line for each thing that is wrong. */
  readonly lines: readonly string[];
  readonly hint: string | undefined;

  constructor(
    message: string,
    about: Pick<ParamsRefused, 'reason'> & Partial<Pick<ParamsRefused, 'param' | 'lines' | 'hint'>>,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.reason = about.reason;
    this.param = about.param;
    this.lines = about.lines ?? [];
    this.hint = about.hint;
  }
}

/**
 * What a schema makes of params; `title` names the job or pipeline in messages, `watch` sees what the schema looks at.
 * Throws ParamsRefused.
 */
export async function valuesOf(
  schema: StandardSchema,
  { given, title, watch }: { given: ParamValues; title: string; watch?: Watch | undefined },
): Promise<ParamValues> {
  const result = await ask(schema, watch?.params ?? given, title);
  if (!result.issues) return plainParams(result.value, title);
  throw await refusal(schema, given, { title, issues: result.issues });
}

async function ask(
  schema: StandardSchema,
  given: ParamValues,
  title: string,
): Promise<SchemaResult<unknown>> {
  try {
    return await schema['~standard'].validate(given);
  } catch (error) {
    const options = { cause: error };
    throw new ParamsRefused(`the schema of the params of ${title} threw`, { reason: 'threw' }, options);
  }
}

async function refusal(
  schema: StandardSchema,
  given: ParamValues,
  { title, issues }: { title: string; issues: readonly SchemaIssue[] },
): Promise<ParamsRefused> {
  const lines = issues.map((issue) => {
    const path = pathOf(issue);
    return path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}`;
  });
  const param = issues.map((issue) => pathOf(issue)[0]).find((name) => name !== undefined);
  const hint = await typeHint(schema, given, issues);
  return new ParamsRefused(`the params of ${title} are not what its schema takes`, {
    reason: 'wrong',
    param,
    lines,
    hint,
  });
}

function pathOf({ path = [] }: SchemaIssue): string[] {
  return path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
}

/** Where a number or a boolean in the place of its text is taken, that is what is missing. */
async function typeHint(
  schema: StandardSchema,
  given: ParamValues,
  issues: readonly SchemaIssue[],
): Promise<string | undefined> {
  for (const name of issues.map((issue) => pathOf(issue)[0])) {
    const meant = name === undefined ? undefined : typedValue(given[name]);
    if (meant === undefined) continue;
    const result = await answerOf(schema, { ...given, [name!]: meant });
    if (!result || result.issues?.some((issue) => pathOf(issue)[0] === name)) continue;
    const [kind, example] =
      typeof meant === 'number' ? ['a number', 'z.coerce.number()'] : ['a boolean', 'z.stringbool()'];
    return `every param is given as text: let the schema make ${kind} of it, as ${example} of zod does`;
  }
  return undefined;
}

/** Undefined when it throws: it is asked for a hint only. */
async function answerOf(
  schema: StandardSchema,
  given: ParamValues,
): Promise<SchemaResult<unknown> | undefined> {
  try {
    return await schema['~standard'].validate(given);
  } catch {
    return undefined;
  }
}

function typedValue(text: unknown): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return typeof text === 'string' && text.trim() !== '' && Number.isFinite(Number(text))
    ? Number(text)
    : undefined;
}

/** A copy of what a schema gave, as JSON has it. Throws ParamsRefused for anything that JSON would change or lose. */
function plainParams(value: unknown, title: string): ParamValues {
  const odd = oddity(value, '');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && odd === undefined) return frozen(JSON.parse(JSON.stringify(value)) as ParamValues);
  const { path, what } = odd ?? { path: '', what: describe(value) };
  throw new ParamsRefused(`what the schema makes of the params of ${title} cannot be handed to its tasks`, {
    reason: 'no JSON',
    param: path === '' ? undefined : path.split('.')[0],
    lines: [
      path === ''
        ? `it is ${what}, and ctx.params is an object with a field for each param`
        : `${path} is ${what}: tasks get strings, finite numbers, booleans, null, and arrays and plain objects of these`,
    ],
    hint:
      path === '' ? undefined : 'let the schema give one of those, and make the rest of it in map or setup',
  });
}

interface Oddity {
  readonly path: string;
  readonly what: string;
}

/** The first part of a value that JSON has no form for. A field that is undefined is as good as none. */
function oddity(value: unknown, path: string, around: readonly object[] = []): Oddity | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return undefined;
  if (typeof value !== 'object' || !(Array.isArray(value) || isPlain(value)))
    return { path, what: describe(value) };
  if (around.includes(value)) return { path, what: 'a part of itself' };
  // Of an array every place: JSON has null for a hole.
  for (const [name, part] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    if (part === undefined && !Array.isArray(value)) continue;
    const odd = oddity(part, path === '' ? String(name) : `${path}.${name}`, [...around, value]);
    if (odd) return odd;
  }
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === null || prototype === Object.prototype) && !('toJSON' in value);
}

function describe(value: unknown): string {
  if (typeof value === 'number' || value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const { name } = (value.constructor ?? {}) as { name?: string };
  return name === undefined || name === 'Object' ? 'an object' : `a ${name}`;
}

/** Tasks that run one after the other are given one and the same object. */
export function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
}

/** Params that notice which of them are looked at: a schema does not say the names that it knows. */
export class Watch {
  readonly params: Params;
  readonly #title: string;
  readonly #given: readonly string[];
  readonly #seen = new Set<string>();

  /** `title` says in messages whose params these are. */
  constructor(given: Params, title: string) {
    this.#title = title;
    this.#given = Object.keys(given);
    const see = (name: string | symbol): void => {
      if (typeof name !== 'string') return;
      const isOfAnyObject = name === 'then' || name in Object.prototype;
      if (!isOfAnyObject || Object.hasOwn(given, name)) this.#seen.add(name);
    };
    this.params = new Proxy(
      { ...given },
      {
        get(target, name, receiver) {
          see(name);
          return Reflect.get(target, name, receiver) as unknown;
        },
        has(target, name) {
          see(name);
          return Reflect.has(target, name);
        },
        getOwnPropertyDescriptor(target, name) {
          see(name);
          return Reflect.getOwnPropertyDescriptor(target, name);
        },
      },
    );
  }

  /** A param that nobody has looked at could not change anything. Throws ParamsRefused. */
  expectAllSeen(): void {
    const param = this.#unseen();
    if (param === undefined) return;
    const known = [...this.#seen].sort();
    const all = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
    throw this.misspelt() ?? unknownParam(this.#title, param, all);
  }

  /** A param that nobody has looked at, and that is nearly one that was looked at. */
  misspelt(): ParamsRefused | undefined {
    const param = this.#unseen();
    if (param === undefined) return undefined;
    const meant = suggest(
      param,
      [...this.#seen].filter((name) => !this.#given.includes(name)),
    );
    return meant === undefined ? undefined : unknownParam(this.#title, param, `did you mean "${meant}"?`);
  }

  #unseen(): string | undefined {
    return this.#given.find((name) => !this.#seen.has(name));
  }
}

function unknownParam(title: string, param: string, hint: string): ParamsRefused {
  return new ParamsRefused(`${title} has no param "${param}"`, { reason: 'unknown', param, hint });
}

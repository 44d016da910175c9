/**
 * From the text of a scenario file to scenarios: one, or one for each variant. What is wrong comes back as a value with
 * line and column. Reading the file is the caller's business.
 */
import {
  type Alias,
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { ZodArray, ZodObject, ZodOptional } from 'zod';
import { firstLine } from '../thrown-text.js';
import { longest } from './duration.js';
import type { ScenarioError } from './error.js';
import { type Issue, oneOf } from './issue.js';
import { isJobFile, type JobFiles, noJobFiles } from './job-files.js';
import { readScenario } from './read.js';
import { findUnknownKind } from './read-fault.js';
import { type RawJob, type RawScenario, scenarioSchema, textFormsByName, tooLong } from './schema.js';
import { suggestion } from './suggest.js';
import { tryJobs } from './try-jobs.js';
import type { Scenario } from './types.js';

export type Loaded =
  | { readonly ok: true; readonly scenarios: readonly Scenario[] }
  | { readonly ok: false; readonly errors: readonly ScenarioError[] };

interface Source {
  readonly text: string;
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** `file` is only for messages; `jobs` has those that the scenarios name by a file, see `jobFilesIn`. */
export function loadScenarios(text: string, file: string, jobs: JobFiles = noJobFiles): Loaded {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const source: Source = { text, file, document, lines };
  if (document.errors.length > 0) {
    return {
      ok: false,
      errors: document.errors.map(({ code, message, pos }) =>
        code === 'MULTIPLE_DOCS'
          ? placed(source, 'S026', 'a file has one scenario: here a second document begins', pos)
          : syntaxError(source, message, pos),
      ),
    };
  }
  const read = contentOf(document);
  if (!read.ok) return { ok: false, errors: [placed(source, read.code, read.message, read.range)] };
  const { content } = read;
  const issues: Issue[] = [];
  const scenarios: Scenario[] = [];
  for (const variant of variantsOf(content, issues)) {
    const raw = checkForm(fillIn(content, variant), issues);
    if (!raw) break;
    const scenario = readScenario(raw, file, variant, (issue) => issues.push(issue), jobs);
    if (issues.length === 0) tryJobs(scenario, raw, (issue) => issues.push(issue));
    if (issues.length > 0) break;
    scenarios.push(scenario);
  }
  if (issues.length > 0) return { ok: false, errors: issues.map((issue) => place(source, issue)) };
  return { ok: true, scenarios };
}

/** The jobs that the text names by a file, in any variant: whoever can load them hands them to `loadScenarios`. */
export function jobFilesIn(text: string): string[] {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return [];
  const read = contentOf(document);
  if (!read.ok) return [];
  const { content } = read;
  const runs = variantsOf(content, []).flatMap((variant) => {
    const { job, jobs } = (fillIn(content, variant) ?? {}) as { job?: unknown; jobs?: unknown };
    return [job, ...(Array.isArray(jobs) ? jobs : [])].map((one) => (one as Partial<RawJob> | null)?.run);
  });
  return [...new Set(runs.filter((run) => typeof run === 'string' && isJobFile(run)))] as string[];
}

type Content =
  | { readonly ok: true; readonly content: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly range: readonly [number, number];
    };

/** With every alias replaced by what it stands for. */
function contentOf(document: Document.Parsed): Content {
  const alias = badAlias(document);
  if (alias) {
    const message = `not YAML: *${alias.source} stands for nothing, or for something around it`;
    return { ok: false, code: 'S001', message, range: [alias.range![0], alias.range![1]] };
  }
  const key = strangeKey(document);
  if (key) {
    const message = 'a key is a word, not a list or a map';
    return { ok: false, code: 'S002', message, range: [key.range![0], key.range![1]] };
  }
  try {
    return { ok: true, content: document.toJS() };
  } catch (error) {
    const message = `not YAML: ${(error as Error).message}`;
    return { ok: false, code: 'S001', message, range: [0, 1] }; // aliases of aliases, and more than can be
  }
}

/** The first alias without an `&name` before it, or within what that names. */
function badAlias(document: Document.Parsed): Alias | undefined {
  let found: Alias | undefined;
  visit(document, {
    Alias(_, alias, path) {
      const named = alias.resolve(document);
      if (named && !path.includes(named)) return undefined;
      found = alias;
      return visit.BREAK;
    },
  });
  return found;
}

/** The first key that is a list or a map: of such Node would warn. */
function strangeKey(document: Document.Parsed): Node | undefined {
  let found: Node | undefined;
  visit(document, {
    Pair(_, { key }) {
      if (!isCollection(key)) return undefined;
      found = key;
      return visit.BREAK;
    },
  });
  return found;
}

// ---- variants ---------------------------------------------------------------------------------------------------

function variantsOf(content: unknown, issues: Issue[]): Record<string, string>[] {
  const { vary, ...rest } = (content ?? {}) as { vary?: unknown };
  let variants: Record<string, string>[] = [{}];
  if (typeof vary !== 'object' || vary === null) return variants;
  for (const [name, values] of Object.entries(vary)) {
    if (!Array.isArray(values) || values.length === 0) continue; // the schema says so
    if (!mentions(rest, `{${name}}`)) {
      const message = `{${name}} stands nowhere in this file`;
      issues.push({ path: ['vary', name], code: 'S015', message, atKey: true });
    }
    variants = variants.flatMap((variant) => values.map((value) => ({ ...variant, [name]: String(value) })));
  }
  return variants;
}

/** Whether some text in the content has this in it: names of keys, and comments, are not filled in. */
function mentions(content: unknown, placeholder: string): boolean {
  if (typeof content === 'string') return content.includes(placeholder);
  if (content === null || typeof content !== 'object') return false;
  return Object.values(content).some((part) => mentions(part, placeholder));
}

/** The content with every placeholder replaced. */
function fillIn(content: unknown, variant: Readonly<Record<string, string>>): unknown {
  if (typeof content === 'string') {
    let text = content;
    for (const [name, value] of Object.entries(variant)) text = text.replaceAll(`{${name}}`, value);
    return text;
  }
  if (Array.isArray(content)) return content.map((item) => fillIn(item, variant));
  if (content === null || typeof content !== 'object') return content;
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key, fillIn(value, variant)]));
}

// ---- form -------------------------------------------------------------------------------------------------------

function checkForm(content: unknown, issues: Issue[]): RawScenario | undefined {
  const faults = (content as { faults?: unknown } | null)?.faults;
  for (const [index, fault] of (Array.isArray(faults) ? faults : []).entries()) {
    const issue = typeof fault === 'object' && fault !== null ? findUnknownKind(fault, index) : undefined;
    if (issue) issues.push(issue);
  }
  if (issues.length > 0) return undefined;
  const result = scenarioSchema.safeParse(content);
  if (result.success) return result.data;
  const found = result.error.issues;
  for (const issue of found) {
    if (!found.some((other) => isNarrower(other, issue))) issues.push(...translate(issue, content));
  }
  return undefined;
}

/** Of two limits that one number exceeds, one is enough to say. */
function isNarrower(one: FormIssue, other: FormIssue): boolean {
  return (
    one.code === 'too_big' &&
    other.code === 'too_big' &&
    one.maximum < other.maximum &&
    one.path.join() === other.path.join()
  );
}

type FormIssue = NonNullable<ReturnType<typeof scenarioSchema.safeParse>['error']>['issues'][number];

function translate(issue: FormIssue, content: unknown): Issue[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = suggestion(key, keysAt(path));
      return {
        path: [...path, key],
        code: 'S003',
        message: `unknown key "${key}"`,
        atKey: true,
        label: oneOf(keysAt(path)),
        ...(near === undefined ? {} : { suggestion: near }),
      };
    });
  }
  const name = path.at(-1);
  if (name === undefined) {
    const message = content === null ? 'the file is empty' : 'this is no scenario';
    return [{ path, code: 'S002', message, label: oneOf(keysAt(path)) }];
  }
  const called = nameOf(path);
  const value = path.reduce<unknown>(
    (at, part) => (at as Record<string | number, unknown> | undefined)?.[part],
    content,
  );
  if (value === undefined)
    return [{ path: path.slice(0, -1), code: 'S004', message: `${called} is missing` }];
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const near = suggestion(String(value), values);
    const message = `"${String(value)}" is not allowed for ${called}`;
    const hint = near === undefined ? {} : { suggestion: near };
    return [{ path, code: 'S005', message, label: oneOf(values), ...hint }];
  }
  const form = textFormsByName.get(issue.message);
  if (form) {
    const message = `"${String(value)}" is not ${issue.message}`;
    return [{ path, code: 'S006', message, label: `write it like ${form.like}` }];
  }
  if (issue.message === tooLong) {
    return [{ path, code: 'S024', message: `"${String(value)}" is too long`, label: `at most ${longest}` }];
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const limit = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
    return [{ path, code: 'S005', message: `${called} must be ${limit}` }];
  }
  const label = issue.code === 'invalid_type' ? `${issue.expected} expected` : 'another form expected';
  return [{ path, code: 'S002', message: `${called} has the wrong type`, label }];
}

/** The key, or the place in the list of that key. */
function nameOf(path: readonly (string | number)[]): string {
  const last = path.at(-1)!;
  return typeof last === 'string' ? `"${last}"` : `item ${last + 1} of ${nameOf(path.slice(0, -1))}`;
}

/** The keys that the schema knows at a place. */
function keysAt(path: readonly (string | number)[]): string[] {
  const form = path.reduce<unknown>((at, part) => partOf(at, part), scenarioSchema);
  return form instanceof ZodObject ? Object.keys(form.shape) : [];
}

/** What the schema says of a part of something; an optional part is as one that must be there. */
function partOf(form: unknown, part: string | number): unknown {
  const inner =
    form instanceof ZodObject ? form.shape[part] : form instanceof ZodArray ? form.element : undefined;
  return inner instanceof ZodOptional ? inner.unwrap() : inner;
}

// ---- places -----------------------------------------------------------------------------------------------------

function place(source: Source, issue: Issue): ScenarioError {
  const { path, code, message, label } = issue;
  const range = issue.atKey ? keyRange(source, path) : valueRange(source, path);
  return {
    code,
    message,
    ...position(source, range),
    ...(label === undefined ? {} : { label }),
    ...(issue.suggestion === undefined ? {} : { suggestion: issue.suggestion }),
  };
}

function syntaxError(source: Source, message: string, range: readonly [number, number]): ScenarioError {
  return placed(source, 'S001', `not YAML: ${firstLine(message)}`, range);
}

function placed(
  source: Source,
  code: string,
  message: string,
  range: readonly [number, number],
): ScenarioError {
  return { code, message, ...position(source, range) };
}

type Located = Pick<ScenarioError, 'file' | 'line' | 'column' | 'sourceLine' | 'width'>;

function position(source: Source, [from, to]: readonly [number, number]): Located {
  const { line, col } = source.lines.linePos(from);
  const sourceLine = (source.text.split('\n')[line - 1] ?? '').replace(/\r$/, '');
  const room = Math.max(1, sourceLine.length - col + 1);
  return { file: source.file, line, column: col, sourceLine, width: Math.min(Math.max(1, to - from), room) };
}

/** Of the value at the path, or of the nearest thing around it. */
function valueRange(source: Source, path: readonly (string | number)[]): readonly [number, number] {
  for (let length = path.length; length > 0; length--) {
    const node = source.document.getIn(path.slice(0, length), true) as Node | undefined;
    if (node?.range) return [node.range[0], node.range[1]];
  }
  return [0, 1];
}

function keyRange(source: Source, path: readonly (string | number)[]): readonly [number, number] {
  const parent =
    path.length === 1 ? source.document.contents : source.document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    for (const pair of parent.items) {
      if (!isPair(pair) || !isScalar(pair.key) || pair.key.value !== path.at(-1)) continue;
      if (pair.key.range) return [pair.key.range[0], pair.key.range[1]];
    }
  }
  return valueRange(source, path);
}

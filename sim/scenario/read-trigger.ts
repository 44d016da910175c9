/**
 * Reads the small texts of a scenario: facts ("map-0@1 started", "job-2 publishing"), tasks, nodes and roles, files.
 * Each function answers undefined after it has reported what is wrong.
 */

import type { Range } from '../random.js';
import { parseDurationRange } from './duration.js';
import { factAbout, factNames, isFactName } from './fact-names.js';
import { oneOf, type Report } from './issue.js';
import { suggestion } from './suggest.js';
import type {
  AttemptTarget,
  EndTarget,
  FactPattern,
  FilesTarget,
  NodeTarget,
  ScenarioJob,
  StoreTarget,
  TaskPattern,
} from './types.js';

export type Path = readonly (string | number)[];

/** What a text may speak of. */
export interface Scope {
  readonly nodes: readonly string[];
  readonly jobs: readonly ScenarioJob[];
  /** Nodes of the store. */
  readonly stores: number;
  /** The time of day at which the scenario starts, if it says so. */
  readonly startsUs: number | undefined;
  readonly report: Report;
}

const taskForm = /^(map|reduce)-(\d+)(?:@([1-9]\d*))?$/;

export function readTask(scope: Scope, text: string, path: Path, atKey = false): TaskPattern | undefined {
  const match = taskForm.exec(text);
  if (!match) {
    const label = 'map-0, reduce-3, or map-0@2 for its second attempt';
    scope.report({ path, code: 'S011', message: `"${text}" is not a task`, label, atKey });
    return undefined;
  }
  const kind = match[1] as 'map' | 'reduce';
  const index = Number(match[2]);
  const most = Math.max(...scope.jobs.map((job) => (kind === 'map' ? job.maps : job.reduces)));
  if (index >= most) {
    const label = `${kind}-0 to ${kind}-${most - 1}`;
    scope.report({ path, code: 'S011', message: `there is no ${kind}-${index}`, label, atKey });
    return undefined;
  }
  return { kind, index, ...(match[3] === undefined ? {} : { ordinal: Number(match[3]) }) };
}

/** What can be said of this job alone, or of any when it is not named. */
export function scopeOfJob(scope: Scope, job: number | undefined, path: Path): Scope | undefined {
  if (job === undefined) return scope;
  const named = scope.jobs[job - 1];
  if (named) return { ...scope, jobs: [named] };
  const label = `job-1 to job-${scope.jobs.length}`;
  scope.report({ path, code: 'S011', message: `there is no job-${job}`, label });
  return undefined;
}

/** `[job-N] [map-0[@1]] [worker-1] words`: the words, joined by dashes, are the fact's name. */
export function readPattern(scope: Scope, text: string, path: Path): FactPattern | undefined {
  const words = text.trim().split(/\s+/);
  let job: number | undefined;
  let task: TaskPattern | undefined;
  let node: string | undefined;
  if (/^job-\d+$/.test(words[0]!)) {
    job = Number(words[0]!.slice(4));
    if (!scopeOfJob(scope, job, path)) return undefined;
    // "job-2 publishing" speaks of the fact "job-publishing".
    if (isFactName(`job-${words.slice(1).join('-')}`)) words[0] = 'job';
    else words.shift();
  }
  if (words.length > 1 && /^(map|reduce)-/.test(words[0]!)) {
    task = readTask(scopeOfJob(scope, job, path)!, words.shift()!, path);
    if (!task) return undefined;
  }
  if (words.length > 1 && scope.nodes.includes(words[0]!)) node = words.shift();
  const name = words.join('-');
  if (!isFactName(name)) {
    const near = suggestion(name, factNames);
    scope.report({
      path,
      code: 'S010',
      message: `nothing is called "${words.join(' ')}"`,
      label: 'a task and started, finished, committed, invalidated or failed; or the name of a decision',
      ...(near === undefined ? {} : { suggestion: text.replace(words.join(' '), near) }),
    });
    return undefined;
  }
  const stranger =
    task && factAbout[name] !== 'attempt' ? 'task' : job && factAbout[name] === 'node' ? 'job' : undefined;
  if (stranger) {
    const message = `"${words.join(' ')}" is about no single ${stranger}, and would never come`;
    scope.report({ path, code: 'S010', message });
    return undefined;
  }
  return {
    name,
    text,
    ...(job === undefined ? {} : { job }),
    ...(task ? { task } : {}),
    ...(node === undefined ? {} : { node }),
  };
}

const roles: Readonly<Record<string, NodeTarget>> = {
  leader: { kind: 'leader' },
  it: { kind: 'it' },
  'its worker': { kind: 'its-worker' },
  'any worker': { kind: 'any', of: 'worker' },
  'any master': { kind: 'any', of: 'master' },
  'any standby': { kind: 'any', of: 'standby' },
  standby: { kind: 'any', of: 'standby' },
};

const groups: Readonly<Record<string, EndTarget>> = {
  'all workers': { kind: 'all', of: 'worker' },
  'all masters': { kind: 'all', of: 'master' },
  'all clients': { kind: 'all', of: 'client' },
  'all nodes': { kind: 'all', of: 'node' },
};

/** One end of links: a node, a role, or all of a kind. */
export function readEnd(scope: Scope, text: string, path: Path): EndTarget | undefined {
  return Object.hasOwn(groups, text) ? groups[text] : readNode(scope, text, path, Object.keys(groups));
}

/** `store-2`, or all of them. */
export function readStores(scope: Scope, text: string, path: Path): StoreTarget | undefined {
  if (text === 'all stores') return { kind: 'all-stores' };
  const node = Number(/^store-([1-9])$/.exec(text)?.[1] ?? Number.NaN);
  if (node <= scope.stores) return { kind: 'store', node };
  const known = ['all stores', ...Array.from({ length: scope.stores }, (_, index) => `store-${index + 1}`)];
  const near = suggestion(text, known);
  scope.report({
    path,
    code: 'S011',
    message: `no node of the store is called "${text}"`,
    label: oneOf(known),
    ...(near === undefined ? {} : { suggestion: near }),
  });
  return undefined;
}

/** `others`: what else could stand here. */
export function readNode(
  scope: Scope,
  text: string,
  path: Path,
  others: readonly string[] = [],
): NodeTarget | undefined {
  if (scope.nodes.includes(text)) return { kind: 'node', node: text };
  if (Object.hasOwn(roles, text)) return roles[text];
  const known = [...scope.nodes, ...Object.keys(roles), ...others];
  const near = suggestion(text, known);
  scope.report({
    path,
    code: 'S011',
    message: `no node or role is called "${text}"`,
    label: oneOf([
      ...Object.keys(roles),
      ...others,
      ...scope.nodes.slice(0, 4),
      ...(scope.nodes.length > 4 ? ['…'] : []),
    ]),
    ...(near === undefined ? {} : { suggestion: near }),
  });
  return undefined;
}

export function readFiles(scope: Scope, text: string, path: Path): FilesTarget | undefined {
  if (text === 'its output' || text === 'its outputs') return { kind: 'its-output' };
  const of = /^(?:all )?outputs of (.+)$/.exec(text);
  if (of) {
    const worker = readNode(scope, of[1]!, path);
    return worker && { kind: 'outputs-of', worker };
  }
  const task = readTask(scope, text, path);
  return task && { kind: 'attempt', task };
}

export function readAttempt(scope: Scope, text: string, path: Path): AttemptTarget | undefined {
  if (text === 'its attempt') return { kind: 'its-attempt' };
  const task = readTask(scope, text, path);
  return task && { kind: 'attempt', task };
}

/** A range of durations. */
export function readRange({ report }: Scope, text: string, path: Path): Range | undefined {
  const range = parseDurationRange(text);
  if (!range) report({ path, code: 'S006', message: `the range "${text}" ends before it begins` });
  return range;
}

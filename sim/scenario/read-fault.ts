/** Reads one fault: exactly one trigger, exactly one kind, and only the words that this kind knows. */
import { parseDuration, readMoment } from './duration.js';
import { crashPoints } from './fact-names.js';
import { type Issue, oneOf } from './issue.js';
import {
  type Path,
  readAttempt,
  readEnd,
  readFiles,
  readNode,
  readPattern,
  readRange,
  readStores,
  readTask,
  type Scope,
  scopeOfJob,
} from './read-trigger.js';
import type { RawFault } from './schema.js';
import { suggestion } from './suggest.js';
import type { EndTarget, Fault, FaultAction, FaultKind, NodeTarget, Trigger } from './types.js';

/** What a kind of fault knows beside its target; `?` marks what may be left out. */
interface Form {
  /** It lasts until `until` or `for`, else to the end; or it is over at once. */
  readonly lasts: boolean;
  readonly knows?: readonly Modifier[];
  /** Among what it knows: what it cannot do without. */
  readonly needs?: readonly Modifier[];
}

const modifiers = [
  'restartAfter',
  'by',
  'torn',
  'ahead',
  'every',
  'oneWay',
  'extra',
  'percent',
  'happen',
  'message',
  'gap',
  'how',
  'slots',
] as const;
type Modifier = (typeof modifiers)[number];

const forms = {
  crash: { lasts: false, knows: ['restartAfter'] },
  restart: { lasts: false },
  pause: { lasts: true },
  slow: { lasts: true, knows: ['by'] },
  blackout: { lasts: false, knows: ['torn', 'restartAfter'] },
  jump: { lasts: false, knows: ['ahead'], needs: ['ahead'] },
  drift: { lasts: true, knows: ['by'], needs: ['by'] },
  lose: { lasts: false },
  corrupt: { lasts: false },
  fill: { lasts: true },
  drop: { lasts: false },
  flap: { lasts: true, knows: ['every'], needs: ['every'] },
  partition: { lasts: true, knows: ['oneWay'] },
  delay: { lasts: true, knows: ['oneWay', 'extra'], needs: ['extra'] },
  loss: { lasts: true, knows: ['oneWay', 'percent'] },
  duplicate: { lasts: true, knows: ['oneWay', 'percent'] },
  reorder: { lasts: true, knows: ['oneWay', 'extra'], needs: ['extra'] },
  hold: { lasts: true, knows: ['oneWay', 'message'] },
  clog: { lasts: true, knows: ['oneWay', 'gap'], needs: ['gap'] },
  misbehave: { lasts: false, knows: ['how'], needs: ['how'] },
  obscure: { lasts: false },
  expire: { lasts: false },
  lag: { lasts: true, knows: ['by'] },
  sever: { lasts: true },
  blur: { lasts: true, knows: ['percent', 'happen'] },
  halt: { lasts: true, knows: ['every', 'restartAfter'] },
  rewind: { lasts: false, knows: ['slots'], needs: ['slots'] },
  forget: { lasts: false, knows: ['slots'], needs: ['slots'] },
  failSync: { lasts: false, knows: ['restartAfter'] },
  drain: { lasts: false },
} satisfies Record<FaultKind, Form>;

export const faultKinds = Object.keys(forms) as readonly FaultKind[];

/** Kinds after which jobs go on to their end, and that break no promise on which Rehearse stands. */
export const honestKinds = faultKinds.filter((kind) => !['rewind', 'forget', 'drain'].includes(kind));

/** Kinds that may have an `until` or a `for`. */
export const lastingKinds: ReadonlySet<FaultKind> = new Set(faultKinds.filter((kind) => forms[kind].lasts));

const otherWords = ['at', 'when', 'point', 'after', 'on', 'job', 'task', 'until', 'for'];

/** Finds a fault whose kind is not one of ours, before the schema calls it an unknown key. */
export function findUnknownKind(fault: object, index: number): Issue | undefined {
  const keys = Object.keys(fault);
  if (keys.some((key) => (faultKinds as readonly string[]).includes(key))) return undefined;
  const words: readonly string[] = [...otherWords, ...modifiers];
  const key = keys.find((candidate) => !words.includes(candidate));
  if (key === undefined) return undefined;
  const long = key === 'kind';
  const written = long ? String((fault as { kind: unknown }).kind) : key;
  if (long && (faultKinds as readonly string[]).includes(written)) {
    const message = `a fault names its kind as a key: "${written}: worker-1"`;
    return { path: ['faults', index, key], code: 'S003', message, atKey: true };
  }
  const near = suggestion(written, faultKinds);
  return {
    path: ['faults', index, key],
    code: 'S014',
    message: `unknown fault kind "${written}"`,
    atKey: !long,
    label: oneOf(faultKinds),
    ...(near === undefined ? {} : { suggestion: near }),
  };
}

/** `worker-1..worker-200`: one fault for each. */
const nodesPattern = /^(worker|master)-(\d+)\.\.\1-(\d+)$/;

export function readFaults(scope: Scope, faults: readonly RawFault[]): Fault[] {
  const read: Fault[] = [];
  for (const [place, raw] of faults.entries()) {
    for (const one of spread(scope, raw, place)) {
      const fault = readFault(scope, one, place, read.length);
      if (fault) read.push(fault);
    }
  }
  return read;
}

/** Nothing, and one error, when the range goes beyond the nodes there are: it may be longer than any list. */
function spread(scope: Scope, raw: RawFault, place: number): RawFault[] {
  for (const kind of faultKinds) {
    const target = raw[kind];
    const [, name, first, last] = (typeof target === 'string' && nodesPattern.exec(target)) || [];
    if (name === undefined || Number(last) < Number(first)) continue;
    const own = scope.nodes.filter((node) => node.startsWith(`${name}-`));
    if (Number(first) < 1 || Number(last) > own.length) {
      const message = `"${target}" are not all there`;
      const label = own.length > 1 ? `${name}-1 to ${own.at(-1)}` : `only ${name}-1`;
      scope.report({ path: ['faults', place, kind], code: 'S011', message, label });
      return [];
    }
    const numbers = own.slice(Number(first) - 1, Number(last));
    return numbers.map((node) => ({ ...raw, [kind]: node }));
  }
  return [raw];
}

/** `place` is where the file has it, for errors; `index` where the list of faults has it. */
function readFault(scope: Scope, raw: RawFault, place: number, index: number): Fault | undefined {
  const path = ['faults', place];
  const complain = (message: string, key?: string): undefined => {
    const at = key === undefined ? path : [...path, key];
    scope.report({ path: at, code: 'S012', message, atKey: key !== undefined });
  };
  const kinds = faultKinds.filter((kind) => raw[kind] !== undefined);
  const kind = kinds[0];
  if (kind === undefined) return complain(`a fault needs a kind: ${faultKinds.join(', ')}`);
  if (kinds.length > 1) return complain(`a fault has one kind, and "${kind}" is there already`, kinds[1]);
  const form: Form = forms[kind];
  const strange = modifiers.find((key) => raw[key] !== undefined && !form.knows?.includes(key));
  if (strange) return complain(`${kind} knows no "${strange}"`, strange);
  const missing = form.needs?.find((key) => raw[key] === undefined);
  if (missing) return complain(`${kind} needs "${missing}"`, kind);
  const end = raw.until !== undefined ? 'until' : raw.for !== undefined ? 'for' : undefined;
  if (end !== undefined && !form.lasts) return complain(`${kind} is over at once and knows no "${end}"`, end);
  if (raw.until !== undefined && raw.for !== undefined) return complain('either "until" or "for"', 'for');
  const stray = strayRestart(raw, end);
  if (stray) return complain(stray, 'restartAfter');
  const trigger = readTriggerOf(scope, raw, path, complain);
  const action = readAction(scope, raw, kind, path);
  const until = raw.until === undefined ? undefined : readPattern(scope, raw.until, [...path, 'until']);
  const after = raw.after === undefined ? undefined : readPattern(scope, raw.after, [...path, 'after']);
  if (raw.after !== undefined && raw.at !== undefined)
    return complain('"at" is a time, and knows no "after"', 'after');
  if (!trigger || !action || (raw.until !== undefined && !until)) return undefined;
  if (raw.after !== undefined && !after) return undefined;
  const lasting = raw.for ?? (kind === 'halt' && raw.every === undefined ? raw.restartAfter : undefined);
  const idle = idleWord(raw, action, lasting);
  if (idle) return complain(idle.message, idle.key);
  return {
    index,
    text: faultText(raw, kind),
    trigger,
    action,
    ...(after ? { after } : {}),
    ...(until ? { until } : {}),
    ...(lasting === undefined ? {} : { forUs: parseDuration(lasting) }),
  };
}

/** A word with which the fault would change nothing, or time would stand still. */
function idleWord(
  raw: RawFault,
  action: FaultAction,
  lasting: string | undefined,
): { readonly key: Modifier | 'for'; readonly message: string } | undefined {
  const { kind } = action;
  // A link that flaps is lost before it is whole again.
  if (kind !== 'flap' && lasting !== undefined && parseDuration(lasting) === 0) {
    return { key: raw.for === undefined ? 'restartAfter' : 'for', message: `${kind} for 0s changes nothing` };
  }
  switch (kind) {
    case 'slow':
    case 'drift':
      return action.by === 1 ? { key: 'by', message: `${kind} by 1 changes nothing` } : undefined;
    case 'lag':
      return action.by <= 1 ? { key: 'by', message: 'lag by 1 or less changes nothing' } : undefined;
    case 'jump':
      return action.aheadUs === 0 ? { key: 'ahead', message: 'a jump of 0s changes nothing' } : undefined;
    case 'delay':
      return action.extraUs.max === 0
        ? { key: 'extra', message: 'a delay of 0s changes nothing' }
        : undefined;
    case 'clog':
      return action.gapUs === 0 ? { key: 'gap', message: 'a gap of 0s changes nothing' } : undefined;
    case 'flap':
      return action.everyUs === 0 ? { key: 'every', message: 'time would never go on' } : undefined;
    case 'halt':
      if (action.every?.periodUs === 0) return { key: 'every', message: 'time would never go on' };
      return action.every?.downUs === 0
        ? { key: 'restartAfter', message: 'a store that is back after 0s changes nothing' }
        : undefined;
    default:
      return undefined;
  }
}

/** The store's nodes come back once, so it is said once when: `restartAfter` is another word for `for` there. */
function strayRestart(raw: RawFault, end: 'until' | 'for' | undefined): string | undefined {
  const isOnce = raw.halt !== undefined && raw.every === undefined;
  return isOnce && raw.restartAfter !== undefined && end !== undefined
    ? `either "${end}" or "restartAfter", unless it halts "every" so often`
    : undefined;
}

function readTriggerOf(
  scope: Scope,
  raw: RawFault,
  path: (string | number)[],
  complain: (message: string, key?: string) => undefined,
): Trigger | undefined {
  const given = (['at', 'when', 'point'] as const).filter((key) => raw[key] !== undefined);
  if (given.length === 0) return complain('a fault needs "at", "when" or "point"');
  if (given.length > 1)
    return complain(`a fault has one trigger, and "${given[0]}" is there already`, given[1]);
  const stray =
    raw.point === undefined
      ? (['on', 'job', 'task'] as const).find((key) => raw[key] !== undefined)
      : undefined;
  if (stray) return complain(`only "point" knows "${stray}"`, stray);
  if (raw.at !== undefined) {
    const moment = readMoment(raw.at, scope.startsUs);
    return typeof moment === 'number' ? { kind: 'at', atUs: moment } : complain(moment, 'at');
  }
  if (raw.when !== undefined) {
    const pattern = readPattern(scope, raw.when, [...path, 'when']);
    return pattern && { kind: 'when', pattern };
  }
  const point = raw.point!;
  if (!(crashPoints as readonly string[]).includes(point)) {
    const near = suggestion(point, crashPoints);
    scope.report({
      path: [...path, 'point'],
      code: 'S010',
      message: `there is no crash point "${point}"`,
      label: oneOf(crashPoints),
      ...(near === undefined ? {} : { suggestion: near }),
    });
    return undefined;
  }
  const on = raw.on === undefined ? undefined : readNode(scope, raw.on, [...path, 'on']);
  if (on?.kind === 'it' || on?.kind === 'its-worker') {
    return complain(`whoever comes to the point is "it": "on" says who that must be`, 'on');
  }
  const of = scopeOfJob(scope, raw.job, [...path, 'job']);
  if (!of) return undefined;
  const task = raw.task === undefined ? undefined : readTask(of, raw.task, [...path, 'task']);
  if ((raw.on !== undefined && !on) || (raw.task !== undefined && !task)) return undefined;
  const job = raw.job === undefined ? {} : { job: raw.job };
  return { kind: 'point', point, ...job, ...(task ? { task } : {}), ...(on ? { on } : {}) };
}

function readAction(scope: Scope, raw: RawFault, kind: FaultKind, path: Path): FaultAction | undefined {
  const at = [...path, kind];
  switch (kind) {
    case 'lose':
    case 'corrupt': {
      const files = readFiles(scope, raw[kind]!, at);
      return files && { kind, files };
    }
    case 'partition':
    case 'delay':
    case 'loss':
    case 'duplicate':
    case 'reorder':
    case 'hold':
    case 'clog':
      return readLinkFault(scope, raw, kind, path);
    case 'misbehave': {
      const attempt = readAttempt(scope, raw.misbehave!, at);
      return attempt && { kind, attempt, how: raw.how! };
    }
    case 'expire':
    case 'drain':
      return { kind };
    case 'lag':
    case 'sever':
    case 'blur': {
      const masters = readEnd(scope, raw[kind]!, at);
      return masters && readStoreAccess(raw, kind, masters);
    }
    case 'halt': {
      const stores = readStores(scope, raw.halt!, at);
      return stores && { kind, stores, ...readHaltTimes(raw) };
    }
    case 'rewind':
    case 'forget':
      return { kind, slots: raw.slots! };
    default:
      return readNodeFault(scope, raw, kind, at);
  }
}

type NodeKind = Extract<FaultAction, { target: unknown }>['kind'];
type LinkKind = Extract<FaultAction, { link: unknown }>['kind'];

function readNodeFault(scope: Scope, raw: RawFault, kind: NodeKind, at: Path): FaultAction | undefined {
  const target = readNode(scope, raw[kind]!, at);
  if (!target) return undefined;
  const restart = raw.restartAfter === undefined ? {} : { restartAfterUs: parseDuration(raw.restartAfter) };
  switch (kind) {
    case 'slow':
      if (mayBeWorker(target)) return { kind, target, by: raw.by ?? 10 };
      return complainOf(scope, at, 'only a worker can be slow: it is its work that takes longer');
    case 'drift':
      return { kind, target, by: raw.by! };
    case 'jump':
      return { kind, target, aheadUs: parseDuration(raw.ahead!) };
    case 'flap':
      return { kind, target, everyUs: parseDuration(raw.every!) };
    case 'failSync':
      return { kind, target, ...restart };
    case 'blackout':
      if (!raw.torn || mayBeWorker(target)) return { kind, target, torn: raw.torn ?? false, ...restart };
      return complainOf(scope, [...at.slice(0, -1), 'torn'], tornMaster);
    case 'crash':
      return { kind, target, ...restart };
    default:
      return { kind, target };
  }
}

const tornMaster =
  'only what a worker has not synced can be torn: what a master has not synced of its journal goes with any crash';

/** It is a worker, or may be one when the fault comes. */
export function mayBeWorker(target: NodeTarget): boolean {
  if (target.kind === 'node') return target.node.startsWith('worker-');
  return target.kind === 'any' ? target.of === 'worker' : target.kind !== 'leader';
}

function complainOf({ report }: Scope, path: Path, message: string): undefined {
  report({ path, code: 'S012', message });
}

function readStoreAccess(raw: RawFault, kind: 'lag' | 'sever' | 'blur', masters: EndTarget): FaultAction {
  if (kind === 'lag') return { kind, masters, by: raw.by ?? 10 };
  if (kind === 'sever') return { kind, masters };
  return { kind, masters, blur: { percent: raw.percent ?? 100, happen: raw.happen ?? 50 } };
}

/** How long a node of the store is down when it is killed again and again. */
const haltDownUs = 500_000;

function readHaltTimes({ every, restartAfter }: RawFault): Pick<FaultAction & { kind: 'halt' }, 'every'> {
  if (every === undefined) return {};
  const downUs = restartAfter === undefined ? haltDownUs : parseDuration(restartAfter);
  return { every: { periodUs: parseDuration(every), downUs } };
}

function readLinkFault(scope: Scope, raw: RawFault, kind: LinkKind, path: Path): FaultAction | undefined {
  const from = readEnd(scope, raw[kind]![0], [...path, kind, 0]);
  const to = readEnd(scope, raw[kind]![1], [...path, kind, 1]);
  if (!from || !to) return undefined;
  const link = { from, to, oneWay: raw.oneWay ?? false };
  const percent = raw.percent ?? 100;
  switch (kind) {
    case 'partition':
      return { kind, link };
    case 'loss':
    case 'duplicate':
      return { kind, link, percent };
    case 'hold':
      return { kind, link, ...(raw.message === undefined ? {} : { message: raw.message }) };
    case 'clog':
      return { kind, link, gapUs: parseDuration(raw.gap!) };
    case 'delay':
    case 'reorder': {
      const extraUs = readRange(scope, raw.extra!, [...path, 'extra']);
      return extraUs && { kind, link, extraUs };
    }
  }
}

export function faultText(raw: RawFault, kind: FaultKind): string {
  const what = raw[kind];
  const words = [`${kind} ${Array.isArray(what) ? what.join(' from ') : what}`];
  for (const modifier of modifiers) {
    const word = modifier === 'restartAfter' ? 'with restart after' : modifier;
    if (raw[modifier] !== undefined) words.push(`${word} ${raw[modifier]}`);
  }
  if (raw.at !== undefined) words.push(`at ${raw.at}`);
  if (raw.when !== undefined) words.push(`when ${raw.when}`);
  if (raw.point !== undefined) words.push(`at ${raw.point}`);
  if (raw.on !== undefined) words.push(`on ${raw.on}`);
  if (raw.job !== undefined) words.push(`job ${raw.job}`);
  if (raw.task !== undefined) words.push(`task ${raw.task}`);
  if (raw.after !== undefined) words.push(`after ${raw.after}`);
  if (raw.until !== undefined) words.push(`until ${raw.until}`);
  if (raw.for !== undefined) words.push(`for ${raw.for}`);
  return words.join(' ');
}

/** Reads one fault: exactly one trigger, exactly one kind, and only the words that this kind knows. */
import { parseDuration } from './duration.js';
import { crashPoints } from './fact-names.js';
import { type Issue, oneOf } from './issue.js';
import { readFiles, readNode, readPattern, readTask, type Scope } from './read-trigger.js';
import type { RawFault } from './schema.js';
import { suggestion } from './suggest.js';
import type { Fault, FaultAction, FaultKind, Trigger } from './types.js';

export const faultKinds: readonly FaultKind[] = [
  'crash',
  'restart',
  'pause',
  'slow',
  'lose',
  'corrupt',
  'drop',
  'partition',
  'obscure',
  'expire',
];

const lasting: ReadonlySet<FaultKind> = new Set(['pause', 'slow', 'partition']);
const modifiers = [
  'at',
  'when',
  'point',
  'after',
  'on',
  'job',
  'task',
  'until',
  'for',
  'restartAfter',
  'by',
  'oneWay',
];

/** Finds a fault whose kind is not one of ours, before the schema calls it an unknown key. */
export function findUnknownKind(fault: object, index: number): Issue | undefined {
  const keys = Object.keys(fault);
  if (keys.some((key) => (faultKinds as readonly string[]).includes(key))) return undefined;
  const key = keys.find((candidate) => !modifiers.includes(candidate));
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

export function readFault(scope: Scope, raw: RawFault, index: number): Fault | undefined {
  const path = ['faults', index];
  const complain = (message: string, key?: string): undefined => {
    const at = key === undefined ? path : [...path, key];
    scope.report({ path: at, code: 'S012', message, atKey: key !== undefined });
  };
  const kinds = faultKinds.filter((kind) => raw[kind] !== undefined);
  const kind = kinds[0];
  if (kind === undefined) return complain(`a fault needs a kind: ${faultKinds.join(', ')}`);
  if (kinds.length > 1) return complain(`a fault has one kind, and "${kind}" is there already`, kinds[1]);
  if (raw.by !== undefined && kind !== 'slow') return complain('only slow knows "by"', 'by');
  if (raw.restartAfter !== undefined && kind !== 'crash') {
    return complain('only crash knows "restartAfter"', 'restartAfter');
  }
  if (raw.oneWay !== undefined && kind !== 'partition')
    return complain('only partition knows "oneWay"', 'oneWay');
  const end = raw.until !== undefined ? 'until' : raw.for !== undefined ? 'for' : undefined;
  if (end !== undefined && !lasting.has(kind))
    return complain(`${kind} is over at once and knows no "${end}"`, end);
  if (raw.until !== undefined && raw.for !== undefined) return complain('either "until" or "for"', 'for');
  const trigger = readTriggerOf(scope, raw, path, complain);
  const action = readAction(scope, raw, kind, path);
  const until = raw.until === undefined ? undefined : readPattern(scope, raw.until, [...path, 'until']);
  const after = raw.after === undefined ? undefined : readPattern(scope, raw.after, [...path, 'after']);
  if (raw.after !== undefined && raw.at !== undefined)
    return complain('"at" is a time, and knows no "after"', 'after');
  if (!trigger || !action || (raw.until !== undefined && !until)) return undefined;
  if (raw.after !== undefined && !after) return undefined;
  return {
    index,
    text: faultText(raw, kind),
    trigger,
    action,
    ...(after ? { after } : {}),
    ...(until ? { until } : {}),
    ...(raw.for === undefined ? {} : { forUs: parseDuration(raw.for) }),
  };
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
  if (raw.at !== undefined) return { kind: 'at', atUs: parseDuration(raw.at) };
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
  const task = raw.task === undefined ? undefined : readTask(scope, raw.task, [...path, 'task']);
  if ((raw.on !== undefined && !on) || (raw.task !== undefined && !task)) return undefined;
  const job = raw.job === undefined ? {} : { job: raw.job };
  return { kind: 'point', point, ...job, ...(task ? { task } : {}), ...(on ? { on } : {}) };
}

function readAction(
  scope: Scope,
  raw: RawFault,
  kind: FaultKind,
  path: (string | number)[],
): FaultAction | undefined {
  const at = [...path, kind];
  switch (kind) {
    case 'lose':
    case 'corrupt': {
      const files = readFiles(scope, raw[kind]!, at);
      return files && { kind, files };
    }
    case 'partition': {
      const from = readNode(scope, raw.partition![0], [...at, 0]);
      const to = readNode(scope, raw.partition![1], [...at, 1]);
      return from && to && { kind, from, to, oneWay: raw.oneWay ?? false };
    }
    case 'expire':
      return { kind };
    default: {
      const target = readNode(scope, raw[kind]!, at);
      if (!target) return undefined;
      if (kind === 'slow') return { kind, target, by: raw.by ?? 10 };
      if (kind !== 'crash') return { kind, target };
      const after = raw.restartAfter;
      return { kind, target, ...(after === undefined ? {} : { restartAfterUs: parseDuration(after) }) };
    }
  }
}

function faultText(raw: RawFault, kind: FaultKind): string {
  const what = raw[kind];
  const words = [`${kind} ${Array.isArray(what) ? what.join(' from ') : what}`];
  if (raw.by !== undefined) words.push(`by ${raw.by}`);
  if (raw.at !== undefined) words.push(`at ${raw.at}`);
  if (raw.when !== undefined) words.push(`when ${raw.when}`);
  if (raw.point !== undefined) words.push(`at ${raw.point}`);
  if (raw.after !== undefined) words.push(`after ${raw.after}`);
  if (raw.until !== undefined) words.push(`until ${raw.until}`);
  if (raw.for !== undefined) words.push(`for ${raw.for}`);
  if (raw.restartAfter !== undefined) words.push(`with restart after ${raw.restartAfter}`);
  return words.join(' ');
}

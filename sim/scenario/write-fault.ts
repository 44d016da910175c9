/** From a fault back to the form in which a scenario file has it. A new kind does not compile until it can be written. */
import type { Range } from '../random.js';
import { faultText } from './read-fault.js';
import type { RawFault } from './schema.js';
import {
  type AttemptTarget,
  type EndTarget,
  type FactPattern,
  type Fault,
  type FaultAction,
  type FaultKind,
  type FilesTarget,
  type LinkTarget,
  type NodeTarget,
  type Trigger,
  taskPatternText,
} from './types.js';

/** The same fault with the text that the reader would give it. */
export function withText(fault: Fault): Fault {
  return { ...fault, text: faultText(rawFault(fault), fault.action.kind) };
}

export function rawFault({ trigger, after, action, until, forUs }: Fault): RawFault {
  return {
    ...rawTrigger(trigger),
    ...(after ? { after: after.text } : {}),
    ...rawAction(action),
    ...(until ? { until: until.text } : {}),
    ...(forUs === undefined ? {} : { for: durationSpelling(forUs) }),
  };
}

/** `job-2 map-0@1 worker-1 started`: all that is given, the name last. */
export function patternText({ name, job, task, node }: Omit<FactPattern, 'text'>): string {
  const words: string[] = [];
  if (job !== undefined) words.push(`job-${job}`);
  if (task) words.push(taskPatternText(task));
  if (node !== undefined) words.push(node);
  return [...words, name].join(' ');
}

/** In the largest unit that gives a whole number: exact, unlike what is made for people to read. */
export function durationSpelling(us: number): string {
  if (us % 1_000_000 === 0) return `${us / 1_000_000}s`;
  return us % 1_000 === 0 ? `${us / 1_000}ms` : `${us}us`;
}

export function rangeSpelling({ min, max }: Range): string {
  return min === max ? durationSpelling(min) : `${durationSpelling(min)}..${durationSpelling(max)}`;
}

function rawTrigger(trigger: Trigger): RawFault {
  switch (trigger.kind) {
    case 'at':
      return { at: durationSpelling(trigger.atUs) };
    case 'when':
      return { when: trigger.pattern.text };
    case 'point': {
      const { point, job, task, on } = trigger;
      return {
        point,
        ...(job === undefined ? {} : { job }),
        ...(task ? { task: taskPatternText(task) } : {}),
        ...(on ? { on: nodeText(on) } : {}),
      };
    }
  }
}

type Writers = { readonly [Kind in FaultKind]: (action: Action<Kind>) => RawFault };
type Action<Kind extends FaultKind> = FaultAction & { readonly kind: Kind };

const writers: Writers = {
  crash: ({ target, restartAfterUs }) => ({ crash: nodeText(target), ...restart(restartAfterUs) }),
  restart: ({ target }) => ({ restart: nodeText(target) }),
  pause: ({ target }) => ({ pause: nodeText(target) }),
  slow: ({ target, by }) => ({ slow: nodeText(target), by }),
  blackout: ({ target, torn, restartAfterUs }) => ({
    blackout: nodeText(target),
    ...(torn ? { torn } : {}),
    ...restart(restartAfterUs),
  }),
  jump: ({ target, aheadUs }) => ({ jump: nodeText(target), ahead: durationSpelling(aheadUs) }),
  drift: ({ target, by }) => ({ drift: nodeText(target), by }),
  lose: ({ files }) => ({ lose: filesText(files) }),
  corrupt: ({ files }) => ({ corrupt: filesText(files) }),
  fill: ({ target }) => ({ fill: nodeText(target) }),
  drop: ({ target }) => ({ drop: nodeText(target) }),
  flap: ({ target, everyUs }) => ({ flap: nodeText(target), every: durationSpelling(everyUs) }),
  partition: ({ link }) => ({ partition: ends(link), ...oneWay(link) }),
  delay: ({ link, extraUs }) => ({ delay: ends(link), extra: rangeSpelling(extraUs), ...oneWay(link) }),
  loss: ({ link, percent }) => ({ loss: ends(link), percent, ...oneWay(link) }),
  duplicate: ({ link, percent }) => ({ duplicate: ends(link), percent, ...oneWay(link) }),
  reorder: ({ link, extraUs }) => ({ reorder: ends(link), extra: rangeSpelling(extraUs), ...oneWay(link) }),
  hold: ({ link, message }) => ({ hold: ends(link), ...(message ? { message } : {}), ...oneWay(link) }),
  clog: ({ link, gapUs }) => ({ clog: ends(link), gap: durationSpelling(gapUs), ...oneWay(link) }),
  misbehave: ({ attempt, how }) => ({ misbehave: attemptText(attempt), how }),
  obscure: ({ target }) => ({ obscure: nodeText(target) }),
  expire: () => ({ expire: 'lease' }),
  lag: ({ masters, by }) => ({ lag: endText(masters), by }),
  sever: ({ masters }) => ({ sever: endText(masters) }),
  blur: ({ masters, blur }) => ({ blur: endText(masters), ...blur }),
  halt: ({ stores, every }) => ({
    halt: stores.kind === 'store' ? `store-${stores.node}` : 'all stores',
    ...(every ? { every: durationSpelling(every.periodUs), ...restart(every.downUs) } : {}),
  }),
  rewind: ({ slots }) => ({ rewind: 'journal', slots }),
  forget: ({ slots }) => ({ forget: 'journal', slots }),
  failSync: ({ target, restartAfterUs }) => ({ failSync: nodeText(target), ...restart(restartAfterUs) }),
  drain: () => ({ drain: 'run' }),
};

function rawAction(action: FaultAction): RawFault {
  const write = writers[action.kind] as (action: FaultAction) => RawFault;
  return write(action);
}

function restart(restartAfterUs: number | undefined): { restartAfter?: string } {
  return restartAfterUs === undefined ? {} : { restartAfter: durationSpelling(restartAfterUs) };
}

function oneWay({ oneWay }: LinkTarget): { oneWay?: boolean } {
  return oneWay ? { oneWay } : {};
}

function ends({ from, to }: LinkTarget): [string, string] {
  return [endText(from), endText(to)];
}

function endText(target: EndTarget): string {
  return target.kind === 'all' ? `all ${target.of}s` : nodeText(target);
}

function nodeText(target: NodeTarget): string {
  switch (target.kind) {
    case 'node':
      return target.node;
    case 'leader':
      return 'leader';
    case 'it':
      return 'it';
    case 'its-worker':
      return 'its worker';
    case 'any':
      return `any ${target.of}`;
  }
}

function filesText(target: FilesTarget): string {
  switch (target.kind) {
    case 'its-output':
      return 'its output';
    case 'attempt':
      return taskPatternText(target.task);
    case 'outputs-of':
      return `outputs of ${nodeText(target.worker)}`;
  }
}

function attemptText(target: AttemptTarget): string {
  return target.kind === 'its-attempt' ? 'its attempt' : taskPatternText(target.task);
}

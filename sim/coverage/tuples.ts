/**
 * What a step is, seen from afar: the role, an abstract state, the kind of event. A campaign that has looked everywhere
 * has seen every such tuple that can be reached; the explorer says which ones can.
 *
 * On the hot path a tuple is a small integer, valid within this process. Names are made on demand; only they may be
 * written to files or compared between processes. The state is that *before* the step: that after the last one.
 */
import type { ClientState } from '../../core/client/step.js';
import { findJob, isTerminal } from '../../core/durable/state.js';
import type { MachineEvent } from '../../core/events.js';
import type { Machine, Role } from '../../core/machine.js';
import type { Leading, MasterState } from '../../core/master/state.js';
import type { WorkerState } from '../../core/worker/state.js';

/** (role, abstract state, event kind). */
export type StepTuple = number;

const roles = ['master', 'worker', 'client'] as const satisfies readonly Role[];

/** Each aspect of a role's abstract state with its values: together the digits of a number. */
const aspects = {
  master: [
    ['standby', 'campaigning', 'leader'],
    ['', 'appending', 'append-unknown'],
    ['', 'map', 'reduce', 'publishing'],
    ['', 'awaiting-holders'],
    ['', 'draining'],
  ],
  worker: [
    ['closed', 'connecting', 'connected', 'welcomed'],
    ['', 'running', 'aborting'],
    ['', 'unanswered'],
  ],
  client: [
    ['closed', 'connecting', 'connected', 'welcomed'],
    ['', 'asking', 'accepted', 'concluded'],
    ['', 'draining'],
  ],
} as const satisfies Record<Role, readonly (readonly string[])[]>;

/** More than all kinds of events there are. */
const eventsMax = 128;
/** More than all abstract states of one role. */
const statesMax = 256;
export const stepTuplesMax = roles.length * statesMax * eventsMax;

/** Of an abstract state and what comes next. */
export function joinTuple(state: number, event: MachineEvent): StepTuple {
  return state * eventsMax + eventKind(event);
}

/** Role and abstract state of a machine as one small integer. Cost O(attempts that the worker runs). */
export function abstractState(machine: Machine): number {
  switch (machine.setup.role) {
    case 'master':
      return masterState(machine.state as MasterState);
    case 'worker':
      return statesMax + workerState(machine.state as WorkerState);
    case 'client':
      return 2 * statesMax + clientState(machine.state as ClientState);
  }
}

/** The abstract state in which a machine of this role starts: every aspect at its first value. */
export function firstState(role: Role): number {
  return roles.indexOf(role) * statesMax;
}

/** `master leader,appending,map <- attempt.completed`. */
export function tupleName(tuple: StepTuple): string {
  return `${stateName(Math.floor(tuple / eventsMax))} <- ${eventNames[tuple % eventsMax]!}`;
}

/** How unlike two steps are, by their names: the words of state and event that only one of them has. */
export function tupleDistance(a: string, b: string): number {
  const [one, other] = [new Set(a.split(/[ ,]/)), new Set(b.split(/[ ,]/))];
  let shared = 0;
  for (const word of one) if (other.has(word)) shared++;
  return one.size + other.size - 2 * shared;
}

function stateName(state: number): string {
  const role = roles[Math.floor(state / statesMax)]!;
  let rest = state % statesMax;
  const words: string[] = [];
  for (const values of aspects[role].toReversed()) {
    words.unshift(values[rest % values.length]!);
    rest = Math.floor(rest / values.length);
  }
  return `${role} ${words.filter(Boolean).join(',')}`;
}

// ---- states -----------------------------------------------------------------------------------------------------

function masterState({ role, journal, leading, durable }: MasterState): number {
  const place = role === 'standby' ? 0 : role === 'campaigning' ? 1 : 2;
  const append = journal.pending === undefined ? 0 : journal.pending.inFlight ? 1 : 2;
  const work = leading ? workUnderWay(leading, durable) : 0;
  const awaiting = leading && leading.awaited.size > 0 ? 1 : 0;
  const draining = leading?.draining ? 1 : 0;
  return (((place * 3 + append) * 4 + work) * 2 + awaiting) * 2 + draining;
}

/** Of the oldest job that has not ended: 1 maps, 2 reduces, 3 publishing; 0 without one. */
function workUnderWay(leading: Leading, durable: MasterState['durable']): number {
  for (const id of leading.jobs.keys()) {
    const job = findJob(durable, id);
    if (!job || isTerminal(job)) continue;
    if (job.phase === 'publishing') return 3;
    return job.mapsCommitted < job.spec.maps ? 1 : 2;
  }
  return 0;
}

function workerState({ link, running, finished }: WorkerState): number {
  let runs = running.size > 0 ? 1 : 0;
  for (const attempt of running.values()) if (attempt.state === 'aborting') runs = 2;
  return (linkState(link.state) * 3 + runs) * 2 + (finished.size > 0 ? 1 : 0);
}

function clientState({ link, request, acceptedSlot, concluded, draining }: ClientState): number {
  const asked = concluded ? 3 : acceptedSlot > 0 ? 2 : request ? 1 : 0;
  return (linkState(link.state) * 4 + asked) * 2 + (draining ? 1 : 0);
}

function linkState(state: WorkerState['link']['state']): number {
  switch (state) {
    case 'closed':
      return 0;
    case 'connecting':
      return 1;
    case 'connected':
      return 2;
    case 'welcomed':
      return 3;
  }
}

// ---- events -----------------------------------------------------------------------------------------------------

/** Kinds of events by number, in the order in which this process met them. */
const eventNames: string[] = [];
const kinds = new Map<string, number>();
const messageKinds = new Map<string, number>();
const deadlineKinds = new Map<string, number>();

/** An event's type; for a message its type; for a deadline its kind. */
function eventKind(event: MachineEvent): number {
  switch (event.type) {
    case 'message.received':
      return numberOf(messageKinds, event.message.type, '');
    case 'clock.reached':
      return numberOf(deadlineKinds, event.deadline.kind, 'clock ');
    default:
      return numberOf(kinds, event.type, '');
  }
}

function numberOf(numbers: Map<string, number>, name: string, prefix: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  const next = eventNames.length;
  if (next === eventsMax) throw new RangeError(`more than ${eventsMax} kinds of events`);
  eventNames.push(`${prefix}${name}`);
  numbers.set(name, next);
  return next;
}

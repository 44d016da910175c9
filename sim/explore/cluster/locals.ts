/**
 * The machines of the explored world, each state a small integer, each step of the real core taken once for every state
 * and event.
 *
 * Time is abstracted. A step happens at time 0; a deadline that comes does so at a time after everything. What a state
 * remembers of time is forgotten by name: a field that ends in `At` or `Since` becomes 0, one that ends in `until` becomes
 * "over" or "not yet", and armed deadlines are a set. So every order in which deadlines may come is explored, and more:
 * how long ago something was is never known. Numbers that only have to differ start again: those of sessions, and of
 * requests for the lease; statistics for people stay 0.
 */
import type { ClientState } from '../../../core/client/step.js';
import type { ClusterConfig } from '../../../core/config.js';
import { arm, armed, type Deadline, type Deadlines, noDeadlines } from '../../../core/deadlines.js';
import type { Draft } from '../../../core/draft.js';
import type { Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { InvariantError } from '../../../core/invariant-error.js';
import {
  type Machine,
  type MachineSetup,
  machineOf,
  type Role,
  startMachine,
} from '../../../core/machine.js';
import type { MasterState } from '../../../core/master/state.js';
import type { WorkerState } from '../../../core/worker/state.js';
import { abstractState, joinTuple, type StepTuple } from '../../coverage/tuples.js';
import { copyOf, frozen } from './plain.js';
import { Table } from './table.js';

type MachineState = MasterState | WorkerState | ClientState;

/** A node at a moment: one life of it, or none. */
export interface Local {
  readonly role: Role;
  readonly node: string;
  readonly incarnation: number;
  /** Without its `config`, which never changes, and its `deadlines`; null while the node is down. */
  readonly state: MachineState | null;
  /** What is armed, by kind and id. */
  readonly armed: readonly Deadline[];
}

/** Places at which a test makes a machine do wrong. Pure functions: what they do may be remembered. */
export interface ExplorePlants {
  /** What the machine is told instead; undefined: nothing. */
  event?(local: Local, event: MachineEvent): MachineEvent | undefined;
  /** What is performed instead of what it asked for. `before` is its state before the step. */
  effects?(local: Local, event: MachineEvent, effects: readonly Effect[]): readonly Effect[];
}

export interface Stepped {
  readonly next: number;
  readonly effects: readonly Effect[];
  readonly tuple: StepTuple;
  readonly broken?: string;
}

/** Names of fields that hold a time gone by, or one to come. */
const past = /(?:At|[Ss]ince)(?:Us)?$/;
const future = /[Uu]ntil(?:Us)?$/;

const senses = new Map<string, 'past' | 'future' | 'none'>();

function senseOf(name: string): 'past' | 'future' | 'none' {
  let sense = senses.get(name);
  if (sense === undefined) {
    sense = past.test(name) ? 'past' : future.test(name) ? 'future' : 'none';
    senses.set(name, sense);
  }
  return sense;
}

/** After all that was armed before. */
const later = 2 ** 50;

export class Locals {
  readonly table = new Table<Local>();
  readonly #armed = new Table<readonly Deadline[]>(frozen);
  readonly #config: ClusterConfig;
  readonly #plants: ExplorePlants;

  constructor(config: ClusterConfig, plants: ExplorePlants) {
    this.#config = config;
    this.#plants = plants;
  }

  /** A life before its first event. */
  start(setup: MachineSetup): number {
    return this.#number(setup.role, setup.life, startMachine(setup).state);
  }

  down(number: number): number {
    const { role, node, incarnation } = this.table.value(number);
    return this.table.numberOf({ role, node, incarnation, state: null, armed: [] });
  }

  /** One step of the core. `session` is the number that the machine gives to the session it dials next, if it does. */
  step(number: number, event: MachineEvent, session: number): Stepped {
    const local = this.table.value(number);
    const state = copyOf(local.state!) as Draft<MachineState>;
    state.config = this.#config;
    state.deadlines = armedAgain(local.armed);
    if ('link' in state) (state as WorkerState).link.sessions = session - 1;
    const machine = machineOver(local, state as MachineState);
    const tuple = joinTuple(abstractState(machine), event);
    const told = this.#plants.event ? this.#plants.event(local, event) : event;
    if (!told) return { next: number, effects: [], tuple };
    try {
      const done = machine.step(told, told.type === 'clock.reached' ? later : 0);
      const effects = this.#plants.effects ? this.#plants.effects(local, told, done) : done;
      machine.check();
      const now = told.type === 'clock.reached' ? later : 0;
      return { next: this.#number(local.role, local, state as MachineState, now), effects, tuple };
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      return { next: number, effects: [], tuple, broken: error.message };
    }
  }

  #number(role: Role, life: { node: string; incarnation: number }, state: MachineState, now = 0): number {
    const kept = { ...state } as Record<string, unknown>;
    delete kept.config;
    delete kept.deadlines;
    forgetTime(kept, now);
    if (role === 'master') forgetCounts(kept as unknown as MasterState);
    else (kept as unknown as WorkerState).link.sessions = 0;
    const { node, incarnation } = life;
    // Equal lists become the same one: comparing them costs nothing.
    const list = this.#armed.value(this.#armed.numberOf(inOrder(armed(state.deadlines))));
    return this.table.numberOf({
      role,
      node,
      incarnation,
      state: kept as unknown as MachineState,
      armed: list,
    });
  }
}

/** By kind and id: when they come, and in which order they were armed, is forgotten. */
function inOrder(deadlines: readonly Deadline[]): Deadline[] {
  return deadlines
    .map(({ kind, id }) => ({ kind, id }))
    .sort((a, b) => (a.kind === b.kind ? (a.id < b.id ? -1 : 1) : a.kind < b.kind ? -1 : 1));
}

/** All of them due at any time. */
function armedAgain(list: readonly Deadline[]): Deadlines {
  const deadlines = noDeadlines();
  for (const { kind, id } of list) arm(deadlines, kind, id, 0);
  return deadlines;
}

/** Renaming has put the deadlines out of order. */
export function tidied(local: Local): Local {
  return { ...local, armed: inOrder(local.armed) };
}

/** Numbers that nothing is decided by: they are only told to people. */
function forgetCounts(state: MasterState): void {
  state.lease.request = 1;
  for (const { maps, reduces } of state.leading?.jobs.values() ?? []) {
    for (const phase of [maps, reduces]) {
      phase.attempts = 0;
      phase.stale = 0;
      phase.speculative = 0;
    }
  }
}

function forgetTime(value: unknown, now: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value) || value instanceof Map) {
    for (const item of value.values()) forgetTime(item, now);
    return;
  }
  const fields = value as Record<string, unknown>;
  for (const name in fields) {
    const item = fields[name];
    if (typeof item !== 'number') {
      if (typeof item === 'object' && !Object.isFrozen(item)) forgetTime(item, now);
      continue;
    }
    const sense = senseOf(name);
    if (sense !== 'none') fields[name] = sense === 'future' && item > now ? 1 : 0;
  }
}

function machineOver(local: Local, state: MachineState): Machine {
  const { role, node, incarnation } = local;
  const life = { node, incarnation };
  const config = state.config;
  const setup: MachineSetup =
    role === 'worker' ? { role, config, life, slots: (state as WorkerState).slots } : { role, config, life };
  return machineOf(setup, state);
}

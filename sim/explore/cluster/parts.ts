/**
 * The parts of the explored world, their places in the vector, and what a step of a machine does to them. Whatever is
 * computed here is computed once and found again by number.
 */
import type { Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import type { MachineSetup } from '../../../core/machine.js';
import type { Message } from '../../../core/messages.js';
import type { StepTuple } from '../../coverage/tuples.js';
import { type ClusterSetup, packBounds } from './bounds.js';
import { Judgements } from './judgements.js';
import { changeBench, changeShelf, emptyBench, emptyShelf } from './labour.js';
import { type ExplorePlants, Locals } from './locals.js';
import { performed } from './performed.js';
import { type Places, placesOf } from './places.js';
import { frozen } from './plain.js';
import { type Claim, claimsOf, judgeBelief, judgeObedience } from './rules.js';
import { changeDesk, changeLease, emptyDesk, freeLease, Journals } from './store.js';
import { Memo, Part, Table } from './table.js';
import { changeWires } from './wires.js';

/** What a step does, compiled: everything by number. */
export interface Outcome {
  readonly next: number;
  /** Pairs of a place in the vector and the number of a change of what stands there. */
  readonly changes: readonly number[];
  readonly claims: readonly number[];
  readonly broken: number;
  readonly tuple: StepTuple;
  readonly effects: readonly Effect[];
}

/** A dialer numbers its sessions below this; more are never open at once. */
const sessionsMax = 8;

export class Parts {
  readonly setup: ClusterSetup;
  readonly at: Places;
  readonly names: readonly string[];
  readonly locals: Locals;
  /** What machines are told is frozen: states may share it, and a machine that changes it is found out. */
  readonly events = new Table<MachineEvent>(frozen);
  readonly messages = new Table<Message>(frozen);
  readonly claims = new Table<Claim>();
  readonly texts = new Table<string>();
  readonly journals = new Journals();
  readonly wires = new Part(changeWires);
  readonly desks = new Part(changeDesk);
  readonly benches = new Part(changeBench);
  readonly lease = new Part(changeLease);
  readonly shelf = new Part(changeShelf);
  /** Steps that were ever taken, seen from afar. */
  readonly tuples = new Set<StepTuple>();
  readonly judgements: Judgements;
  readonly #outcomes = new Memo<Outcome>((local, event) => this.#outcome(local, event));

  constructor(setup: ClusterSetup, plants: ExplorePlants) {
    this.setup = setup;
    const { masters } = setup.config;
    this.names = [...masters, ...setup.workers, 'client-1'];
    this.at = placesOf(masters.length, setup.workers.length);
    this.locals = new Locals(setup.config, plants);
    this.judgements = new Judgements(this);
    this.texts.numberOf('');
  }

  /** The number of the node that bears this name. */
  node(name: string): number {
    return this.names.indexOf(name);
  }

  /** Everybody is down, and everything is empty. */
  empty(states: Int32Array, to: number): void {
    const { at } = this;
    states.fill(0, to, to + at.words);
    for (let node = 0; node < at.nodes; node++) states[to + node] = this.#never(node);
    for (let dialer = 0; dialer <= at.workers; dialer++)
      states[to + at.wires + dialer] = this.wires.values.numberOf([]);
    for (let master = 0; master < at.masters; master++) {
      states[to + at.desks + master] = this.desks.values.numberOf(emptyDesk);
    }
    for (let worker = 0; worker < at.workers; worker++) {
      states[to + at.benches + worker] = this.benches.values.numberOf(emptyBench);
    }
    states[to + at.lease] = this.lease.values.numberOf(freeLease);
    states[to + at.shelf] = this.shelf.values.numberOf(emptyShelf);
    states[to + at.bounds] = packBounds(this.setup.bounds);
  }

  #never(node: number): number {
    const role = node < this.at.masters ? 'master' : node < this.at.nodes - 1 ? 'worker' : 'client';
    return this.locals.table.numberOf({
      role,
      node: this.names[node]!,
      incarnation: 0,
      state: null,
      armed: [],
    });
  }

  /** The next life of a node that is down, before its first event. */
  reborn(local: number): number {
    const { role, node, incarnation } = this.locals.table.value(local);
    const { config, slots } = this.setup;
    const life = { node, incarnation: incarnation + 1 };
    const previous = incarnation > 0 ? { previous: { incarnation, end: 'killed' as const } } : {};
    const setup: MachineSetup =
      role === 'worker' ? { role, config, life, slots, ...previous } : { role, config, life };
    return this.locals.start(setup);
  }

  outcome(local: number, event: number, session: number): Outcome {
    return this.#outcomes.get(local, event * sessionsMax + session);
  }

  /** Steps of the core that were taken; all others were looked up. */
  get stepsTaken(): number {
    return this.#outcomes.size;
  }

  change(place: number, value: number, change: number): number {
    const { at } = this;
    if (place >= at.wires && place < at.desks) return this.wires.changed(value, change);
    if (place < at.benches) return this.desks.changed(value, change);
    if (place < at.lease) return this.benches.changed(value, change);
    if (place === at.lease) return this.lease.changed(value, change);
    return this.shelf.changed(value, change);
  }

  /** The number of a text, 0 when there is none. */
  textOf(text: string | undefined): number {
    return text === undefined ? 0 : this.texts.numberOf(text);
  }

  #outcome(local: number, key: number): Outcome {
    const event = this.events.value(Math.floor(key / sessionsMax));
    const before = this.locals.table.value(local);
    const { next, effects, tuple, broken } = this.locals.step(local, event, key % sessionsMax);
    this.tuples.add(tuple);
    const problem = broken ?? judgeObedience(before, event, effects) ?? judgeBelief(before, effects);
    return {
      next,
      changes: performed(this, before, effects),
      claims: claimsOf(before, effects).map((claim) => this.claims.numberOf(claim)),
      broken: this.textOf(problem),
      tuple,
      effects,
    };
  }
}

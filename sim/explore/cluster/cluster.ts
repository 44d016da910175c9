/**
 * The real core as a model to explore: masters, workers and a client, with the sessions between them, the stores and the
 * executors. A global state is a short vector of numbers, one for each part; a step of the core is taken once for every
 * state of a machine and event, and from then on it is a look into a table.
 *
 * What is explored: every order in which messages, answers of the stores, ends of attempts and restarts may come, with
 * faults in number up to the bounds. Time passes only when nothing else can happen, or at the price of a fault. What may
 * happen is told in `steps/`, a file for each kind; here is their order, which numbers the steps of a state.
 */
import { type Model, Successors } from '../model.js';
import type { ClusterSetup } from './bounds.js';
import type { ExplorePlants } from './locals.js';
import { Parts } from './parts.js';
import { ampleDialer } from './steps/ample.js';
import { Clocks } from './steps/clocks.js';
import { Deliveries } from './steps/deliveries.js';
import { Executors } from './steps/executors.js';
import { Fairness } from './steps/fairness.js';
import { Faults } from './steps/faults.js';
import { Lives } from './steps/lives.js';
import { Moment } from './steps/moment.js';
import { Stores } from './steps/stores.js';
import { type Step, Successor } from './steps/successor.js';

export class Cluster implements Model {
  readonly parts: Parts;
  readonly words: number;
  /** Deliveries use up what is under way: without a master's steps there is an end to them. */
  readonly ampleEnds = true;
  readonly #moment: Moment;
  readonly #next: Successor;
  readonly #deliveries: Deliveries;
  readonly #executors: Executors;
  readonly #stores: Stores;
  readonly #lives: Lives;
  readonly #clocks: Clocks;
  readonly #faults: Faults;

  constructor(setup: ClusterSetup, plants: ExplorePlants = {}) {
    const parts = new Parts(setup, plants);
    const fairness = new Fairness(parts.names);
    const moment = new Moment(parts);
    const next = new Successor(parts, moment, fairness);
    this.parts = parts;
    this.words = parts.at.words;
    this.#moment = moment;
    this.#next = next;
    this.#deliveries = new Deliveries(parts, moment, next);
    this.#executors = new Executors(parts, moment, next);
    this.#stores = new Stores(parts, moment, next);
    this.#lives = new Lives(parts, moment, next);
    this.#clocks = new Clocks(parts, moment, next, fairness);
    this.#faults = new Faults(parts, moment, next, this.#deliveries, this.#executors);
  }

  /** Everybody has started. */
  initial(out: Successors): void {
    this.#next.into(out);
    this.#next.beginEmpty();
    for (let node = 0; node < this.parts.at.nodes; node++) this.#lives.start(node);
  }

  expand(states: Int32Array, offset: number, out: Successors): void {
    const { at } = this.parts;
    const moment = this.#moment;
    moment.look(states, offset);
    this.#next.into(out);
    if (moment.number(at.broken) !== 0) return;
    const faultsLeft = moment.number(at.bounds) !== 0;
    const first = faultsLeft ? -1 : ampleDialer(this.parts, moment);
    if (first >= 0) {
      this.#ofDialer(first);
      out.ample = out.count;
    }
    for (let dialer = 0; dialer <= at.workers; dialer++) {
      if (dialer !== first) this.#ofDialer(dialer);
      this.#deliveries.toMasters(dialer);
    }
    for (let master = 0; master < at.masters; master++) this.#stores.ofMaster(master);
    this.#stores.lease();
    for (let node = 0; node < at.nodes; node++) this.#lives.restart(node);
    const quiet = out.count === 0;
    for (let master = 0; master < at.masters; master++) this.#stores.late(master);
    this.#clocks.pass(quiet);
    if (faultsLeft) this.#faults.happen();
  }

  /** What is delivered to a worker or client, and what its executors end. */
  #ofDialer(dialer: number): void {
    const { at } = this.parts;
    if (!this.#moment.isUp(at.masters + dialer)) return;
    this.#deliveries.toDialer(dialer);
    if (dialer < at.workers) this.#executors.ofWorker(dialer);
  }

  broken(states: Int32Array, offset: number): string | undefined {
    const text = states[offset + this.parts.at.broken]!;
    return text === 0 ? undefined : this.parts.texts.value(text);
  }

  /** The user has an answer. */
  goal(states: Int32Array, offset: number): boolean {
    const { state } = this.parts.locals.table.value(states[offset + this.parts.at.nodes - 1]!);
    return state !== null && 'concluded' in state && state.concluded;
  }

  describe(states: Int32Array, offset: number, ordinal: number): string {
    return this.step(states, offset, ordinal).text;
  }

  step(states: Int32Array, offset: number, ordinal: number): Step {
    const told = this.#next.telling(() => this.expand(states, offset, new Successors(this.words)));
    return told[ordinal]!;
  }
}

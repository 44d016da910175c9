/**
 * The state that is being made: a copy of the moment's, changed until the next one is begun. One is made and reused.
 *
 * Rule: what a machine asks for is performed as soon as it is fed, and judged against the state as it is then. So what
 * the world has done comes before what is heard of it.
 */
import type { Decision, Effect } from '../../../../core/effects.js';
import type { MachineEvent } from '../../../../core/events.js';
import { type Successors, unfair } from '../../model.js';
import { type BoundName, oneOf } from '../bounds.js';
import type { BenchChange, ShelfChange } from '../labour.js';
import type { Parts } from '../parts.js';
import type { DeskChange, LeaseChange } from '../store.js';
import type { Part } from '../table.js';
import { freeNumber, type WireChange } from '../wires.js';
import type { Fairness } from './fairness.js';
import type { Moment } from './moment.js';

/** One step of a path, for people and for scenario files. */
export interface Step {
  readonly text: string;
  /** Of which bound it used one. */
  readonly fault?: BoundName;
  /** The node at which it happened. */
  readonly node?: string;
  readonly event?: MachineEvent;
  readonly decisions: readonly Decision[];
}

export class Successor {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #fairness: Fairness;
  #out: Successors | undefined;
  #data: Int32Array = new Int32Array(0);
  /** Where in `#data` its words begin. */
  #to = 0;
  #fault: BoundName | undefined;
  /** While steps are told: what the successors are, in their order. */
  #told: Step[] | undefined;

  constructor(parts: Parts, moment: Moment, fairness: Fairness) {
    this.#parts = parts;
    this.#moment = moment;
    this.#fairness = fairness;
  }

  /** What is begun from now on is pushed here. */
  into(out: Successors): void {
    this.#out = out;
  }

  // ---- one is begun -----------------------------------------------------------------------------------------------

  begin(fairness: number): void {
    this.#push(fairness);
    this.#moment.copyTo(this.#data, this.#to);
  }

  /** What this node, or somebody on its behalf, does at some time. */
  beginAt(node: number): void {
    this.begin(this.#fairness.ofNode(node));
  }

  /** What need not happen, and uses up one of a bound. */
  beginFault(name: BoundName): void {
    this.begin(unfair);
    this.#fault = name;
    this.#data[this.#to + this.#parts.at.bounds]! -= oneOf(name);
  }

  /** Nobody has begun yet: a copy of nothing. */
  beginEmpty(): void {
    this.#push(unfair);
    this.#parts.empty(this.#data, this.#to);
  }

  /** A step of this class is due, though something has to come before it. */
  await(fairness: number): void {
    this.#out!.await(fairness);
  }

  #push(fairness: number): void {
    const out = this.#out!;
    this.#to = out.push(fairness);
    this.#data = out.data;
    this.#fault = undefined;
  }

  // ---- it is changed ----------------------------------------------------------------------------------------------

  /** The number of what stands in a place by now. */
  number(place: number): number {
    return this.#data[this.#to + place]!;
  }

  put(place: number, number: number): void {
    this.#data[this.#to + place] = number;
  }

  /** What stands in a place becomes what the change of this number makes of it. */
  change(place: number, change: number): void {
    this.put(place, this.#parts.change(place, this.number(place), change));
  }

  onWires(dialer: number, change: WireChange): void {
    this.#on(this.#parts.wires, this.#parts.at.wires + dialer, change);
  }

  onDesk(master: number, change: DeskChange): void {
    this.#on(this.#parts.desks, this.#parts.at.desks + master, change);
  }

  onBench(worker: number, change: BenchChange): void {
    this.#on(this.#parts.benches, this.#parts.at.benches + worker, change);
  }

  onLease(change: LeaseChange): void {
    this.#on(this.#parts.lease, this.#parts.at.lease, change);
  }

  onShelf(change: ShelfChange): void {
    this.#on(this.#parts.shelf, this.#parts.at.shelf, change);
  }

  #on<T, C>(part: Part<T, C>, place: number, change: C): void {
    this.put(place, part.changed(this.number(place), part.changes.numberOf(change)));
  }

  /** Feeds an event to a node, performs what its machine asks for, and judges what it says. */
  feed(node: number, event: number): void {
    const parts = this.#parts;
    const { at, judgements } = parts;
    const dialer = node - at.masters;
    const session = dialer < 0 ? 1 : freeNumber(parts.wires.values.value(this.number(at.wires + dialer)));
    const outcome = parts.outcome(this.number(node), event, session);
    this.put(node, outcome.next);
    const { changes } = outcome;
    for (let index = 0; index < changes.length; index += 2) this.change(changes[index]!, changes[index + 1]!);
    let broken = outcome.broken;
    const journal = this.number(at.journal);
    const shelf = this.number(at.shelf);
    for (const claim of outcome.claims) broken ||= judgements.claim(claim, journal, shelf);
    broken ||= judgements.world(journal, shelf);
    if (dialer < 0) broken ||= judgements.memory(outcome.next, journal);
    this.blame(broken);
    if (this.#told) this.#addToTold(node, event, outcome.effects);
  }

  /** By number of the text, 0 when nothing is wrong. The first rule that is broken is the one that is named. */
  blame(broken: number): void {
    const { at } = this.#parts;
    if (broken !== 0 && this.number(at.broken) === 0) this.put(at.broken, broken);
  }

  // ---- it is told -------------------------------------------------------------------------------------------------

  /** The steps to all successors that `make` begins. */
  telling(make: () => void): readonly Step[] {
    const told: Step[] = [];
    this.#told = told;
    make();
    this.#told = undefined;
    return told;
  }

  /** Whether anybody listens: what is costly to say is said only then. */
  get isTold(): boolean {
    return this.#told !== undefined;
  }

  /** What happens, once for each successor and before anything is fed. The node is named where none is fed. */
  tell(text: string, node?: number): void {
    if (!this.#told) return;
    const fault = this.#fault ? { fault: this.#fault } : {};
    const at = node === undefined ? {} : { node: this.#parts.names[node]! };
    this.#told.push({ text, decisions: [], ...fault, ...at });
  }

  #addToTold(node: number, event: number, effects: readonly Effect[]): void {
    const told = this.#told!;
    const last = told.at(-1);
    if (!last) return;
    const decisions = effects.flatMap((effect) => (effect.type === 'decide' ? [effect.decision] : []));
    const said =
      decisions.length > 0 ? `${last.decisions.length > 0 ? ', ' : '; '}${decisions.join(', ')}` : '';
    told[told.length - 1] = {
      ...last,
      text: `${last.text}${said}`,
      node: this.#parts.names[node]!,
      event: this.#parts.events.value(event),
      decisions: [...last.decisions, ...decisions],
    };
  }
}

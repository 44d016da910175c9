/**
 * The state that is expanded, read by what stands in it. One is made and reused, so that a look allocates nothing.
 */
import { type BoundName, isLeft, oneOf } from '../bounds.js';
import type { Bench } from '../labour.js';
import type { Local } from '../locals.js';
import type { Parts } from '../parts.js';
import type { Desk, LeaseService } from '../store.js';
import type { Wires } from '../wires.js';

export class Moment {
  readonly #parts: Parts;
  #states: Int32Array = new Int32Array(0);
  #offset = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** From now on this state is read. */
  look(states: Int32Array, offset: number): void {
    this.#states = states;
    this.#offset = offset;
  }

  copyTo(data: Int32Array, to: number): void {
    const { words } = this.#parts.at;
    const states = this.#states;
    const offset = this.#offset;
    for (let word = 0; word < words; word++) data[to + word] = states[offset + word]!;
  }

  /** The number of what stands in a place. */
  number(place: number): number {
    return this.#states[this.#offset + place]!;
  }

  local(node: number): Local {
    return this.#parts.locals.table.value(this.number(node));
  }

  isUp(node: number): boolean {
    return this.local(node).state !== null;
  }

  sessions(dialer: number): Wires {
    const { at, wires } = this.#parts;
    return wires.values.value(this.number(at.wires + dialer));
  }

  desk(master: number): Desk {
    const { at, desks } = this.#parts;
    return desks.values.value(this.number(at.desks + master));
  }

  bench(worker: number): Bench {
    const { at, benches } = this.#parts;
    return benches.values.value(this.number(at.benches + worker));
  }

  get lease(): LeaseService {
    const { at, lease } = this.#parts;
    return lease.values.value(this.number(at.lease));
  }

  get journal(): number {
    return this.number(this.#parts.at.journal);
  }

  isLeft(name: BoundName): boolean {
    return isLeft(this.number(this.#parts.at.bounds), oneOf(name));
  }
}

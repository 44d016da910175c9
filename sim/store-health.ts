/**
 * How well the store can be reached: journal and lease alike. It may be slow for some masters, out of their reach, or
 * say nothing of what became of an append; and it may be several nodes, of which a majority must be up.
 *
 * It knows nothing of what is stored. Faults overlap, so each is counted.
 */
import type { Host, Task } from './host.js';
import type { Life, SimNode } from './nodes.js';
import type { Blur } from './scenario/types.js';

/** A fault that is told of each call that it has changed. */
type Hit = () => void;

export interface Slowness {
  readonly by: number;
  readonly hit: Hit;
}

export interface Blurring {
  readonly blur: Blur;
  readonly hit: Hit;
}

export class StoreHealth {
  readonly #host: Host;
  readonly #nodes: number;
  /** The faults that hold down each node of the store, by its number from 1. */
  readonly #halted = new Map<number, Hit[]>();
  readonly #severed = new Map<SimNode, Hit[]>();
  /** The faults that slow a master down. */
  readonly #slowed = new Map<SimNode, Slowness[]>();
  /** The faults that blur a master's appends. */
  readonly #blurs = new Map<SimNode, Blurring[]>();
  /** What processes will do as soon as they reach the store. */
  #waiting: { readonly life: Life; readonly task: Task }[] = [];
  #whenAvailable: Task[] = [];

  constructor(host: Host, nodes = 1) {
    this.#host = host;
    this.#nodes = nodes;
  }

  /** A majority of its nodes is up. */
  get available(): boolean {
    return 2 * (this.#nodes - this.#halted.size) > this.#nodes;
  }

  reaches(node: SimNode): boolean {
    return this.available && !this.#severed.has(node);
  }

  /**
   * A call: whether it reaches the store. The faults that it meets are told: those that are in its way, and nodes that are
   * down, also when the others are enough.
   */
  takes(node: SimNode): boolean {
    this.#missNodes();
    for (const hit of this.#severed.get(node) ?? []) hit();
    return this.reaches(node);
  }

  /** Now, or when the store can be reached again: as a client does that does not give up. */
  whenReached(life: Life, task: Task): void {
    if (this.takes(life.node)) task();
    else this.#waiting.push({ life, task });
  }

  /** What the service itself does next, as soon as a majority of its nodes is up. */
  whenAvailable(task: Task): void {
    this.#missNodes();
    this.#whenAvailable.push(task);
  }

  /**
   * How long it takes this node what takes others so long, in whole microseconds. Of faults that overlap the worst counts:
   * their product would be a store that answers in days.
   */
  slowedUs(node: SimNode, us: number): number {
    let worst: Slowness | undefined;
    for (const slowness of this.#slowed.get(node) ?? []) if (slowness.by > (worst?.by ?? 1)) worst = slowness;
    const slowedUs = Math.round(us * (worst?.by ?? 1));
    if (worst && slowedUs > us) worst.hit();
    return slowedUs;
  }

  /** Of faults that overlap the one that blurs the most. */
  blurringOf(node: SimNode): Blurring | undefined {
    let worst: Blurring | undefined;
    for (const one of this.#blurs.get(node) ?? []) {
      if (one.blur.percent > (worst?.blur.percent ?? 0)) worst = one;
    }
    return worst;
  }

  slow(node: SimNode, slowness: Slowness): void {
    begin(this.#slowed, node, slowness);
  }

  hasten(node: SimNode, slowness: Slowness): void {
    end(this.#slowed, node, slowness);
  }

  blur(node: SimNode, blurring: Blurring): void {
    begin(this.#blurs, node, blurring);
  }

  clear(node: SimNode, blurring: Blurring): void {
    end(this.#blurs, node, blurring);
  }

  sever(node: SimNode, hit: Hit): void {
    begin(this.#severed, node, hit);
  }

  rejoin(node: SimNode, hit: Hit): void {
    end(this.#severed, node, hit);
    this.#goOn();
  }

  halt(store: number, hit: Hit): void {
    begin(this.#halted, store, hit);
  }

  restart(store: number, hit: Hit): void {
    end(this.#halted, store, hit);
    this.#goOn();
  }

  #missNodes(): void {
    for (const faults of this.#halted.values()) for (const hit of faults) hit();
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { life, task } of waiting) {
      if (!this.takes(life.node)) this.#waiting.push({ life, task });
      else this.#host.runFor(life, task);
    }
    if (this.#whenAvailable.length > 0) this.#missNodes();
    if (!this.available) return;
    const tasks = this.#whenAvailable;
    this.#whenAvailable = [];
    for (const task of tasks) task();
  }
}

function begin<Key, Fault>(faults: Map<Key, Fault[]>, key: Key, fault: Fault): void {
  faults.set(key, [...(faults.get(key) ?? []), fault]);
}

function end<Key, Fault>(faults: Map<Key, Fault[]>, key: Key, fault: Fault): void {
  const lasting = faults.get(key) ?? [];
  const place = lasting.indexOf(fault);
  if (place < 0) throw new RangeError('a fault of the store ended twice');
  const left = lasting.toSpliced(place, 1);
  if (left.length > 0) faults.set(key, left);
  else faults.delete(key);
}

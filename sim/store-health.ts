/**
 * How well the store can be reached: journal and lease alike. It may be slow for some masters, out of their reach, or
 * say nothing of what became of an append; and it may be several nodes, of which a majority must be up.
 *
 * It knows nothing of what is stored. Faults overlap, so each is counted.
 */
import type { Host, Task } from './host.js';
import type { Life, SimNode } from './nodes.js';
import type { Blur } from './scenario/types.js';

export class StoreHealth {
  readonly #host: Host;
  readonly #nodes: number;
  /** How many faults hold down each node of the store, by its number from 1. */
  readonly #halted = new Map<number, number>();
  readonly #severed = new Map<SimNode, number>();
  /** Factors of the faults that slow a master down. */
  readonly #slowBy = new Map<SimNode, number[]>();
  /** The faults that blur a master's appends. */
  readonly #blurs = new Map<SimNode, Blur[]>();
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

  /** Now, or when the store can be reached again: as a client does that does not give up. */
  whenReached(life: Life, task: Task): void {
    if (this.reaches(life.node)) task();
    else this.#waiting.push({ life, task });
  }

  /** What the service itself does next, as soon as a majority of its nodes is up. */
  whenAvailable(task: Task): void {
    this.#whenAvailable.push(task);
  }

  /** Of faults that overlap the worst counts: their product would be a store that answers in days. */
  slowBy(node: SimNode): number {
    return Math.max(1, ...(this.#slowBy.get(node) ?? []));
  }

  /** Of faults that overlap the one that blurs the most. */
  blurOf(node: SimNode): Blur {
    let worst: Blur = { percent: 0, happen: 100 };
    for (const blur of this.#blurs.get(node) ?? []) if (blur.percent > worst.percent) worst = blur;
    return worst;
  }

  slow(node: SimNode, by: number): void {
    begin(this.#slowBy, node, by);
  }

  hasten(node: SimNode, by: number): void {
    end(this.#slowBy, node, by);
  }

  blur(node: SimNode, blur: Blur): void {
    begin(this.#blurs, node, blur);
  }

  clear(node: SimNode, blur: Blur): void {
    end(this.#blurs, node, blur);
  }

  sever(node: SimNode): void {
    this.#severed.set(node, (this.#severed.get(node) ?? 0) + 1);
  }

  rejoin(node: SimNode): void {
    release(this.#severed, node);
    this.#goOn();
  }

  halt(store: number): void {
    this.#halted.set(store, (this.#halted.get(store) ?? 0) + 1);
  }

  restart(store: number): void {
    release(this.#halted, store);
    this.#goOn();
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { life, task } of waiting) {
      if (!this.reaches(life.node)) this.#waiting.push({ life, task });
      else this.#host.runFor(life, task);
    }
    if (!this.available) return;
    const tasks = this.#whenAvailable;
    this.#whenAvailable = [];
    for (const task of tasks) task();
  }
}

function release<Key>(counts: Map<Key, number>, key: Key): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left < 0) throw new RangeError('a fault of the store ended twice');
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}

function begin<Strength>(strengths: Map<SimNode, Strength[]>, node: SimNode, strength: Strength): void {
  strengths.set(node, [...(strengths.get(node) ?? []), strength]);
}

function end<Strength>(strengths: Map<SimNode, Strength[]>, node: SimNode, strength: Strength): void {
  const left = strengths.get(node)!;
  left.splice(left.indexOf(strength), 1);
}

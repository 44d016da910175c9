/**
 * One fault as it begins: what the kinds of faults may ask for and must say. A kind answers whether it has changed
 * something, changed nothing, or waits for something to hit; then it says so when it has.
 */
import type { SimNode } from '../nodes.js';
import { draw, drawKey } from '../random.js';
import type { Fact } from '../scenario/facts.js';
import { type Cast, resolveEnd, resolveNode, type Triggers } from '../scenario/triggers.js';
import { type EndTarget, type Fault, masterNames, type NodeTarget, workerNames } from '../scenario/types.js';
import type { World } from '../world.js';

export type Outcome = 'hit' | 'waits' | 'missed';

/** How faults of one kind are performed. */
export type Perform<Action> = (occasion: Occasion, action: Action) => Outcome;

/** What an occasion tells whoever keeps the books of faults. */
export interface Books {
  keyOf(fault: Fault): number;
  /** The fault has changed something. */
  hit(fault: Fault): void;
  /** How to end it, or a part of it that is about these nodes; without this it is over at once. */
  lasts(fault: Fault, end: () => void, nodes: readonly SimNode[]): void;
  /** Something of it is still to come, and no end of it: a restart. */
  later(delayUs: number, task: () => void): void;
  /** All of these nodes are healed for good: nothing can happen to them any more. */
  areHealed(nodes: readonly SimNode[]): boolean;
}

const choice = drawKey('choice of target');

export class Occasion {
  readonly world: World;
  readonly fault: Fault;
  /** For the fault's own draws. */
  readonly key: number;
  /** What set it off; absent when the clock did. */
  readonly fact: Fact | undefined;
  readonly books: Books;
  readonly #triggers: Triggers;

  constructor(world: World, triggers: Triggers, books: Books, fault: Fault, fact: Fact | undefined) {
    this.world = world;
    this.fault = fault;
    this.key = books.keyOf(fault);
    this.fact = fact;
    this.books = books;
    this.#triggers = triggers;
  }

  node(target: NodeTarget): SimNode | undefined {
    const name = resolveNode(this.#triggers, target, this.fact, this.#cast());
    const node = name === undefined ? undefined : this.world.nodes.get(name);
    return node && this.books.areHealed([node]) ? undefined : node;
  }

  nodes(target: EndTarget): SimNode[] {
    const names = resolveEnd(this.#triggers, target, this.fact, this.#cast());
    return names.flatMap((name) => this.world.nodes.get(name) ?? []);
  }

  hit(): void {
    this.books.hit(this.fault);
  }

  lasts(end: () => void, ...nodes: readonly SimNode[]): void {
    this.books.lasts(this.fault, end, nodes);
  }

  later(delayUs: number, task: () => void): void {
    this.books.later(delayUs, task);
  }

  /** The node is down, and another process takes its place after a while, if one does. */
  restartLater(node: SimNode, delayUs: number | undefined): void {
    if (delayUs === undefined) return;
    this.later(delayUs, () => {
      if (node.status === 'down') this.world.startNode(node);
    });
  }

  #cast(): Cast {
    const { cluster } = this.world.scenario;
    return {
      masters: masterNames(cluster),
      workers: workerNames(cluster),
      clients: this.world.clientNames,
      isUp: (name) => this.world.nodes.get(name)?.status === 'up',
      pick: (below) => draw(this.world.seed, choice, this.key) % below,
    };
  }
}

/**
 * Kinds of steps that must be fair: what stays possible in a kind is at some time done. Each node has one for whatever it
 * may do, and one for every kind of deadline that comes by itself.
 */

/** As many as `Successors` has bits for. */
const kindsMax = 64;

/** The cluster has more of these kinds than can be explored: the user's mistake. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

export class Fairness {
  readonly #numbers = new Map<string, number>();
  readonly #nodes: readonly number[];

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes.map((name) => this.#numberOf(name));
  }

  ofNode(node: number): number {
    return this.#nodes[node]!;
  }

  /** Of deadlines of this kind, at the node that bears this name. */
  ofDeadlines(node: string, kind: string): number {
    return this.#numberOf(`${node} ${kind}`);
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number >= kindsMax) {
      throw new TooLargeError(
        `more than ${kindsMax} kinds of steps must be fair: its nodes, and their deadlines`,
      );
    }
    this.#numbers.set(name, number);
    return number;
  }
}

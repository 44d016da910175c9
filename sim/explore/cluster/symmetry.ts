/**
 * Workers are symmetric: the core compares their names for equality only, and all of them start alike. So of all states
 * that differ only in who is called what, one is explored. What a machine iterates keeps its order under renaming.
 *
 * Tasks are not: the core gives out the lowest first, and a state in which map 0 waits is not one in which map 1 does.
 */

import type { Model } from '../model.js';
import { orders } from '../orders.js';
import type { Cluster } from './cluster.js';
import { tidied } from './locals.js';
import type { Parts } from './parts.js';
import type { Desk } from './store.js';
import { Memo } from './table.js';
import type { Wires } from './wires.js';

interface Renaming {
  readonly names: ReadonlyMap<string, string>;
  /** Worker w becomes `workers[w]`. */
  readonly workers: readonly number[];
}

/** The same model, with the least of all renamed states for each. */
export function symmetric(cluster: Cluster): Model {
  const { parts } = cluster;
  const { workers } = parts.setup;
  const renamings: Renaming[] = orders(workers.length)
    .filter((order) => order.some((to, from) => to !== from))
    .map((order) => ({
      workers: order,
      names: new Map(order.map((to, from) => [workers[from]!, workers[to]!])),
    }));
  if (renamings.length === 0) return cluster;
  const renamers = renamings.map((renaming) => new Renamer(parts, renaming));
  const scratch = new Int32Array(cluster.words);
  return {
    words: cluster.words,
    ampleEnds: cluster.ampleEnds,
    initial: (out) => cluster.initial(out),
    expand: (states, offset, out) => cluster.expand(states, offset, out),
    broken: (states, offset) => cluster.broken(states, offset),
    describe: (states, offset, ordinal) => cluster.describe(states, offset, ordinal),
    canonical: (states, offset) => {
      const least = states.slice(offset, offset + cluster.words);
      for (const renamer of renamers) {
        renamer.rename(states, offset, scratch);
        if (isLess(scratch, least)) least.set(scratch);
      }
      states.set(least, offset);
    },
  };
}

function isLess(a: Int32Array, b: Int32Array): boolean {
  for (let word = 0; word < a.length; word++) if (a[word] !== b[word]) return a[word]! < b[word]!;
  return false;
}

class Renamer {
  readonly #parts: Parts;
  readonly #renaming: Renaming;
  /** By kind of part and number. */
  readonly #renamed = new Memo<number>((kind, number) => this.#compute(kind, number));

  constructor(parts: Parts, renaming: Renaming) {
    this.#parts = parts;
    this.#renaming = renaming;
  }

  rename(states: Int32Array, offset: number, to: Int32Array): void {
    const { at } = this.#parts;
    const { workers } = this.#renaming;
    const put = (kind: number, from: number, place: number): void => {
      to[place] = this.#renamed.get(kind, states[offset + from]!);
    };
    for (let master = 0; master < at.masters; master++) put(kinds.local, master, master);
    put(kinds.local, at.nodes - 1, at.nodes - 1);
    put(kinds.wires, at.wires + at.workers, at.wires + at.workers);
    for (const [from, worker] of workers.entries()) {
      put(kinds.local, at.masters + from, at.masters + worker);
      put(kinds.wires, at.wires + from, at.wires + worker);
      put(kinds.bench, at.benches + from, at.benches + worker);
    }
    for (let master = 0; master < at.masters; master++) put(kinds.desk, at.desks + master, at.desks + master);
    put(kinds.journal, at.journal, at.journal);
    put(kinds.shelf, at.shelf, at.shelf);
    for (const place of [at.lease, at.bounds, at.broken]) to[place] = states[offset + place]!;
  }

  #compute(kind: number, number: number): number {
    const { locals, wires, benches, desks, journals, shelf } = this.#parts;
    const { names } = this.#renaming;
    switch (kind) {
      case kinds.local:
        return locals.table.renamed(number, names, tidied);
      case kinds.wires:
        return wires.values.numberOf(this.#wires(wires.values.value(number)));
      case kinds.bench:
        return benches.values.renamed(number, names);
      case kinds.desk:
        return desks.values.numberOf(this.#desk(desks.values.value(number)));
      case kinds.journal:
        return journals.renamed(number, names);
      default:
        return shelf.values.renamed(number, names);
    }
  }

  #wires(wires: Wires): Wires {
    const message = (one: number): number =>
      one < 0 ? one : this.#parts.messages.renamed(one, this.#renaming.names);
    return wires.map(({ up, down, ...session }) => ({
      ...session,
      ...(up ? { up: up.map(message) } : {}),
      ...(down ? { down: down.map(message) } : {}),
    }));
  }

  #desk({ read, append, publish, late }: Desk): Desk {
    const entry = (one: number): number => this.#parts.journals.entries.renamed(one, this.#renaming.names);
    return {
      ...(read ? { read } : {}),
      ...(append ? { append: { ...append, entry: entry(append.entry) } } : {}),
      ...(publish ? { publish } : {}),
      late: late.map(entry).sort((a, b) => a - b),
    };
  }
}

const kinds = { local: 0, wires: 1, bench: 2, desk: 3, journal: 4, shelf: 5 } as const;

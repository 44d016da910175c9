/**
 * What a campaign has looked at: steps (tuples.ts) and strikes of faults (phases.ts), counted. Counters are merged
 * between threads and kept in files by name.
 */
import type { Life } from '../nodes.js';
import type { Observer } from '../observer.js';
import type { World } from '../world.js';
import { phaseOf, type Strike } from './phases.js';
import { abstractState, firstState, joinTuple, stepTuplesMax, tupleName } from './tuples.js';

/** By name, sorted: how often. Plain data. */
export interface CoverageCounts {
  readonly tuples: Readonly<Record<string, number>>;
  readonly strikes: Readonly<Record<string, number>>;
}

/** Counters with the seed that was the first to reach each tuple. */
export interface TakenCoverage extends CoverageCounts {
  readonly firsts: Readonly<Record<string, string>>;
}

export class Coverage {
  readonly #tuples = new Uint32Array(stepTuplesMax);
  readonly #firsts = new Map<number, string>();
  readonly #strikes = new Map<Strike, number>();

  /** To be added to a world's observers before it starts. */
  observe(world: World): Observer {
    const tuples = this.#tuples;
    const before = new Map<Life, number>();
    return {
      stepped: ({ life, event }) => {
        const after = abstractState(life.machine);
        const tuple = joinTuple(before.get(life) ?? firstState(life.machine.setup.role), event);
        if (tuples[tuple]!++ === 0) this.#firsts.set(tuple, world.seed.text);
        before.set(life, after);
      },
      faultBegan: ({ action }) => {
        const strike: Strike = `${action.kind} in ${phaseOf(world)}`;
        this.#strikes.set(strike, (this.#strikes.get(strike) ?? 0) + 1);
      },
    };
  }

  /** What was counted since the last call, which begins anew. */
  take(): TakenCoverage {
    const tuples: [string, number][] = [];
    const firsts: Record<string, string> = {};
    for (const [tuple, seed] of this.#firsts) {
      const name = tupleName(tuple);
      tuples.push([name, this.#tuples[tuple]!]);
      firsts[name] = seed;
      this.#tuples[tuple] = 0;
    }
    const counts = { tuples: sorted(tuples), strikes: sorted([...this.#strikes]), firsts };
    this.#firsts.clear();
    this.#strikes.clear();
    return counts;
  }
}

export const nothingCovered: CoverageCounts = { tuples: {}, strikes: {} };

export function mergeCoverage(a: CoverageCounts, b: CoverageCounts): CoverageCounts {
  return { tuples: sums(a.tuples, b.tuples), strikes: sums(a.strikes, b.strikes) };
}

/** What must be reached and was not. */
export interface CoverageGap {
  readonly tuples: readonly string[];
  readonly strikes: readonly string[];
}

/** `reachable`: the tuples that the explorer has reached, and the strikes that are possible. */
export function missingFrom(
  counts: CoverageCounts,
  reachable: { readonly tuples: Iterable<string>; readonly strikes: Iterable<string> },
): CoverageGap {
  return {
    tuples: [...reachable.tuples].filter((name) => counts.tuples[name] === undefined),
    strikes: [...reachable.strikes].filter((name) => counts.strikes[name] === undefined),
  };
}

/** One name per line; lines that begin with `#` are for people. */
export function readTupleList(text: string): Set<string> {
  const lines = text.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}

function sums(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const all = new Map(Object.entries(a));
  for (const [name, count] of Object.entries(b)) all.set(name, (all.get(name) ?? 0) + count);
  return sorted([...all]);
}

function sorted(entries: [string, number][]): Record<string, number> {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

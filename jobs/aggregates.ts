/** The usual combiners and reducers. */
import type { ReduceContext } from './types.js';

/** The sum of the values. As `combine` and as `reduce`. */
export function sum(_key: string, values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The smallest value. As `combine` and as `reduce`. */
export function min(_key: string, values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < least) least = value;
  return least;
}

/** The largest value. As `combine` and as `reduce`. */
export function max(_key: string, values: Iterable<number>): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > greatest) greatest = value;
  return greatest;
}

/**
 * How many values there are. As `reduce` only: a count of counts is not a count. The parameter that it ignores makes it
 * a type error as `combine`; `defineJob` refuses it as well.
 */
export function count(_key: string, values: Iterable<unknown>, _ctx: ReduceContext<unknown>): number {
  let total = 0;
  for (const _ of values) total++;
  return total;
}

/** Emits the record itself with 1: the `map` of a job that counts words and says nothing else. */
export function once(word: string, emit: (key: string, value: number) => void): void {
  emit(word, 1);
}

/** A function whose meaning the data plane may use instead of calling it: of this module, or (`group`, `rows`) of grouping.ts. */
export type KnownFunction = 'sum' | 'min' | 'max' | 'count' | 'once' | 'group' | 'rows';

/** Shared by all copies of this module: a bundled job brings one of its own. */
const MARK = Symbol.for('mapreduce-rehearsal.known');

/** Says of a function what it is. */
export function markKnown<F extends (...all: never[]) => unknown>(name: KnownFunction, own: F): F {
  return Object.defineProperty(own, MARK, { value: name });
}

markKnown('sum', sum);
markKnown('min', min);
markKnown('max', max);
markKnown('count', count);
markKnown('once', once);

/** Which of the known functions this is, whichever copy of this module it comes from. */
export function knownAs(own: unknown): KnownFunction | undefined {
  return typeof own === 'function' ? (own as { [MARK]?: KnownFunction })[MARK] : undefined;
}

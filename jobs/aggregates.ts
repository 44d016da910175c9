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
export function count(_key: string, values: Iterable<unknown>, _ctx: ReduceContext): number {
  let total = 0;
  for (const _ of values) total++;
  return total;
}

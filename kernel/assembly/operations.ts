/** How the values of a key become one, as jobs/aggregates.ts has it. */
export const SUM: i32 = 0;
export const MIN: i32 = 1;
export const MAX: i32 = 2;
/** As a sum of ones, whatever the values are. */
export const COUNT: i32 = 3;

export let operation: i32 = SUM;

export function chooseOperation(chosen: i32): void {
  operation = chosen;
}

@inline
export function combine(a: f64, b: f64): f64 {
  // A later value replaces only when it is really less or greater.
  if (operation === SUM || operation === COUNT) return a + b;
  return operation === MIN ? (b < a ? b : a) : b > a ? b : a;
}

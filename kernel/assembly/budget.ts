/** What the keys of the table have cost, and whether that is all that they may. */

/** What a key costs of the budget, beside two for each of its bytes: see jobs/collector.ts. */
const KEY_COST: i64 = 160 + 8;

/** How many keys there are. */
export let keys: i32 = 0;
/** Whether the budget is used up, so that the pairs so far have to be taken away. */
export let full: bool = false;

let budgetBytes: i64 = 0;
let countedBytes: i64 = 0;

export function openBudget(bytes: i64): void {
  budgetBytes = bytes;
}

export function clearBudget(): void {
  keys = 0;
  countedBytes = 0;
  full = false;
}

/** A key is new; `beside` is what lies with it beyond a number. */
@inline
export function payForKey(length: i32, beside: i32): void {
  keys++;
  countedBytes += KEY_COST + 2 * <i64>length + <i64>beside;
  full = countedBytes >= budgetBytes;
}

/** Whether so many keys, of so many bytes together, might use the budget up. */
@inline
export function mightFill(count: i32, bytes: i32): bool {
  return countedBytes + KEY_COST * <i64>count + 2 * <i64>bytes >= budgetBytes;
}

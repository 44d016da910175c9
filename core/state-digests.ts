/**
 * The digest of a machine's state, whole and by its fields, and how often a trace shows it.
 *
 * A digest costs as much as the state is large. So the next one comes after a sixteenth as many steps as the state
 * has entries, and after 64 at least: a step pays for 16 entries at most, however many there are. A state that has
 * half a million is not shown again: the next digest would hold up its node for too long at once.
 */
import { type Hash, hashText, newHash } from './hash.js';
import { addValue, newReader } from './value-hash.js';

export interface StateDigests {
  /** Of the whole state, as `stateDigest` has it. */
  readonly state: string;
  /** Of each field by itself: where two states differ, these say in which. */
  readonly stateFields: Readonly<Record<string, string>>;
  /** Steps to the next digest; Infinity when there is to be none. */
  readonly stepsToNext: number;
}

export const stepsBetweenDigestsMin = 64;
const entriesPerStep = 16;
const entriesMax = 500_000;

/** States change: nothing of them is remembered. */
const changing = newReader();

/** In one walk: the hash of data is the sum of what its fields add to it. */
export function stateDigests(state: object): StateDigests {
  const before = changing.entries;
  const sum = newHash();
  const stateFields: Record<string, string> = {};
  for (const [name, value] of Object.entries(state)) {
    if (value === undefined) continue;
    const own = newHash();
    addValue(changing, own, { [name]: value });
    stateFields[name] = hashText(own);
    addTo(sum, own);
  }
  const entries = (changing.entries - before) | 0;
  return { state: hashText(sum), stateFields, stepsToNext: stepsAfter(entries) };
}

function stepsAfter(entries: number): number {
  if (entries >= entriesMax) return Number.POSITIVE_INFINITY;
  return Math.max(stepsBetweenDigestsMin, Math.ceil(entries / entriesPerStep));
}

/** Both hashes began with what an empty one has. */
function addTo(sum: Hash, part: Hash): void {
  const empty = newHash();
  sum.a = (sum.a + part.a - empty.a) | 0;
  sum.b = (sum.b + part.b - empty.b) | 0;
}

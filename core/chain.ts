/**
 * The hash chain of a node: each step's hash covers the one before, the event, its time and its effects, so two runs
 * that end in the same hash took the same decisions all the way.
 */
import { type Hash, hashText, mixNumber, newHash } from './hash.js';
import { stepsBetweenDigestsMin } from './state-digests.js';
import { addValue, newReader } from './value-hash.js';

export interface Chain {
  /** Steps so far. */
  index: number;
  readonly hash: Hash;
  /** The step at which the trace shows the next digest of the state (state-digests.ts). */
  digestAt: number;
}

export function newChain(): Chain {
  return { index: 0, hash: newHash(), digestAt: stepsBetweenDigestsMin };
}

/** What is written does not change any more, and is seen again by every reader of the journal, or by every worker. */
const steps = newReader(['records', 'changes']);

/** Adds one step; the chain's new hash as 16 hex digits is `chainText`. */
export function extendChain(chain: Chain, now: number, event: unknown, effects: readonly unknown[]): void {
  chain.index++;
  mixNumber(chain.hash, now);
  addValue(steps, chain.hash, event);
  addValue(steps, chain.hash, effects);
}

export function chainText(chain: Chain): string {
  return hashText(chain.hash);
}

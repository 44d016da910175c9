/**
 * What is explored: a small cluster with one job, and how often what may go wrong. Everything else, every order of
 * deliveries, answers of the stores, ends of attempts and restarts, is free.
 */
import type { ClusterConfig } from '../../../core/config.js';
import type { JobSpec } from '../../../core/records.js';

/** How many of each, in a whole run. At most 15. */
export interface Bounds {
  /** A node ends as by kill -9. It may restart at any time. */
  readonly crashes: number;
  /** A session breaks with what is under way in it. */
  readonly losses: number;
  /** A message is delivered twice. */
  readonly duplicates: number;
  /** An armed deadline comes while something else is still under way: somebody is slow, or was stopped for a while. */
  readonly timeouts: number;
  /** An append is answered as unknown; it has happened, or happens later, or never. */
  readonly unknowns: number;
  /** User code or data fail. */
  readonly failures: number;
  /** The lease service gives the lease to somebody else. */
  readonly expiries: number;
}

export const boundNames = [
  'crashes',
  'losses',
  'duplicates',
  'timeouts',
  'unknowns',
  'failures',
  'expiries',
] as const satisfies readonly (keyof Bounds)[];

export const boundMax = 15;

export type BoundName = (typeof boundNames)[number];

export interface ClusterSetup {
  readonly config: ClusterConfig;
  readonly workers: readonly string[];
  readonly slots: number;
  readonly requestId: string;
  readonly spec: JobSpec;
  readonly bounds: Bounds;
}

/** All bounds in one word, four bits each. */
export function packBounds(bounds: Bounds): number {
  return boundNames.reduce((word, name, index) => word | (bounds[name] << (4 * index)), 0);
}

/** One of this kind, to be taken from the word. */
export function oneOf(name: BoundName): number {
  return 1 << (4 * boundNames.indexOf(name));
}

export function isLeft(word: number, one: number): boolean {
  return (word & (15 * one)) !== 0;
}

/** One seed of a campaign: drawn, run, now and then run twice, and shrunk when it fails. */
import type { Coverage } from '../coverage/coverage.js';
import { differenceText, firstDifference } from '../determinism.js';
import type { Scenario } from '../scenario/types.js';
import type { SimulationResult } from '../simulate.js';
import { drawScenario } from './draw.js';
import { type Failure, type RunOptions, runScenario } from './failure.js';
import type { GivenProfile, Profile } from './profile.js';

export interface FuzzOptions extends Omit<RunOptions, 'observe'> {
  /** What of the profile is not drawn. */
  readonly profile?: GivenProfile;
  /** Counts what this run reaches. */
  readonly coverage?: Coverage;
  /** The run is repeated, and must go the same way. */
  readonly twice?: boolean;
}

export interface Fuzzed {
  readonly seed: string;
  readonly profile: Profile;
  readonly scenario: Scenario;
  readonly result: SimulationResult | undefined;
  readonly failure: Failure | undefined;
}

/** Steps after which a run is given up: ordinary ones have some thousands, the longest seen had 300,000. */
export const fuzzStepsMax = 500_000;

/** Deterministic: the same seed and given profile draw and run the same scenario. */
export function fuzzSeed(seed: number | string, options: FuzzOptions = {}): Fuzzed {
  const { profile: given, coverage, twice, ...run } = options;
  const { profile, scenario } = drawScenario(String(seed), given);
  const limits = { stepsMax: fuzzStepsMax, ...run };
  const { result, failure } = runScenario(scenario, {
    ...limits,
    ...(coverage ? { observe: (world) => coverage.observe(world) } : {}),
  });
  const leak = twice && !failure ? leakOf(scenario, limits, result) : undefined;
  return { seed: String(seed), profile, scenario, result, failure: failure ?? leak };
}

/** Undefined when the second run has gone as the first. */
function leakOf(
  scenario: Scenario,
  limits: RunOptions,
  first: SimulationResult | undefined,
): Failure | undefined {
  const { result } = runScenario(scenario, limits);
  if (result?.chain === first?.chain && result?.steps === first?.steps) return undefined;
  const difference = firstDifference(scenario, limits);
  const message = difference ? differenceText(difference) : 'two runs differed, and two more did not';
  return { id: 'leak', message };
}

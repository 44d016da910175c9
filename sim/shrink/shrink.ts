/**
 * From a scenario that fails to a small one that fails in the same way: first by halves, then one thing at a time until
 * nothing more can be taken away (delta debugging: Zeller and Hildebrandt, IEEE TSE 2002), then what is left is made
 * plain: round times, defaults, events instead of times.
 *
 * Every candidate is run on its own seed; what is kept fails with the same id. The work is bounded by steps of the
 * simulation, not by a clock, so that shrinking is as deterministic as what it shrinks.
 */
import { type Failure, type Ran, type RunOptions, runScenario } from '../fuzz/failure.js';
import type { Scenario } from '../scenario/types.js';
import type { SimulationResult } from '../simulate.js';
import { isReadable } from './readable.js';
import { bulkRemovals, type Candidate, singleRemovals } from './removals.js';
import { simplifications } from './simplify.js';

export interface ShrinkOptions extends RunOptions {
  /** Simulated steps of all candidates together after which the best so far is taken. */
  readonly stepsTotal?: number;
}

export interface Shrunk {
  readonly scenario: Scenario;
  readonly failure: Failure;
  /** Of the shrunk scenario. Absent when it ends in an error that nobody expects. */
  readonly result: SimulationResult | undefined;
  /** Candidates that were run. */
  readonly runs: number;
  readonly steps: number;
  /** No single removal fails in the same way; false when the work was cut short. */
  readonly minimal: boolean;
}

/** About a second of work. */
const stepsTotalDefault = 600_000;
/** Counted for a candidate besides its steps: to set up a world is work too. */
const stepsOfSetup = 100;

/** `seed` becomes the scenario's own. Undefined when it does not fail on it. */
export function shrink(original: Scenario, seed: string, options: ShrinkOptions = {}): Shrunk | undefined {
  const { stepsTotal = stepsTotalDefault, ...run } = options;
  const scenario = { ...original, seed };
  const first = runScenario(scenario, run);
  if (!first.failure) return undefined;
  const search = new Search(scenario, { ...first, failure: first.failure }, run, stepsTotal);
  const minimal = search.descend();
  return { ...search.best, minimal, runs: search.runs, steps: search.steps };
}

type Failing = Ran & { readonly failure: Failure };

class Search {
  best: Failing & { readonly scenario: Scenario };
  runs = 0;
  steps = 0;
  readonly #options: RunOptions;
  readonly #stepsTotal: number;
  /** What can be read is to stay so. */
  readonly #isOfFile: boolean;

  constructor(scenario: Scenario, failing: Failing, options: RunOptions, stepsTotal: number) {
    this.best = { ...failing, scenario };
    this.#options = options;
    this.#stepsTotal = stepsTotal;
    this.#isOfFile = isReadable(scenario);
  }

  /** True when nothing is left to take away. */
  descend(): boolean {
    this.#exhaust(bulkRemovals);
    this.#exhaust(singleRemovals);
    for (;;) {
      if (!this.#exhaust((scenario) => simplifications(scenario, this.best.result?.facts ?? [])))
        return false;
      const { scenario } = this.best;
      if (!this.#exhaust(singleRemovals)) return false;
      if (this.best.scenario === scenario) return true;
    }
  }

  /** Takes candidates until none of a whole round fails; false when the work was cut short. */
  #exhaust(candidates: (scenario: Scenario) => Iterable<Candidate>): boolean {
    for (;;) {
      let progress = false;
      for (const candidate of candidates(this.best.scenario)) {
        if (this.steps >= this.#stepsTotal) return false;
        if (!this.#try(candidate.scenario)) continue;
        progress = true;
        break;
      }
      if (!progress) return true;
    }
  }

  #try(scenario: Scenario): boolean {
    if (this.#isOfFile && !isReadable(scenario)) return false;
    // What needs much longer than the original is no simplification.
    const known = this.best.result?.steps ?? 10_000;
    const stepsMax = Math.min(this.#options.stepsMax ?? Number.POSITIVE_INFINITY, 4 * known + 2_000);
    const { result, failure } = runScenario(scenario, { ...this.#options, stepsMax });
    this.runs++;
    this.steps += (result?.steps ?? known) + stepsOfSetup;
    if (failure?.id !== this.best.failure.id) return false;
    this.best = { scenario, result, failure };
    return true;
  }
}

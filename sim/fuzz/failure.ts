/**
 * What counts as a failure of a run, and when two failures are the same: by the broken invariant, or by the expectation
 * that was not met, whatever the numbers in it.
 */

import type { Plants } from '../plants.js';
import type { Scenario } from '../scenario/types.js';
import { type SimulateOptions, type SimulationResult, simulate } from '../simulate.js';
import type { JobRegistry } from '../work.js';

export interface Failure {
  /** Of an invariant: `C6`. Else `expectation …`, `bug …` (an error that nobody expects) or `leak`. */
  readonly id: string;
  readonly message: string;
}

export interface RunOptions {
  readonly registry?: JobRegistry;
  /** Bugs to plant, anew for every run: they may have a memory. */
  readonly plants?: () => Plants;
  readonly stepsMax?: number;
  readonly observe?: SimulateOptions['observe'];
}

export interface Ran {
  /** Absent when the run ended in an error that nobody expects. */
  readonly result: SimulationResult | undefined;
  readonly failure: Failure | undefined;
}

/** One run of the scenario on its own seed. Throws only what is the caller's mistake. */
export function runScenario(scenario: Scenario, options: RunOptions = {}): Ran {
  const { registry, plants, stepsMax, observe } = options;
  let result: SimulationResult;
  try {
    result = simulate(scenario, {
      ...(registry ? { registry } : {}),
      ...(plants ? { plants: plants() } : {}),
      ...(stepsMax === undefined ? {} : { stepsMax }),
      ...(observe ? { observe } : {}),
    });
  } catch (error) {
    return { result: undefined, failure: unexpected(error) };
  }
  return { result, failure: failureOf(result) };
}

/** Undefined as well when a store has done what no program could have noticed: that is no bug of ours. */
export function failureOf(result: SimulationResult): Failure | undefined {
  const { violation, unmet } = result;
  if (violation?.blameless) return undefined;
  if (violation) return { id: violation.id, message: violation.message };
  const first = unmet.find(({ kind }) => kind === 'unmet');
  if (!first) return undefined;
  const sentence = first.message.split(':')[0]!.replaceAll(/\d+(\.\d+)?/g, '#');
  return { id: `expectation ${sentence}`, message: first.message };
}

/** What people call a failure. The id of an expectation has no numbers, so that many runs can fail alike: its message has. */
export function failureTitle({ id, message }: Failure): string {
  return isExpectation(id) ? message.split(':')[0]! : id;
}

/** The failure in full, for people. */
export function failureText({ id, message }: Failure): string {
  return isExpectation(id) ? message : `${id}: ${message}`;
}

function isExpectation(id: string): boolean {
  return id.startsWith('expectation ');
}

/** An error of any kind from a machine or a model: the place where it was thrown tells one from another. */
function unexpected(error: unknown): Failure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const place = /([\w.-]+\.[jt]s):\d+/.exec(stack ?? '')?.[1] ?? 'unknown place';
  return { id: `bug ${name} in ${place}`, message: stack ?? message };
}

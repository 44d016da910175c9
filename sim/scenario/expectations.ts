/**
 * Holds what happened against what the scenario expects. Driver-independent: it sees facts and outcomes, never a world.
 */
import { durationText, momentText } from './duration.js';
import type { FactName } from './fact-names.js';
import type { Fact } from './facts.js';
import { jobOf, matchesTask } from './triggers.js';
import { type Fault, type Scenario, type TaskPattern, taskPatternText } from './types.js';

/** How one of the scenario's jobs ended, in the order of the scenario. */
export interface JobOutcome {
  readonly outcome: 'succeeded' | 'failed' | 'refused' | 'drained' | 'unfinished';
  readonly reason?: string;
  readonly message?: string;
  /** When its client knew; the end of the run for an unfinished one. */
  readonly concludedUs: number;
  /** It had not ended in time, and what lasted of the faults was ended then. */
  readonly healedUs?: number;
  /** How the output compares with the sequential run of the same job. Absent when there is none to compare. */
  readonly output?: 'same-as-sequential' | 'some-sequential' | 'different';
}

export interface Occurrence {
  readonly facts: readonly Fact[];
  readonly jobs: readonly JobOutcome[];
  /** Faults that began and changed something. */
  readonly effective: ReadonlySet<Fault>;
}

export interface UnmetExpectation {
  /** `tested-nothing`: it may be right, but the scenario did not try what it says it tries. */
  readonly kind: 'unmet' | 'tested-nothing';
  readonly message: string;
}

export function checkExpectations(scenario: Scenario, occurrence: Occurrence): UnmetExpectation[] {
  return [
    ...checkJobs(scenario, occurrence),
    ...checkCounts(scenario, occurrence.facts),
    ...checkNames(scenario, occurrence),
  ];
}

function unmet(message: string): UnmetExpectation {
  return { kind: 'unmet', message };
}

function checkJobs(scenario: Scenario, { jobs }: Occurrence): UnmetExpectation[] {
  const { expect } = scenario;
  const problems: UnmetExpectation[] = [];
  for (const [index, expected] of expect.jobs.entries()) {
    const job = jobs[index];
    const outcome = job?.outcome ?? 'unfinished';
    const why = job?.message === undefined ? '' : `: ${job.message}`;
    if (expected.outcome === 'any') continue;
    if (outcome !== expected.outcome) {
      problems.push(
        unmet(`job ${index + 1} was expected to have ${expected.outcome}, but it is ${outcome}${why}`),
      );
    } else if (expected.reason !== undefined && expected.reason !== job?.reason) {
      problems.push(
        unmet(`job ${index + 1} failed as ${job?.reason}, expected was ${expected.reason}${why}`),
      );
    } else if (job?.healedUs !== undefined) {
      const at = momentText(job.healedUs);
      problems.push(unmet(`job ${index + 1} has ${outcome} only after all faults had been ended, at ${at}`));
    }
    const late = job !== undefined && job.concludedUs > expect.withinUs;
    if (late && outcome !== 'unfinished') {
      const times = `${durationText(job.concludedUs)}, expected was within ${durationText(expect.withinUs)}`;
      problems.push(unmet(`job ${index + 1} ended after ${times}`));
    }
    if (outcome === 'succeeded' && !isAsExpected(expect.output, job?.output)) {
      const is = job?.output ?? 'not there';
      problems.push(unmet(`the output of job ${index + 1} is ${is}, expected was ${expect.output}`));
    }
  }
  return problems;
}

function isAsExpected(expected: Scenario['expect']['output'], output: JobOutcome['output']): boolean {
  if (expected === 'any') return true;
  return output === 'same-as-sequential' || (expected === 'some-sequential' && output === expected);
}

function checkCounts(scenario: Scenario, facts: readonly Fact[]): UnmetExpectation[] {
  const { commits, attempts } = scenario.expect;
  const of = (name: FactName, task: TaskPattern): number =>
    facts.filter((fact) => fact.name === name && jobOf(fact) === 1 && matchesTask(task, fact)).length;
  const problems: UnmetExpectation[] = [];
  for (const [name, unit, list] of [
    ['committed', 'commits', commits],
    ['started', 'attempts', attempts],
  ] as const) {
    for (const { task, count } of list) {
      const seen = of(name, task);
      if (seen !== count)
        problems.push(unmet(`${taskPatternText(task)} has ${seen} ${unit}, expected were ${count}`));
    }
  }
  return problems;
}

function checkNames(scenario: Scenario, { facts, effective }: Occurrence): UnmetExpectation[] {
  const seen = new Set<FactName>();
  for (const { name } of facts) seen.add(name);
  const problems: UnmetExpectation[] = [];
  for (const name of scenario.expect.not) {
    if (seen.has(name)) problems.push(unmet(`${name} occurred and must not`));
  }
  for (const name of scenario.expect.exercised) {
    if (!seen.has(name)) problems.push({ kind: 'tested-nothing', message: `${name} did not occur` });
  }
  for (const fault of scenario.faults) {
    if (!effective.has(fault)) {
      problems.push({
        kind: 'tested-nothing',
        message: `fault ${fault.index + 1} (${fault.text}) had no effect`,
      });
    }
  }
  return problems;
}

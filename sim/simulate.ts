/**
 * Runs one scenario in virtual time and says what became of it. Deterministic: the same scenario and seed give the same
 * hash chain on every machine.
 */
import { InvariantError } from '../core/invariant-error.js';
import { builtinJobs } from '../jobs/builtin/registry.js';
import { FileChecker } from './checkers/file-checker.js';
import { JournalChecker } from './checkers/journal-checker.js';
import { Ledger } from './checkers/ledger.js';
import { canEnd, livenessBoundUs, stalled } from './checkers/liveness.js';
import { OutputChecker } from './checkers/output-checker.js';
import { InvariantViolation } from './checkers/violation.js';
import { WordChecker } from './checkers/word-checker.js';
import { Faults } from './faults.js';
import type { WorldStep } from './observer.js';
import { Oracle } from './oracle.js';
import type { Plants } from './plants.js';
import { expandSeed } from './random.js';
import { checkExpectations, type JobOutcome, type UnmetExpectation } from './scenario/expectations.js';
import type { Fact } from './scenario/facts.js';
import { timeline } from './scenario/timeline.js';
import type { Scenario } from './scenario/types.js';
import type { JobRegistry } from './work.js';
import { World, type WorldJob } from './world.js';

export interface SimulateOptions {
  /** Instead of the scenario's own. */
  readonly seed?: string;
  /** Jobs by name; the built-in ones when absent. */
  readonly registry?: JobRegistry;
  readonly onStep?: (step: WorldStep) => void;
  /** Bugs to plant; only tests do. */
  readonly plants?: Plants;
  /** After so many steps the run is given up as inconclusive. */
  readonly stepsMax?: number;
}

export interface SimulationResult {
  readonly scenario: Scenario;
  readonly seed: string;
  /**
   * `failed`: an invariant or an expectation is broken. `tested-nothing`: all is well, but a fault had no effect, or what
   * the scenario wants exercised did not occur. `inconclusive`: a limit was reached.
   */
  readonly verdict: 'passed' | 'failed' | 'tested-nothing' | 'inconclusive';
  /** The hash over every step of every node, in order. */
  readonly chain: string;
  readonly steps: number;
  readonly virtualUs: number;
  readonly jobs: readonly JobOutcome[];
  readonly facts: readonly Fact[];
  /** How often each fact occurred, by name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly unmet: readonly UnmetExpectation[];
  /** The broken invariant: `C…` of the world, or `M…`, `W…` of a machine. */
  readonly violation?: {
    readonly id: string;
    readonly message: string;
    readonly step: number;
    readonly timeUs: number;
  };
  /** One line per notable fact, for people. */
  readonly timeline: readonly string[];
}

const stepsMaxDefault = 20_000_000;

export function simulate(scenario: Scenario, options: SimulateOptions = {}): SimulationResult {
  const run = new Run(scenario, options);
  let violation: SimulationResult['violation'];
  let inconclusive = false;
  try {
    inconclusive = !run.toTheEnd(options.stepsMax ?? stepsMaxDefault);
  } catch (error) {
    violation = run.explain(error);
  }
  return run.result(violation, inconclusive);
}

class Run {
  readonly world: World;
  readonly #scenario: Scenario;
  readonly #faults: Faults;
  readonly #oracle: Oracle;
  readonly #journal: JournalChecker;
  readonly #boundUs: number;

  constructor(scenario: Scenario, options: SimulateOptions) {
    this.#scenario = scenario;
    this.world = new World({
      scenario,
      seed: expandSeed(options.seed ?? scenario.seed),
      registry: options.registry ?? builtinJobs,
      plants: options.plants ?? {},
      heard: (fact) => this.#faults.heard(fact),
    });
    this.#faults = new Faults(this.world);
    const { world } = this;
    const ledger = new Ledger();
    const files = new FileChecker(world, ledger);
    this.#oracle = new Oracle(world, ledger, files);
    this.#journal = new JournalChecker(world, ledger);
    const words = new WordChecker(world, ledger);
    world.observers.push(this.#journal, ledger, files, this.#oracle, new OutputChecker(world, ledger), words);
    const { onStep } = options;
    if (onStep) world.observers.push({ stepped: onStep });
    this.#boundUs = livenessBoundUs(scenario);
  }

  /** False when there were too many steps. Throws what is violated. */
  toTheEnd(stepsMax: number): boolean {
    const { world } = this;
    world.start();
    while (!this.#concluded()) {
      if (world.steps > stepsMax) return false;
      const sinceUs = this.#lastChangeUs();
      if (world.nextUs > sinceUs + this.#boundUs) {
        // What lasts and is not waited for any more ends now, and the bound counts from there.
        if (this.#faults.healAll()) continue;
        if (canEnd(world)) throw stalled(world, sinceUs);
        return true;
      }
      if (!world.advance()) return true;
    }
    if (!this.#linger(stepsMax)) return false;
    if (this.#faults.healAll() && !this.#linger(stepsMax)) return false;
    this.#journal.finish();
    return true;
  }

  /** The jobs are over, but whoever was stopped or is late may still do harm: long enough for all leases to run out. */
  #linger(stepsMax: number): boolean {
    const { world } = this;
    const { workerLeaseUs, masterLeaseUs, suspectUs } = this.#scenario.cluster;
    let untilUs = world.nowUs + 2 * (workerLeaseUs + masterLeaseUs + suspectUs);
    while (world.nextUs <= untilUs) {
      if (world.steps > stepsMax) return false;
      const lastUs = this.#faults.lastUs;
      world.advance();
      if (this.#faults.lastUs > lastUs)
        untilUs = world.nowUs + 2 * (workerLeaseUs + masterLeaseUs + suspectUs);
    }
    return true;
  }

  #concluded(): boolean {
    return this.world.jobs.at(-1)!.conclusion !== undefined;
  }

  /** The last fault, or the last end of a job: the next begins there. */
  #lastChangeUs(): number {
    const endings = this.world.jobs.map((job) => job.conclusion?.atUs ?? 0);
    return Math.max(this.#faults.lastUs, ...endings);
  }

  explain(error: unknown): NonNullable<SimulationResult['violation']> {
    const { steps, nowUs } = this.world;
    if (error instanceof InvariantViolation) {
      return { id: error.id, message: error.message, step: error.step, timeUs: error.timeUs };
    }
    if (error instanceof InvariantError) {
      const message = `${error.message} (step ${steps}, ${nowUs} µs)`;
      return { id: error.rule, message, step: steps, timeUs: nowUs };
    }
    throw error;
  }

  result(violation: SimulationResult['violation'], inconclusive: boolean): SimulationResult {
    const { world } = this;
    const jobs = world.jobs.map((job) => this.#outcome(job));
    const unmet = checkExpectations(this.#scenario, {
      facts: world.facts,
      jobs,
      effective: this.#faults.effective,
    });
    const failed = violation !== undefined || unmet.some(({ kind }) => kind === 'unmet');
    const counts: Record<string, number> = {};
    for (const { name } of world.facts) counts[name] = (counts[name] ?? 0) + 1;
    return {
      scenario: this.#scenario,
      seed: world.seed.text,
      verdict: inconclusive
        ? 'inconclusive'
        : failed
          ? 'failed'
          : unmet.length > 0
            ? 'tested-nothing'
            : 'passed',
      chain: world.chain,
      steps: world.steps,
      virtualUs: world.nowUs,
      jobs,
      facts: world.facts,
      counts,
      unmet,
      ...(violation ? { violation } : {}),
      timeline: timeline(world.facts),
    };
  }

  #outcome(job: WorldJob): JobOutcome {
    const { conclusion } = job;
    if (!conclusion) return { outcome: 'unfinished', concludedUs: this.world.nowUs };
    const concludedUs = conclusion.atUs;
    if (conclusion.refused !== undefined)
      return { outcome: 'refused', message: conclusion.refused, concludedUs };
    const failure = conclusion.status?.failure;
    if (failure) return { outcome: 'failed', reason: failure.reason, message: failure.message, concludedUs };
    const output = this.#oracle.likeness(job);
    return { outcome: 'succeeded', concludedUs, ...(output ? { output } : {}) };
  }
}

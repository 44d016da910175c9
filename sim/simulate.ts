/**
 * Runs one scenario in virtual time and says what became of it. Deterministic: the same scenario and seed give the same
 * hash chain on every machine.
 */
import { InvariantError } from '../core/invariant-error.js';
import { builtinJobs } from '../jobs/builtin/registry.js';
import { AttemptBook } from './checkers/attempt-book.js';
import { DrainChecker } from './checkers/drain-checker.js';
import { FailureChecker } from './checkers/failure-checker.js';
import { FileChecker } from './checkers/file-checker.js';
import { JournalChecker } from './checkers/journal-checker.js';
import { Ledger } from './checkers/ledger.js';
import { checkLeftovers } from './checkers/leftover-checker.js';
import {
  canEnd,
  canWork,
  Joins,
  livenessBoundUs,
  recoveryUs,
  slownessOf,
  stalled,
} from './checkers/liveness.js';
import { OutputChecker } from './checkers/output-checker.js';
import { RefusalChecker } from './checkers/refusal-checker.js';
import { SnapshotChecker } from './checkers/snapshot-checker.js';
import { TimeLimits } from './checkers/time-limits.js';
import { InvariantViolation } from './checkers/violation.js';
import { WordChecker } from './checkers/word-checker.js';
import { Faults } from './faults/faults.js';
import { join, type Observer, type WorldStep } from './observer.js';
import { Oracle } from './oracle.js';
import type { Plants } from './plants.js';
import { expandSeed } from './random.js';
import { checkExpectations, type JobOutcome, type UnmetExpectation } from './scenario/expectations.js';
import type { Fact } from './scenario/facts.js';
import { timeline } from './scenario/timeline.js';
import { timedFaults, waitsForFacts } from './scenario/triggers.js';
import type { Scenario } from './scenario/types.js';
import { isSettled } from './settled.js';
import type { JobRegistry } from './work.js';
import { World } from './world.js';
import type { WorldJob } from './world-setup.js';

export interface SimulateOptions {
  /** Instead of the scenario's own. */
  readonly seed?: string;
  /** Jobs by name; the built-in ones when absent. */
  readonly registry?: JobRegistry;
  readonly onStep?: (step: WorldStep) => void;
  /** Another observer beside the checkers: it comes after them, and changes nothing. */
  readonly observe?: (world: World) => Observer;
  /** Bugs to plant; only tests do. */
  readonly plants?: Plants;
  /** After so many steps the run is given up as inconclusive. */
  readonly stepsMax?: number;
  /** The facts will be asked for: they are made as they come about, not by a second run. */
  readonly keepsFacts?: boolean;
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
  /** Where nobody has waited for a fact none was made: then whoever asks has the scenario run once more. */
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
    /** A store has broken its promise in a way that no program could have noticed. */
    readonly blameless?: true;
  };
  /** One line per notable fact, for people. */
  readonly timeline: readonly string[];
}

const stepsMaxDefault = 20_000_000;

/** How often it is looked whether a world has come to rest. */
const lookEveryUs = 100_000;
/** So long it must be at rest: what masters have under way at the store or at an output's place has shown by then. */
const restMinUs = 300_000;

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
  readonly #snapshots: SnapshotChecker;
  readonly #joins = new Joins();
  /** No job is overdue before that. */
  readonly #patienceUs: number;
  /** All that has happened, when it is not kept. */
  readonly #tellAgain: (() => readonly Fact[]) | undefined;
  readonly #lastTimedUs: number;
  readonly #lastSubmitUs: number;
  /** When to look again whether something is overdue. */
  #lookUs = 0;
  /** Jobs that have ended with all before them, and when the last of them did. */
  #ended = 0;
  #endedUs = 0;
  /** When all faults were ended because no job ended any more. */
  #healedUs: number | undefined;

  constructor(scenario: Scenario, options: SimulateOptions) {
    this.#scenario = scenario;
    const { onStep, observe, plants, registry } = options;
    const tells = options.keepsFacts === true || !runsAlike(scenario, options) || waitsForFacts(scenario);
    this.#tellAgain = tells ? undefined : () => factsOf(scenario, options);
    this.world = new World({
      scenario,
      seed: expandSeed(options.seed ?? scenario.seed),
      registry: registry ?? builtinJobs,
      plants: plants ?? {},
      tells,
      heard: (fact) => this.#faults.heard(fact),
    });
    this.#faults = new Faults(this.world);
    const { world } = this;
    const ledger = new Ledger();
    const book = new AttemptBook();
    const files = new FileChecker(world, ledger, book);
    this.#oracle = new Oracle(world, ledger, files);
    this.#journal = new JournalChecker(world, ledger);
    this.#snapshots = new SnapshotChecker(world, ledger);
    const words = new WordChecker(world, ledger, book);
    const outputs = new OutputChecker(world, ledger);
    const limits = new TimeLimits();
    const failures = new FailureChecker(world, ledger, book, limits);
    const checkers = [
      this.#journal,
      ledger,
      this.#snapshots,
      files,
      this.#oracle,
      outputs,
      words,
      limits,
      failures,
      new DrainChecker(world),
      new RefusalChecker(world, ledger),
      book,
    ];
    for (const checker of checkers) join(world.audience, checker);
    if (scenario.heal) join(world.audience, this.#joins);
    if (onStep) join(world.audience, { stepped: onStep });
    if (observe) join(world.audience, observe(world));
    this.#patienceUs = recoveryUs(scenario.cluster);
    const { heal, jobs } = scenario;
    this.#lastSubmitUs = Math.max(0, ...jobs.map(({ atUs }) => atUs ?? 0));
    this.#lastTimedUs = Math.max(heal?.atUs ?? 0, ...timedFaults(scenario).map(({ atUs }) => atUs));
  }

  /** False when there were too many steps. Throws what is violated. */
  toTheEnd(stepsMax: number): boolean {
    this.world.start();
    const end = this.#untilConcluded(stepsMax);
    if (end !== 'concluded') return end === 'over';
    if (this.world.isDrained) return true; // all processes are ended: what nobody has noticed by now nobody can
    if (!this.#watchOn(stepsMax)) return false;
    this.#journal.finish();
    this.#snapshots.finish();
    checkLeftovers(this.world);
    for (const { life } of this.world.nodes.values()) if (life && !life.ended) life.machine.check();
    return true;
  }

  /** Until the world has come to rest, first as it is, then without what lasts of the faults. */
  #watchOn(stepsMax: number): boolean {
    this.#faults.endByClock();
    return this.#linger(stepsMax) && (!this.#faults.healAll() || this.#linger(stepsMax));
  }

  /**
   * Until all jobs have ended, or nothing happens any more, or there were too many steps. Nothing but the loop: what ran
   * once behind it would have the engine throw away the loop's machine code at the end of every run.
   */
  #untilConcluded(stepsMax: number): 'concluded' | 'over' | 'too many steps' {
    const { world } = this;
    while (!this.#concluded()) {
      if (world.steps > stepsMax) return 'too many steps';
      // The last fault, or the last end of a job: the next begins there, or at its time.
      const sinceUs = Math.max(this.#faults.lastUs, this.#endedUs, this.#lastSubmitUs);
      if (world.nextUs > sinceUs + this.#patienceUs && this.#isOverdue(sinceUs)) {
        // What lasts and is not waited for any more ends now, and the bound counts from there. But where a core was
        // healed, it must do without the rest.
        if (!this.#scenario.heal && this.#faults.healAll()) {
          this.#healedUs = world.nowUs;
          continue;
        }
        if (canEnd(world, this.#joins)) throw stalled(world, sinceUs);
        return 'over';
      }
      if (!world.advance()) return 'over';
    }
    return 'concluded';
  }

  /** What a clock will change is waited for; where it will not, and nobody can work, nothing is. */
  #isOverdue(sinceUs: number): boolean {
    const { world } = this;
    if (world.nowUs < this.#lookUs) return false;
    this.#lookUs = world.nowUs + this.#scenario.cluster.beatUs;
    const isToChange = world.nowUs <= this.#lastTimedUs || this.#faults.pending;
    if (isToChange && !this.#scenario.heal) return false; // a healed core must do without the rest
    if (world.nextUs > sinceUs + livenessBoundUs(this.#scenario, slownessOf(world))) return true;
    return !isToChange && !canWork(world);
  }

  /**
   * The jobs are over, but whoever was stopped or is late may still do harm: long enough for a leader to be missed and
   * for its successor to miss workers. A world that has come to rest is not watched on.
   */
  #linger(stepsMax: number): boolean {
    const { world } = this;
    const { workerLeaseUs, masterLeaseUs, suspectUs, latencyUs } = this.#scenario.cluster;
    const lingerUs = workerLeaseUs + masterLeaseUs + suspectUs;
    const restUs = restMinUs + 2 * latencyUs.max;
    let untilUs = world.nowUs + lingerUs;
    let lookUs = world.nowUs;
    let restsSinceUs = Number.POSITIVE_INFINITY;
    let stirred = -1;
    while (world.nextUs <= untilUs) {
      if (world.steps > stepsMax) return false;
      const { lastUs } = this.#faults;
      world.advance();
      if (this.#faults.lastUs > lastUs) untilUs = world.nowUs + lingerUs;
      if (world.nowUs < lookUs) continue;
      lookUs = world.nowUs + lookEveryUs;
      // With each renewal of its lease a leader looks into the journal, and sees what a fault has done there.
      const seen = world.nowUs - this.#faults.lastUs >= masterLeaseUs;
      const rests = seen && stirred === world.stirred && !this.#faults.unsettling && isSettled(world);
      stirred = world.stirred;
      restsSinceUs = rests ? Math.min(restsSinceUs, world.nowUs) : Number.POSITIVE_INFINITY;
      if (world.nowUs - restsSinceUs >= restUs) return true;
    }
    return true;
  }

  #concluded(): boolean {
    const { world } = this;
    const { jobs } = world;
    for (let job = jobs[this.#ended]; job; job = jobs[++this.#ended]) {
      if (job.conclusion) this.#endedUs = Math.max(this.#endedUs, job.conclusion.atUs);
      else if (world.isWanted(job)) return false;
    }
    return true;
  }

  explain(error: unknown): NonNullable<SimulationResult['violation']> {
    const { steps, nowUs } = this.world;
    if (error instanceof InvariantViolation) {
      const { id, message, step, timeUs, blameless } = error;
      return { id, message, step, timeUs, ...(blameless ? { blameless } : {}) };
    }
    if (error instanceof InvariantError) {
      const message = `${error.message} (step ${steps}, ${nowUs} µs)`;
      return { id: error.rule, message, step: steps, timeUs: nowUs };
    }
    throw error;
  }

  result(violation: SimulationResult['violation'], inconclusive: boolean): SimulationResult {
    const { world } = this;
    const tellAgain = this.#tellAgain;
    let facts: readonly Fact[] | undefined = tellAgain ? undefined : world.facts;
    const told = (): readonly Fact[] => (facts ??= tellAgain!());
    const { startsUs } = this.#scenario;
    const jobs = world.jobs.map((job) => this.#outcome(job));
    const unmet = checkExpectations(this.#scenario, {
      facts: world.facts,
      jobs,
      effective: this.#faults.effective,
    });
    const failed = violation !== undefined || unmet.some(({ kind }) => kind === 'unmet');
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
      get facts() {
        return told();
      },
      get counts() {
        return countsOf(told());
      },
      unmet,
      ...(violation ? { violation } : {}),
      get timeline() {
        return timeline(told(), startsUs);
      },
    };
  }

  #outcome(job: WorldJob): JobOutcome {
    const { conclusion } = job;
    if (!conclusion) return { outcome: 'unfinished', concludedUs: this.world.nowUs };
    const { atUs: concludedUs, drained, refused, status } = conclusion;
    const healedUs = this.#healedUs;
    const when = { concludedUs, ...(healedUs !== undefined && healedUs < concludedUs ? { healedUs } : {}) };
    if (drained) return { outcome: 'drained', ...when };
    if (refused !== undefined) return { outcome: 'refused', message: refused, ...when };
    const failure = status?.failure;
    if (failure) return { outcome: 'failed', reason: failure.reason, message: failure.message, ...when };
    const output = this.#oracle.likeness(job);
    return { outcome: 'succeeded', ...when, ...(output ? { output } : {}) };
  }
}

/** Whether the same scenario and seed give the same run again: no bugs are planted, and the jobs are our own. */
function runsAlike({ jobs }: Scenario, { plants, registry }: SimulateOptions): boolean {
  return plants === undefined && registry === undefined && jobs.every(({ own }) => own === undefined);
}

function factsOf(scenario: Scenario, { seed, stepsMax }: SimulateOptions): readonly Fact[] {
  return simulate(scenario, {
    keepsFacts: true,
    ...(seed === undefined ? {} : { seed }),
    ...(stepsMax === undefined ? {} : { stepsMax }),
  }).facts;
}

function countsOf(facts: readonly Fact[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { name } of facts) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

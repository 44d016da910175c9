/**
 * A campaign: many seeds, in chunks that any number of threads may run in any order. What is run next is decided between
 * rounds of chunks, from what all earlier rounds have covered: so the same range of seeds gives the same runs however
 * many threads there are.
 *
 * Steering: after the first round one seed of two is not left to chance. It strikes with a kind of fault in a phase that
 * was not hit yet, or it descends from a seed that came near a step that is missing, or reached a rare one. Those that
 * come nearer have descendants of their own.
 */
import {
  type CoverageCounts,
  mergeCoverage,
  nothingCovered,
  type TakenCoverage,
} from '../coverage/coverage.js';
import { type Phase, possibleStrikes } from '../coverage/phases.js';
import { tupleDistance } from '../coverage/tuples.js';
import type { FaultKind, Scenario } from '../scenario/types.js';
import type { GivenProfile } from './profile.js';

export interface PlannedSeed {
  readonly seed: number;
  /** What of its profile is not drawn: what the user gave, and what steering adds. */
  readonly given: GivenProfile;
  /** Run twice, for determinism. */
  readonly twice: boolean;
}

export interface Chunk {
  readonly number: number;
  readonly seeds: readonly PlannedSeed[];
  /** How many failures with this id were shrunk before: after a few, more are only counted. */
  readonly shrunk: Readonly<Record<string, number>>;
}

export interface FoundFailure {
  readonly seed: number;
  readonly id: string;
  readonly message: string;
  /** The whole profile and what was given of it, as text. */
  readonly profile: string;
  readonly given: string;
  /** The shrunk scenario; absent when enough failures of this kind were shrunk. */
  readonly scenario?: Scenario;
  /** Its notable facts, one line each. */
  readonly story: readonly string[];
  readonly minimal: boolean;
}

export interface ChunkReport {
  readonly chunk: number;
  readonly runs: number;
  /** Not all of its seeds were run. */
  readonly cut: boolean;
  readonly steps: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly inconclusive: readonly number[];
  readonly failures: readonly FoundFailure[];
  readonly coverage: TakenCoverage;
}

export interface CampaignOptions {
  readonly from: number;
  /** The last seed; without it the campaign goes on until it is stopped. */
  readonly to?: number;
  readonly given: GivenProfile;
  readonly coverage?: CoverageCounts;
  /** Names of steps that can be reached: what is missing of them is steered to. */
  readonly reachable?: Iterable<string>;
}

const chunkSeeds = 50;
const chunksOfRound = 8;
/** One seed of so many is steered, and one of so many is run twice. */
const steeredEvery = 2;
const twiceEvery = 32;
/** Tuples that count as rare. */
const raritiesMax = 24;
/** How many of the tuples nearest to a missing one lead to it. */
const guidesMax = 8;
/** Generations before a seed: later ones have so many changes that little of the first is left. */
const ancestorsMax = 12;

export class Campaign {
  coverage: CoverageCounts;
  runs = 0;
  steps = 0;
  readonly verdicts: Record<string, number> = {};
  readonly inconclusive: number[] = [];
  readonly failures: FoundFailure[] = [];
  readonly #options: CampaignOptions;
  /** Of every tuple that was reached: the latest seed that did in its chunk, so that not all descend from the same ones. */
  readonly #reachedBy = new Map<string, string>();
  /** Of seeds that were steered: how. */
  readonly #steered = new Map<string, GivenProfile>();
  /** Of every chunk that was planned and not reported whole: the first seed that is missing. */
  readonly #open = new Map<number, number>();
  /** The seed after the last that was planned. */
  #next: number;
  #chunks = 0;
  #round: Chunk[] = [];
  #underWay = 0;
  #cut = false;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#next = options.from;
    this.coverage = options.coverage ?? nothingCovered;
  }

  /** The first seed that was not run and reported: some after it may have been. */
  get next(): number {
    return Math.min(this.#next, ...this.#open.values());
  }

  /** Every seed was run. */
  get finished(): boolean {
    return this.#underWay === 0 && this.#round.length === 0 && this.#exhausted && !this.#cut;
  }

  /** The next chunk; undefined while the rest of a round is under way, or when nothing is left. */
  take(): Chunk | undefined {
    if (this.#round.length === 0 && this.#underWay === 0 && !this.#exhausted) this.#round = this.#plan();
    const chunk = this.#round.shift();
    if (chunk) this.#underWay++;
    return chunk && { ...chunk, shrunk: this.#shrunk() };
  }

  add(report: ChunkReport): void {
    this.#underWay--;
    this.#cut ||= report.cut;
    if (report.cut) this.#open.set(report.chunk, this.#open.get(report.chunk)! + report.runs);
    else this.#open.delete(report.chunk);
    this.runs += report.runs;
    this.steps += report.steps;
    for (const [verdict, count] of Object.entries(report.verdicts)) {
      this.verdicts[verdict] = (this.verdicts[verdict] ?? 0) + count;
    }
    this.inconclusive.push(...report.inconclusive);
    this.failures.push(...report.failures);
    this.coverage = mergeCoverage(this.coverage, report.coverage);
    for (const [tuple, seed] of Object.entries(report.coverage.firsts)) {
      const known = this.#reachedBy.get(tuple);
      if (known === undefined || Number(seed) > Number(known)) this.#reachedBy.set(tuple, seed);
    }
  }

  get #exhausted(): boolean {
    return this.#options.to !== undefined && this.#next > this.#options.to;
  }

  #plan(): Chunk[] {
    const targets = this.#targets();
    const chunks: Chunk[] = [];
    while (chunks.length < chunksOfRound && !this.#exhausted) {
      const seeds: PlannedSeed[] = [];
      while (seeds.length < chunkSeeds && !this.#exhausted) seeds.push(this.#planSeed(this.#next++, targets));
      const number = ++this.#chunks;
      this.#open.set(number, seeds[0]!.seed);
      chunks.push({ number, seeds, shrunk: {} });
    }
    return chunks;
  }

  #planSeed(seed: number, targets: readonly GivenProfile[]): PlannedSeed {
    const steered = targets.length > 0 && seed % steeredEvery === 0;
    const target = steered ? targets[Math.floor(seed / steeredEvery) % targets.length]! : {};
    if (steered) this.#steered.set(String(seed), target);
    return { seed, given: { ...target, ...this.#options.given }, twice: seed % twiceEvery === 1 };
  }

  /** What to steer to: every strike that is missing, and kin of the seeds that reached what is rare. None in the first round. */
  #targets(): GivenProfile[] {
    if (this.runs === 0) return [];
    const targets: GivenProfile[] = [];
    for (const strike of possibleStrikes()) {
      if (this.coverage.strikes[strike] !== undefined) continue;
      const [kind, phase] = strike.split(' in ') as [FaultKind, Phase];
      targets.push({ focus: { kind, phase } });
    }
    const guides = this.#guides();
    for (const tuple of guides.length > 0 ? guides : this.#rarest()) {
      targets.push(this.#kin(this.#reachedBy.get(tuple)!));
    }
    return targets;
  }

  /** A child of the seed, or where there were too many generations a sibling. */
  #kin(seed: string): GivenProfile {
    const given = this.#steered.get(seed) ?? {};
    const ancestors = given.like ?? [];
    return { ...given, like: ancestors.length < ancestorsMax ? [...ancestors, seed] : ancestors };
  }

  /** For each step that can be reached and was not, those that were and are nearest to it. */
  #guides(): string[] {
    const names = [...this.#reachedBy.keys()].sort();
    const missing = [...(this.#options.reachable ?? [])].filter((name) => !(name in this.coverage.tuples));
    return missing.flatMap((name) =>
      names
        .map((other) => ({ other, distance: tupleDistance(name, other) }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, guidesMax)
        .map(({ other }) => other),
    );
  }

  #rarest(): string[] {
    const { tuples } = this.coverage;
    const names = [...this.#reachedBy.keys()];
    return names.sort((a, b) => tuples[a]! - tuples[b]! || (a < b ? -1 : 1)).slice(0, raritiesMax);
  }

  #shrunk(): Record<string, number> {
    const shrunk: Record<string, number> = {};
    for (const { id, scenario } of this.failures) if (scenario) shrunk[id] = (shrunk[id] ?? 0) + 1;
    return shrunk;
  }
}

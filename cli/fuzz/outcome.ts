/** What a campaign has come to: findings that are told apart, and what was missed. */
import type { CoverageCounts } from '../../sim/coverage/coverage.js';
import type { FoundFailure } from '../../sim/fuzz/campaign.js';
import type { Kept } from './corpus.js';
import { fuzzCommand } from './corpus.js';

/** Failures with the same rule and the same shrunk scenario. */
export interface Finding {
  readonly id: string;
  readonly message: string;
  readonly profile: string;
  /** Draws and runs the first of its seeds again. */
  readonly command: string;
  /** The shrunk scenario. */
  readonly file: string | undefined;
  /** It was not in the corpus before. */
  readonly isNew: boolean;
  /** Nothing more can be taken out of the shrunk scenario. */
  readonly minimal: boolean;
  readonly seeds: number[];
}

export interface Outcome {
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  readonly inconclusive: readonly number[];
  readonly coverage: CoverageCounts;
  /** Tuples and strikes that are reachable and were not reached; empty when nobody asked. */
  readonly missing: readonly string[];
  /** Why the campaign ended before all of its seeds were run. */
  readonly cut: 'time' | 'signal' | undefined;
}

/** Puts failures together as they come. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #byFile = new Map<string, Finding>();

  /** The finding when it is a new one, else undefined. */
  add(failure: FoundFailure, kept: Kept | undefined): Finding | undefined {
    const { id, message, profile, given, seed, minimal } = failure;
    // One that was not shrunk is counted with the first of its kind.
    const known = kept ? this.#byFile.get(kept.path) : this.all.find((finding) => finding.id === id);
    if (known) {
      known.seeds.push(seed);
      return undefined;
    }
    const command = fuzzCommand(seed, given);
    const finding: Finding = {
      ...{ id, message, profile, command, minimal, seeds: [seed] },
      file: kept?.path,
      isNew: kept?.isNew ?? true,
    };
    this.all.push(finding);
    if (kept) this.#byFile.set(kept.path, finding);
    return finding;
  }
}

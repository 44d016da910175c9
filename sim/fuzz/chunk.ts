/** Runs one chunk of a campaign: what a thread does. Reports are plain data. */
import { Coverage } from '../coverage/coverage.js';
import { factText, isNotable } from '../scenario/timeline.js';
import { shrink } from '../shrink/shrink.js';
import type { Chunk, ChunkReport, FoundFailure, PlannedSeed } from './campaign.js';
import { type Fuzzed, type FuzzOptions, fuzzSeed, fuzzStepsMax } from './fuzz.js';
import { profileText } from './profile.js';

/** Failures with the same id that are shrunk; further ones are counted. */
const shrunkMax = 3;

export interface ChunkOptions extends Pick<FuzzOptions, 'registry' | 'plants'> {
  /** Asked after every seed but the last: the others are left out when it says so. */
  stops?(): boolean;
}

export function runChunk(
  { number, seeds, shrunk }: Chunk,
  { stops, ...options }: ChunkOptions = {},
): ChunkReport {
  const coverage = new Coverage();
  const verdicts: Record<string, number> = {};
  const inconclusive: number[] = [];
  const failures: FoundFailure[] = [];
  const times = new Map(Object.entries(shrunk));
  let runs = 0;
  let steps = 0;
  for (const planned of seeds) {
    if (runs > 0 && stops?.()) break;
    runs++;
    const { seed, given, twice } = planned;
    const fuzzed = fuzzSeed(seed, { ...options, profile: given, twice, coverage });
    const verdict = verdictOf(fuzzed);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    steps += fuzzed.result?.steps ?? 0;
    if (verdict === 'inconclusive') inconclusive.push(seed);
    if (!fuzzed.failure) continue;
    const before = times.get(fuzzed.failure.id) ?? 0;
    times.set(fuzzed.failure.id, before + 1);
    failures.push(describe(planned, fuzzed, before < shrunkMax, options));
  }
  return {
    chunk: number,
    runs,
    cut: runs < seeds.length,
    steps,
    verdicts,
    inconclusive,
    failures,
    coverage: coverage.take(),
  };
}

/** `excused`: only a store has failed. */
function verdictOf({ failure, result }: Fuzzed): string {
  if (failure || !result) return 'failed';
  return result.verdict === 'failed' ? 'excused' : result.verdict;
}

function describe(
  { seed, given }: PlannedSeed,
  { profile, scenario, failure }: Fuzzed,
  shrinks: boolean,
  options: Pick<FuzzOptions, 'registry' | 'plants'>,
): FoundFailure {
  const { id, message } = failure!;
  const base = { seed, id, message, profile: profileText(profile), given: profileText(given) };
  if (!shrinks) return { ...base, story: [], minimal: false };
  // A leak does not fail the same way twice: it is kept as it is.
  const small =
    id === 'leak' ? undefined : shrink(scenario, String(seed), { ...options, stepsMax: fuzzStepsMax });
  const facts = small?.result?.facts ?? [];
  return {
    ...base,
    message: small?.failure.message ?? message,
    scenario: small?.scenario ?? scenario,
    story: facts.filter(isNotable).map(factText),
    minimal: small?.minimal ?? false,
  };
}

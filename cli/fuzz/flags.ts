/** The flags of `rehearse fuzz`, read and checked before anything is run. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readTupleList } from '../../sim/coverage/coverage.js';
import { type GivenProfile, readProfile } from '../../sim/fuzz/profile.js';
import type { GlobalFlags } from '../global-flags.js';
import { parseDurationUs } from '../quantities.js';
import { dataDirectoryNamed } from '../run/run-id.js';
import { seedRange } from '../seed-range.js';
import { UserError } from '../user-error.js';
import { type ReporterName, reporters } from './reporters.js';

export interface FuzzFlags extends GlobalFlags {
  readonly seeds?: string;
  readonly time?: string;
  readonly jobs?: number;
  readonly corpus?: string;
  readonly profile?: string;
  readonly coverage?: readonly string[];
  readonly reporter?: string;
  readonly reportFile?: string;
}

export interface FuzzPlan {
  /** Undefined: where the corpus says that the last campaign ended. */
  readonly seeds: { readonly from: number; readonly to: number } | undefined;
  readonly timeUs: number | undefined;
  readonly threads: number;
  readonly corpus: string;
  readonly given: GivenProfile;
  /** Tuples that must be reached, of all files given; undefined when nobody asks. */
  readonly reachable: ReadonlySet<string> | undefined;
  readonly reporter: { readonly name: ReporterName; readonly file: string | undefined } | undefined;
}

const seedsDefault = { from: 1, to: 1000 };
const threadsMost = 256;

export function planOf(flags: FuzzFlags): FuzzPlan {
  const timeUs = flags.time === undefined ? undefined : durationOf(flags.time);
  const seeds = flags.seeds === undefined ? undefined : seedRange(flags.seeds);
  return {
    seeds: seeds ?? (timeUs === undefined ? seedsDefault : undefined),
    timeUs,
    threads: threadsOf(flags.jobs),
    corpus: flags.corpus ?? join(dataDirectoryNamed(flags.dataDir), 'corpus'),
    given: profileOf(flags.profile),
    reachable: flags.coverage && new Set(flags.coverage.flatMap((path) => [...reachableOf(path)])),
    reporter: reporterOf(flags),
  };
}

function durationOf(text: string): number {
  const us = parseDurationUs(text);
  if (us !== undefined && us > 0) return us;
  throw new UserError({ code: 'U008', what: `--time: "${text}" is no duration`, next: 'write it like 60s' });
}

function threadsOf(jobs: number | undefined): number {
  if (jobs === undefined) return availableParallelism();
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= threadsMost) return jobs;
  throw new UserError({ code: 'U008', what: `--jobs must be a number from 1 to ${threadsMost}` });
}

function profileOf(text: string | undefined): GivenProfile {
  if (text === undefined) return {};
  const read = readProfile(text);
  if (read.ok) return read.profile;
  throw new UserError({
    code: 'U008',
    what: `--profile: ${read.message}`,
    next: 'write it like size=small,faults=crash+pause,most=3,triggers=when+point,heal=no',
  });
}

function reachableOf(path: string): ReadonlySet<string> {
  const refuse = (what: string): UserError =>
    new UserError({
      code: 'U008',
      what,
      where: path,
      next: 'it lists the steps that can be reached, one per line, as rehearse explore prints them',
    });
  let steps: ReadonlySet<string>;
  try {
    steps = readTupleList(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw refuse(missing ? '--coverage: there is no such file' : (error as Error).message);
  }
  if ([...steps].every((step) => / <- \S/.test(step))) return steps;
  throw refuse('--coverage: this is no list of steps');
}

function reporterOf({ reporter, reportFile, json }: FuzzFlags): FuzzPlan['reporter'] {
  if (reporter === undefined) {
    if (reportFile === undefined) return undefined;
    throw new UserError({ code: 'U008', what: '--report-file needs --reporter' });
  }
  if (json && reportFile === undefined) {
    const next = 'give the report a file of its own with --report-file';
    throw new UserError({ code: 'U008', what: '--json and --reporter both want standard output', next });
  }
  if (Object.hasOwn(reporters, reporter)) return { name: reporter as ReporterName, file: reportFile };
  const next = `one of: ${Object.keys(reporters).join(', ')}`;
  throw new UserError({ code: 'U008', what: `--reporter: there is no "${reporter}"`, next });
}

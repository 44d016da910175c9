/**
 * The corpus: what campaigns have found, one scenario file for each failure with its story beside it, and how far they
 * have looked. Every file is written under another name, synced and then renamed, so that a kill at any moment leaves
 * whole files only.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stateDigest } from '../../core/canonical.js';
import { makeFolder } from '../../runtime/make-folder.js';
import type { CoverageCounts } from '../../sim/coverage/coverage.js';
import type { FoundFailure } from '../../sim/fuzz/campaign.js';
import { failureText, failureTitle } from '../../sim/fuzz/failure.js';
import { rawScenario, writeScenario } from '../../sim/scenario/write.js';
import { commandWord } from '../command-word.js';
import { writingTo } from '../surroundings.js';
import { UserError } from '../user-error.js';
import { writeWhole } from '../write-whole.js';
import type { Finding, Findings } from './outcome.js';

const progressName = 'progress.json';
const probeName = `.probe.${process.pid}`;
const progressVersion = 'fuzz.v1';

export interface Progress {
  /** The first seed that was not run and reported yet: from there on seeds are run, perhaps once more. */
  readonly next: number;
  readonly coverage: CoverageCounts;
}

export interface Kept {
  /** The scenario file. */
  readonly path: string;
  /** False when the corpus had this failure before. */
  readonly isNew: boolean;
}

export class Corpus {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined when no campaign has left anything. */
  readProgress(): Progress | undefined {
    const path = join(this.#folder, progressName);
    if (!existsSync(path)) return undefined;
    try {
      const { version, ...progress } = JSON.parse(readFileSync(path, 'utf8'));
      if (version === progressVersion && isProgress(progress)) return progress;
    } catch {
      // Said below.
    }
    throw new UserError({
      code: 'U013',
      what: 'the progress of the corpus cannot be read',
      where: path,
      next: 'remove the file to begin again with seed 1; the failures beside it stay',
    });
  }

  writeProgress(progress: Progress): void {
    this.#write(progressName, `${JSON.stringify({ version: progressVersion, ...progress })}\n`);
  }

  /** Throws what the user is told when nothing can be kept there. Leaves everything as it was, unless others use it by then. */
  tryOut(): void {
    const made = missingFolders(this.#folder);
    this.#write(probeName, '');
    rmSync(join(this.#folder, probeName), { force: true });
    for (const folder of made) if (!removeIfEmpty(folder)) break;
  }

  /** Where the failure is or would be kept. The same rule and the same shrunk scenario are the same failure. */
  placeOf({ id, scenario }: FoundFailure): Kept {
    const { name: _name, about: _about, ...essence } = rawScenario(scenario!);
    const name = `${slug(id)}-${stateDigest([id, essence]).slice(0, 8)}`;
    const path = join(this.#folder, `${name}.yaml`);
    return { path, isNew: !existsSync(path) };
  }

  /** Keeps the failure's scenario and its story, once. */
  keep(failure: FoundFailure): Kept {
    const { seed, given, scenario, story } = failure;
    const kept = this.placeOf(failure);
    if (!kept.isNew) return kept;
    const name = basename(kept.path, '.yaml');
    const about = `Found by: ${fuzzCommand(seed, given)}`;
    this.#write(`${name}.txt`, `# ${failureText(failure)}\n${story.join('\n')}\n`);
    this.#write(
      `${name}.yaml`,
      writeScenario({ ...scenario!, name: `${failureTitle(failure)}, seed ${seed}`, about }),
    );
    return kept;
  }

  /** Scenario files of earlier campaigns. */
  scenarioFiles(): string[] {
    if (!existsSync(this.#folder)) return [];
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.yaml'));
    return names.sort().map((name) => join(this.#folder, name));
  }

  #write(name: string, text: string): void {
    writingTo('--corpus', this.#folder, () => {
      makeFolder(this.#folder);
      writeWhole(join(this.#folder, name), [text]);
    });
  }
}

function isProgress(value: { next?: unknown; coverage?: unknown }): value is Progress {
  const { tuples, strikes } = (value.coverage ?? {}) as Partial<Record<string, unknown>>;
  return (
    Number.isSafeInteger(value.next) && Number(value.next) > 0 && areCounts(tuples) && areCounts(strikes)
  );
}

function areCounts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(Number.isSafeInteger);
}

function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** Of a folder and those above it, what is not there yet, the innermost first. */
function missingFolders(path: string): string[] {
  const folder = resolve(path);
  return existsSync(folder) ? [] : [folder, ...missingFolders(dirname(folder))];
}

/** Says each failure that is told from those before, and only then keeps it: the disk may refuse. */
export function keepFailures(
  failures: readonly FoundFailure[],
  to: { corpus: Corpus; findings: Findings; found(finding: Finding): void },
): void {
  for (const failure of failures) {
    const finding = to.findings.add(failure, failure.scenario && to.corpus.placeOf(failure));
    if (finding) to.found(finding);
    if (failure.scenario) to.corpus.keep(failure);
  }
}

/** The command that draws and runs this seed again. */
export function fuzzCommand(seed: number, given: string): string {
  return `rehearse fuzz --seeds ${seed}..${seed}${given === '' ? '' : ` --profile ${commandWord(given)}`}`;
}

function slug(id: string): string {
  return id
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
}

/**
 * The corpus: what campaigns have found, one scenario file for each failure with its story beside it, and how far they
 * have looked. Every file is written under another name, synced and then renamed, so that a kill at any moment leaves
 * whole files only.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateDigest } from '../../core/canonical.js';
import { makeFolder } from '../../runtime/make-folder.js';
import type { CoverageCounts } from '../../sim/coverage/coverage.js';
import type { FoundFailure } from '../../sim/fuzz/campaign.js';
import { failureText, failureTitle } from '../../sim/fuzz/failure.js';
import { rawScenario, writeScenario } from '../../sim/scenario/write.js';
import { UserError } from '../user-error.js';

const progressName = 'progress.json';
const progressVersion = 'fuzz.v1';

export interface Progress {
  /** The first seed that was not planned yet. */
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
      const { version, next, coverage } = JSON.parse(readFileSync(path, 'utf8'));
      if (version === progressVersion) return { next, coverage };
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

  /** The failure's scenario and its story. The same rule and the same shrunk scenario are the same failure. */
  keep(failure: FoundFailure): Kept {
    const { id, seed, given, scenario, story } = failure;
    const { name: _name, about: _about, ...essence } = rawScenario(scenario!);
    const name = `${slug(id)}-${stateDigest([id, essence]).slice(0, 8)}`;
    const path = join(this.#folder, `${name}.yaml`);
    if (existsSync(path)) return { path, isNew: false };
    const about = `Found by: ${fuzzCommand(seed, given)}`;
    this.#write(`${name}.txt`, `# ${failureText(failure)}\n${story.join('\n')}\n`);
    this.#write(
      `${name}.yaml`,
      writeScenario({ ...scenario!, name: `${failureTitle(failure)}, seed ${seed}`, about }),
    );
    return { path, isNew: true };
  }

  /** Scenario files of earlier campaigns. */
  scenarioFiles(): string[] {
    if (!existsSync(this.#folder)) return [];
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.yaml'));
    return names.sort().map((name) => join(this.#folder, name));
  }

  #write(name: string, text: string): void {
    makeFolder(this.#folder);
    writeWhole(join(this.#folder, name), text);
  }
}

/** The file is there with all of its text, or not at all. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { flush: true });
  renameSync(temporary, path);
}

/** The command that draws and runs this seed again. */
export function fuzzCommand(seed: number, given: string): string {
  return `rehearse fuzz --seeds ${seed}..${seed}${given === '' ? '' : ` --profile ${given}`}`;
}

function slug(id: string): string {
  return id
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
}

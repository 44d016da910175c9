/**
 * The oracle: what a sequential run of the job gives, byte for byte, counters too. Where user code answers differently
 * each time, the answer must still be that of *some* sequential run: the one whose maps answered as the committed ones.
 */
import type { Counters, JournalEntry } from '../core/records.js';
import type { FileChecker } from './checkers/file-checker.js';
import type { Ledger } from './checkers/ledger.js';
import { InvariantViolation } from './checkers/violation.js';
import type { Directory } from './object-tree.js';
import type { Observer, WorldStep } from './observer.js';
import { partName } from './output-model.js';
import type { World, WorldJob } from './world.js';

export type Likeness = 'same-as-sequential' | 'some-sequential';

/** C6, the moment a job is published, and again when its client hears of it. */
export class Oracle implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #files: FileChecker;
  readonly #likeness = new Map<WorldJob, Likeness>();

  constructor(world: World, ledger: Ledger, files: FileChecker) {
    this.#world = world;
    this.#ledger = ledger;
    this.#files = files;
  }

  /** How the job's output compares; undefined when it was never published. */
  likeness(job: WorldJob): Likeness | undefined {
    return this.#likeness.get(job);
  }

  journalDurable(entry: JournalEntry): void {
    for (const record of entry.records) {
      if (record.type !== 'job.published') continue;
      const job = this.#jobOf(record.job);
      this.#likeness.set(job, this.#judge(record.job, job));
    }
  }

  stepped({ effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type !== 'job.conclude' || effect.status?.phase !== 'published') continue;
      const { job, counters } = effect.status;
      if (!sameCounters(counters, this.#sequential(job).counters)) {
        this.#violated(`the client of job ${job} was told other counters than those of a sequential run`);
      }
    }
  }

  #judge(id: number, job: WorldJob): Likeness {
    const directory = this.#world.outputs.tree.directory(job.spec.output);
    const { parts, generations } = this.#sequential(id);
    const wrong = parts.findIndex((text, partition) => directory?.get(partName(partition)) !== text);
    if (!directory || wrong >= 0) {
      this.#violated(`${partName(Math.max(0, wrong))} of job ${id} is not that of a sequential run`);
    }
    const plain = job.work.sequential(generations.map(() => 0));
    return sameParts(directory, plain.parts) ? 'same-as-sequential' : 'some-sequential';
  }

  /** The sequential run in which every task answered as its committed attempt did. */
  #sequential(id: number): { parts: readonly string[]; counters: Counters; generations: readonly number[] } {
    const { work, spec } = this.#jobOf(id);
    const maps = this.#files.sourcesOf(id);
    const commits = this.#ledger.job(id)!.commits;
    const generations = Array.from({ length: spec.maps + spec.reduces }, (_, task) => {
      const file = task < spec.maps ? maps[task] : this.#world.files.find(commits[task]!.attempt);
      if (!file) return 0;
      return 'map' in file.content ? file.content.map.generation : file.content.reduce.generation;
    });
    return { ...work.sequential(generations), generations };
  }

  #jobOf(id: number): WorldJob {
    const requestId = this.#ledger.job(id)!.requestId;
    return this.#world.jobs.find((job) => job.requestId === requestId)!;
  }

  #violated(detail: string): never {
    throw new InvariantViolation('C6', detail, this.#world);
  }
}

function sameCounters(a: Counters, b: Counters): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value], index) => name === b[index]![0] && value === b[index]![1])
  );
}

function sameParts(directory: Directory, parts: readonly string[]): boolean {
  return parts.every((text, partition) => directory.get(partName(partition)) === text);
}

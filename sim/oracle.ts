/**
 * The oracle: what a sequential run of the job gives, byte for byte, counters too. Where user code answers differently
 * each time, the answer must still be that of *some* sequential run: the one whose maps answered as the committed ones.
 * Bad records that the committed attempts left out are left out here.
 */
import type { Commit, DurableJob } from '../core/durable/state.js';
import type { Counters, JournalEntry } from '../core/records.js';
import { partName } from '../jobs/output-names.js';
import type { FileChecker } from './checkers/file-checker.js';
import type { Ledger } from './checkers/ledger.js';
import { InvariantViolation } from './checkers/violation.js';
import type { AttemptFile } from './file-model.js';
import type { Directory } from './object-tree.js';
import type { Observer, WorldStep } from './observer.js';
import type { World } from './world.js';
import type { WorldJob } from './world-setup.js';

export type Likeness = 'same-as-sequential' | 'some-sequential';

interface SequentialRun {
  readonly parts: readonly string[];
  readonly counters: Counters;
  readonly generations: readonly number[];
}

/** C6, the moment a job is published, and again when its client hears of it. */
export class Oracle implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #files: FileChecker;
  readonly #likeness = new Map<WorldJob, Likeness>();
  /** Of jobs that are published, or are to be: nothing of them changes any more. */
  readonly #runs = new Map<DurableJob, SequentialRun>();

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
      // Should the store lose this history, files of its attempts may be removed, and nobody could tell how they answered.
      if (record.type === 'job.publishing') this.#sequential(this.#published(record.job));
      if (record.type !== 'job.published') continue;
      const job = this.#jobOf(record.job);
      this.#likeness.set(job, this.#judge(record.job, job));
    }
  }

  clientStepped({ effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type !== 'job.conclude' || effect.status?.phase !== 'published') continue;
      const { job, counters } = effect.status;
      if (!sameCounters(counters, this.#sequential(this.#published(job)).counters)) {
        this.#violated(`the client of job ${job} was told other counters than those of a sequential run`);
      }
    }
  }

  #judge(id: number, job: WorldJob): Likeness {
    const directory = this.#world.outputs.tree.directory(job.spec.output);
    const { parts, generations } = this.#sequential(this.#published(id));
    const wrong = parts.findIndex((text, partition) => directory?.get(partName(partition)) !== text);
    if (!directory || wrong >= 0) {
      // It may have been put there in a history that the store has lost, and judged then: an answer it is all the same.
      const lost = this.#ledger
        .everJob(id)
        .slice(1)
        .map((one) => this.#sequential(one));
      if (directory && (this.#likeness.has(job) || lost.some((run) => sameParts(directory, run.parts)))) {
        return 'some-sequential';
      }
      this.#violated(`${partName(Math.max(0, wrong))} of job ${id} is not that of a sequential run`);
    }
    if (generations.every((generation) => generation === 0)) return 'same-as-sequential';
    const { work } = job;
    const skips = job.spec.policy.skipBadRecords ? work.badRecords() : [];
    const plain = work.sequential(
      generations.map(() => 0),
      skips,
    );
    return sameParts(directory, plain.parts) ? 'same-as-sequential' : 'some-sequential';
  }

  /** The sequential run in which every task answered as its committed attempt did. */
  #sequential(job: DurableJob): SequentialRun {
    let run = this.#runs.get(job);
    if (!run) this.#runs.set(job, (run = this.#runSequentially(job)));
    return run;
  }

  #runSequentially(job: DurableJob): SequentialRun {
    const { commits } = job;
    const { work, spec } = this.#jobOf(job.job);
    const maps = this.#files.sourcesOf(job);
    const results = Array.from({ length: spec.maps + spec.reduces }, (_, task) => {
      const file = task < spec.maps ? maps[task] : this.#fileOf(commits[task]);
      return file && ('map' in file.content ? file.content.map : file.content.reduce);
    });
    const generations = results.map((result) => result?.generation ?? 0);
    const skips = results.map((_, task) => commits[task]?.skipped ?? []);
    return { ...work.sequential(generations, skips), generations };
  }

  #fileOf(commit: Commit | undefined): AttemptFile | undefined {
    return commit && this.#world.files.find(commit.attempt);
  }

  /** As it is, or as it was before the store forgot it. */
  #published(id: number): DurableJob {
    const jobs = this.#ledger.everJob(id);
    return jobs.find(({ phase }) => phase === 'published' || phase === 'publishing') ?? jobs[0]!;
  }

  #jobOf(id: number): WorldJob {
    const { requestId } = this.#published(id);
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

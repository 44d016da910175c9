/** C4, C5, C17: attempts, their files, and what reduces have read. */
import { type AttemptId, attemptKey, type JobId } from '../../core/ids.js';
import type { JournalEntry, TaskCommitted } from '../../core/records.js';
import type { AttemptFile } from '../file-model.js';
import type { Life } from '../nodes.js';
import type { Observer } from '../observer.js';
import type { World } from '../world.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

export class FileChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #begun = new Set<string>();
  readonly #read = new Map<string, readonly AttemptFile[]>();

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  attemptBegan(life: Life, attempt: AttemptId): void {
    const key = attemptKey(attempt);
    if (this.#begun.has(key)) this.#violated('C17', `attempt ${key} began again on ${life.node.name}`);
    this.#begun.add(key);
  }

  attemptRead(_: Life, attempt: AttemptId, sources: readonly AttemptFile[]): void {
    this.#read.set(attemptKey(attempt), sources);
  }

  journalDurable(entry: JournalEntry): void {
    for (const record of entry.records) {
      if (record.type === 'task.committed') this.#committed(record);
      else if (record.type === 'job.publishing') this.#checkJob(record.job);
    }
  }

  fileGone(file: AttemptFile, why: 'fault' | 'order' | 'executor'): void {
    if (why === 'fault') return;
    const { attempt } = file;
    const phase = this.#ledger.job(attempt.job)?.phase;
    if ((phase === 'open' || phase === 'publishing') && this.#ledger.isValidCommit(attempt)) {
      this.#violated('C4', `the file of committed attempt ${attemptKey(attempt)} was deleted`);
    }
  }

  /** What the committed reduces of a job have read, by map; from the first of them. */
  sourcesOf(job: JobId): readonly AttemptFile[] {
    const { commits, spec } = this.#ledger.job(job)!;
    for (const commit of commits.slice(spec.maps)) {
      const sources = commit && this.#read.get(attemptKey(commit.attempt));
      if (sources) return sources;
    }
    return [];
  }

  #committed({ attempt, output }: TaskCommitted): void {
    const key = attemptKey(attempt);
    const file = this.#world.files.find(attempt);
    if (!file) this.#violated('C4', `attempt ${key} is committed and has no file`);
    const made = 'map' in file.content ? file.content.map.output : file.content.reduce.output;
    if (made.digest !== output.digest)
      this.#violated('C4', `attempt ${key} is committed with another digest`);
    const first = this.sourcesOf(attempt.job);
    const sources = this.#read.get(key) ?? [];
    for (const [map, source] of sources.entries()) {
      const other = first[map];
      if (other && digestOf(other) !== digestOf(source)) {
        this.#violated(
          'C5',
          `attempt ${key} has read another content of map-${map} than the reduce before it`,
        );
      }
    }
  }

  #checkJob(job: JobId): void {
    for (const commit of this.#ledger.job(job)!.commits) {
      const file = commit && this.#world.files.find(commit.attempt);
      if (!file) this.#violated('C4', `job ${job} is being published, and a file of it is gone`);
    }
  }

  #violated(id: WorldInvariant, detail: string): never {
    throw new InvariantViolation(id, detail, this.#world);
  }
}

function digestOf(file: AttemptFile): string {
  return 'map' in file.content ? file.content.map.output.digest : file.content.reduce.output.digest;
}

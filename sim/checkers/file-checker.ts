/** C4, C5, C17: attempts, their files, and what reduces have read. */
import type { DurableJob } from '../../core/durable/state.js';
import { type AttemptId, attemptKey, type JobId, sameAttempt } from '../../core/ids.js';
import type { JournalEntry, TaskCommitted } from '../../core/records.js';
import { AttemptMap } from '../attempt-map.js';
import type { AttemptFile } from '../file-model.js';
import type { Life } from '../nodes.js';
import type { Observer } from '../observer.js';
import type { World } from '../world.js';
import type { AttemptBook } from './attempt-book.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

export class FileChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #book: AttemptBook;
  readonly #read = new AttemptMap<readonly AttemptFile[]>();
  /** Lists of files that tell the same content as another. */
  readonly #same = new WeakMap<readonly AttemptFile[], readonly AttemptFile[]>();
  /** By job, one committed reduce of which it is known what it has read. */
  readonly #reader = new Map<DurableJob, AttemptId>();

  constructor(world: World, ledger: Ledger, book: AttemptBook) {
    this.#world = world;
    this.#ledger = ledger;
    this.#book = book;
  }

  attemptBegan(life: Life, attempt: AttemptId): void {
    if (this.#book.ranBy(attempt)) {
      this.#violated('C17', `attempt ${attemptKey(attempt)} began again on ${life.node.name}`);
    }
  }

  attemptRead(_: Life, attempt: AttemptId, sources: readonly AttemptFile[]): void {
    this.#read.set(attempt, sources);
  }

  journalDurable(entry: JournalEntry): void {
    for (const record of entry.records) {
      if (record.type === 'task.committed') this.#committed(record);
      else if (record.type === 'job.publishing') this.#checkJob(record.job);
    }
  }

  fileGone(file: AttemptFile, why: 'fault' | 'order'): void {
    const { attempt } = file;
    if (why === 'fault' || this.#ledger.hasEnded(attempt.job) || this.#ledger.wasDropped(attempt)) return;
    const phase = this.#ledger.job(attempt.job)?.phase;
    if ((phase === 'open' || phase === 'publishing') && this.#ledger.isValidCommit(attempt)) {
      this.#violated('C4', `the file of committed attempt ${attemptKey(attempt)} was deleted`);
    }
  }

  /** What the committed reduces of a job have read, by map; from one of them. */
  sourcesOf(job: DurableJob): readonly AttemptFile[] {
    const known = this.#reader.get(job);
    const commit = known && job.commits[known.task];
    if (commit && sameAttempt(commit.attempt, known)) return this.#read.get(known)!;
    for (const one of job.commits.slice(job.spec.maps)) {
      const sources = one && this.#read.get(one.attempt);
      if (!sources) continue;
      this.#reader.set(job, one.attempt);
      return sources;
    }
    return [];
  }

  #committed({ attempt, output }: TaskCommitted): void {
    const file = this.#world.files.find(attempt);
    if (!file) this.#violated('C4', `attempt ${attemptKey(attempt)} is committed and has no file`);
    const made = 'map' in file.content ? file.content.map.output : file.content.reduce.output;
    if (made.digest !== output.digest)
      this.#violated('C4', `attempt ${attemptKey(attempt)} is committed with another digest`);
    const sources = this.#read.get(attempt);
    if (sources) this.#compareSources(attempt, sources);
  }

  #compareSources(attempt: AttemptId, sources: readonly AttemptFile[]): void {
    const first = this.sourcesOf(this.#ledger.job(attempt.job)!);
    if (first === sources || this.#same.get(sources) === first) return;
    for (let map = 0; map < sources.length; map++) {
      const source = sources[map]!;
      const other = first[map];
      if (!other || other === source || digestOf(other) === digestOf(source)) continue;
      const what = `another content of map-${map} than the reduce before it`;
      this.#violated('C5', `attempt ${attemptKey(attempt)} has read ${what}`);
    }
    this.#same.set(sources, first);
  }

  #checkJob(job: JobId): void {
    if (this.#ledger.hasEnded(job)) return;
    const { commits, spec } = this.#ledger.job(job)!;
    for (const [task, commit] of commits.entries()) {
      const file = commit && this.#world.files.find(commit.attempt);
      // Of a map that reduces have read it may be gone by an order of a history that is lost.
      if (!file && commit && task < spec.maps && this.#ledger.wasDropped(commit.attempt)) continue;
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

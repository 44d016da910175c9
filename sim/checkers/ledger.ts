/**
 * The ledger of the world: the journal as the store keeps it, folded. Machines are not asked; checkers look up here
 * what is durable. Comes early among the observers, so that the others see the state after an entry.
 */
import { applyEntry } from '../../core/durable/apply.js';
import {
  type DurableJob,
  type DurableState,
  emptyDurable,
  findJob,
  isDead,
  isTerminal,
  validCommit,
} from '../../core/durable/state.js';
import { type AttemptId, type JobId, sameAttempt } from '../../core/ids.js';
import type { JournalEntry } from '../../core/records.js';
import { AttemptMap } from '../attempt-map.js';
import type { Observer } from '../observer.js';

export class Ledger implements Observer {
  durable: DurableState = emptyDurable();
  /** What the store held before it went back, the latest first. Whoever does not know yet may still act on it. */
  readonly #lost: DurableState[] = [];
  /** Every commit that was ever durable, lost or made again since. */
  readonly #commits = new AttemptMap<true>();

  journalDurable(entry: JournalEntry): void {
    applyEntry(this.durable, entry);
    for (const record of entry.records)
      if (record.type === 'task.committed') this.#commits.set(record.attempt, true);
  }

  journalWentBack(history: readonly JournalEntry[]): void {
    this.#lost.unshift(this.durable);
    this.durable = emptyDurable();
    for (const entry of history) applyEntry(this.durable, entry);
  }

  job(job: JobId): DurableJob | undefined {
    return findJob(this.durable, job);
  }

  /** The job as it is, and as it was in histories that the store has lost. */
  everJob(job: JobId): DurableJob[] {
    if (this.#lost.length === 0) {
      const present = this.job(job);
      return present ? [present] : [];
    }
    return [this.durable, ...this.#lost].flatMap((state) => findJob(state, job) ?? []);
  }

  /** The job has ended, here or in a history that is lost: then nobody needs its files, and who has them may drop them. */
  hasEnded(job: JobId): boolean {
    return this.everJob(job).some(isTerminal);
  }

  /** Whether a history that the store has lost had no use for the attempt: whoever heard so may have deleted its file. */
  wasDropped(attempt: AttemptId): boolean {
    return this.#lost.some((state) => {
      const job = findJob(state, attempt.job);
      const commit = job && validCommit(job, attempt.task);
      if (!job) return false;
      return isDead(job, attempt) || (commit !== undefined && !sameAttempt(commit.attempt, attempt));
    });
  }

  /** Whether it is, or ever was, the task's commit. */
  wasCommitted(attempt: AttemptId): boolean {
    return this.#commits.get(attempt) === true;
  }

  /** Whether it is the task's present commit, its file lost or not. */
  isCommitted(attempt: AttemptId): boolean {
    const commit = this.job(attempt.job)?.commits[attempt.task];
    return commit !== undefined && sameAttempt(commit.attempt, attempt);
  }

  isValidCommit(attempt: AttemptId): boolean {
    return this.isCommitted(attempt) && this.job(attempt.job)!.commits[attempt.task]!.valid;
  }
}

/**
 * The ledger of the world: the journal as the store keeps it, folded. Machines are not asked; checkers look up here
 * what is durable. Comes early among the observers, so that the others see the state after an entry.
 */
import { applyEntry } from '../../core/durable/apply.js';
import { type DurableJob, type DurableState, emptyDurable, findJob } from '../../core/durable/state.js';
import { type AttemptId, type JobId, sameAttempt } from '../../core/ids.js';
import type { JournalEntry } from '../../core/records.js';
import type { Observer } from '../observer.js';

export class Ledger implements Observer {
  readonly durable: DurableState = emptyDurable();

  journalDurable(entry: JournalEntry): void {
    applyEntry(this.durable, entry);
  }

  job(job: JobId): DurableJob | undefined {
    return findJob(this.durable, job);
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

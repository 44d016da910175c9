/**
 * C19: failures are not made up. Every failed attempt in the journal did break the way the record says, on a process that
 * ran it; and a job that has failed has as many failures, deaths or contradictions as its reason claims.
 *
 * Time-outs are the leader's own judgement, by its own clock: that they end is C13's, that they are right is not seen here.
 */
import { attemptKey, type JobId } from '../../core/ids.js';
import type { AttemptFailed, FailureKind, JobFailed, JournalEntry } from '../../core/records.js';
import { AttemptMap } from '../attempt-map.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import type { AttemptBook } from './attempt-book.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation } from './violation.js';

export class FailureChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #book: AttemptBook;
  /** What executors said of attempts that broke. */
  readonly #broke = new AttemptMap<FailureKind>();
  /** Jobs of which somebody was told that their output cannot be put in place. */
  readonly #refused = new Set<JobId>();

  /** Comes behind the ledger among the observers. */
  constructor(world: World, ledger: Ledger, book: AttemptBook) {
    this.#world = world;
    this.#ledger = ledger;
    this.#book = book;
  }

  workerStepped({ event }: WorldStep): void {
    if (event.type === 'attempt.broke') this.#broke.set(event.attempt, event.failure.kind);
  }

  masterStepped({ event }: WorldStep): void {
    if (event.type === 'output.refused') this.#refused.add(event.job);
  }

  journalDurable({ records }: JournalEntry): void {
    for (const record of records) {
      if (record.type === 'attempt.failed' && !this.#didFail(record)) {
        const { attempt, failure } = record;
        this.#violated(
          `attempt ${attemptKey(attempt)} failed by ${failure.kind}, and nothing like it happened`,
        );
      }
      if (record.type === 'job.failed' && !this.#hadCause(record)) {
        this.#violated(`job ${record.job} failed by ${record.failure.reason}, without cause`);
      }
    }
  }

  #didFail({ attempt, failure }: AttemptFailed): boolean {
    switch (failure.kind) {
      case 'timeout':
        return true;
      case 'worker-died':
        // One that never began went with a process that died before the order came.
        return this.#book.ranBy(attempt)?.ended ?? true;
      default:
        return this.#broke.get(attempt) === failure.kind;
    }
  }

  #hadCause({ job: id, failure: { reason, attempts } }: JobFailed): boolean {
    const job = this.#ledger.job(id)!;
    const { maxAttempts } = job.spec.policy;
    const troubles = [...job.troubles.values()];
    switch (reason) {
      case 'task-failed':
        return troubles.some(({ failed }) => failed >= maxAttempts);
      case 'disk':
      case 'input-changed':
        return job.failures.some(({ failure }) => failure.kind === reason);
      case 'workers-died':
        return troubles.some(({ deaths }) => deaths > 0);
      case 'nondeterministic': {
        const [one, other] = (attempts ?? []).map((attempt) => this.#book.made(attempt)?.digest);
        return one !== undefined && other !== undefined && one !== other;
      }
      case 'publish-refused':
        return this.#refused.has(id);
    }
  }

  #violated(detail: string): never {
    throw new InvariantViolation('C19', detail, this.#world);
  }
}

/**
 * C19: failures are not made up. Every failed attempt in the journal did break the way the record says, on a process that
 * ran it; and a job that has failed has as many failures, deaths or contradictions as its reason claims. A time-out is the
 * leader's own judgement, by its own clock: that it comes is C13's, that it does not come too early is seen here.
 */
import { attemptKey, type JobId, type TaskIndex } from '../../core/ids.js';
import type { AttemptFailed, FailureKind, JobFailed, JournalEntry } from '../../core/records.js';
import { AttemptMap } from '../attempt-map.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import type { AttemptBook } from './attempt-book.js';
import type { Ledger } from './ledger.js';
import type { TimeLimits } from './time-limits.js';
import { InvariantViolation } from './violation.js';

export class FailureChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #book: AttemptBook;
  readonly #limits: TimeLimits;
  /** What executors said of attempts that broke. */
  readonly #broke = new AttemptMap<FailureKind>();
  /** The same by task: a job remembers only the last few. */
  readonly #troubles = new Set<string>();
  /** Jobs of which somebody was told that their output cannot be put in place. */
  readonly #refused = new Set<JobId>();

  /** Comes behind the ledger among the observers. */
  constructor(world: World, ledger: Ledger, book: AttemptBook, limits: TimeLimits) {
    this.#world = world;
    this.#ledger = ledger;
    this.#book = book;
    this.#limits = limits;
  }

  workerStepped({ event }: WorldStep): void {
    if (event.type !== 'attempt.broke') return;
    const { attempt, failure } = event;
    this.#broke.set(attempt, failure.kind);
    this.#troubles.add(troubleKey(attempt.job, attempt.task, failure.kind));
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
        return this.#limits.wasOver(attempt);
      case 'worker-died':
        // One that never began went with a process that died before the order came.
        return this.#book.ranBy(attempt)?.ended ?? true;
      default:
        return this.#broke.get(attempt) === failure.kind;
    }
  }

  #hadCause({ job: id, failure: { reason, task, failure, attempts } }: JobFailed): boolean {
    const { spec, troubles } = this.#ledger.job(id)!;
    const { failed, deaths } = troubles.get(task!) ?? { failed: 0, deaths: 0 };
    const happened = (kind: FailureKind): boolean =>
      failure?.kind === kind && this.#troubles.has(troubleKey(id, task!, kind));
    switch (reason) {
      case 'task-failed':
        return failed >= spec.policy.maxAttempts;
      case 'disk':
        return failed >= spec.policy.maxAttempts && happened(reason);
      case 'input-changed':
        return happened(reason);
      case 'workers-died':
        return deaths >= this.#world.config.workerDeathsMax;
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

function troubleKey(job: JobId, task: TaskIndex, kind: FailureKind): string {
  return `${job}.${task} ${kind}`;
}

/**
 * C14 of refusals: the reason that a client is told was true at some moment since it asked, by the journal as the store
 * keeps it. What was so before is no reason: then the job might have been accepted.
 */
import { type DurableState, isTerminal } from '../../core/durable/state.js';
import type { JobRefused, JobSubmit } from '../../core/messages.js';
import type { JournalEntry, JournalRecord } from '../../core/records.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation } from './violation.js';

type Reason = JobRefused['reason'];

interface Asked {
  submit: JobSubmit;
  /** What has been true since. */
  readonly reasons: Set<Reason>;
}

export class RefusalChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  /** By request id. */
  readonly #asked = new Map<string, Asked>();

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  clientStepped({ effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type !== 'message.send' || effect.message.type !== 'job.submit') continue;
      const submit = effect.message;
      const asked = this.#asked.get(submit.requestId);
      if (asked && asked.submit.acceptedSlot === submit.acceptedSlot) continue;
      const now: Asked = { submit, reasons: asked?.reasons ?? new Set() };
      this.#asked.set(submit.requestId, now);
      this.#look(now);
    }
  }

  journalDurable({ records }: JournalEntry): void {
    if (records.some(changesReasons)) this.#lookAtAll();
  }

  journalWentBack(): void {
    this.#lookAtAll();
  }

  masterStepped({ life, effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type !== 'message.send' || effect.message.type !== 'job.refused') continue;
      const { requestId, reason } = effect.message;
      if (this.#asked.get(requestId)?.reasons.has(reason)) continue;
      const detail = `${life.node.name} refuses ${requestId}, and its reason, ${reason}, has not been so since it was asked`;
      throw new InvariantViolation('C14', detail, this.#world);
    }
  }

  #lookAtAll(): void {
    for (const asked of this.#asked.values()) this.#look(asked);
  }

  #look({ submit, reasons }: Asked): void {
    const { durable } = this.#ledger;
    if (isBeyondLimits(durable, submit, this.#world)) reasons.add('limit');
    if (overlaps(durable, submit)) reasons.add('output-overlaps');
    if (submit.acceptedSlot > 0 && !durable.jobByRequest.has(submit.requestId)) reasons.add('gone');
  }
}

function changesReasons({ type }: JournalRecord): boolean {
  return type === 'job.accepted' || type === 'job.published' || type === 'job.failed';
}

function isBeyondLimits({ jobs }: DurableState, { spec }: JobSubmit, { config }: World): boolean {
  const open = jobs.filter((job) => !isTerminal(job)).length;
  return open >= config.jobsMax || spec.maps + spec.reduces > config.tasksMax;
}

/** Another job that has not ended writes to the same place, or one of the two lies inside the other. */
function overlaps({ jobs }: DurableState, { requestId, spec }: JobSubmit): boolean {
  const own = `${spec.output}/`;
  return jobs.some((job) => {
    if (isTerminal(job) || job.requestId === requestId) return false;
    const other = `${job.spec.output}/`;
    return own.startsWith(other) || other.startsWith(own);
  });
}

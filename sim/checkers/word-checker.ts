/** C11, C12, C14: nobody says what is not so, and workers obey whom they must. */
import type { Effect } from '../../core/effects.js';
import { type AttemptId, attemptKey, type JobId } from '../../core/ids.js';
import type { MasterMessage, MasterToWorker, Message } from '../../core/messages.js';
import type { Output } from '../../core/records.js';
import type { WorkerState } from '../../core/worker/state.js';
import { AttemptMap } from '../attempt-map.js';
import type { Life } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import type { AttemptBook } from './attempt-book.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

export class WordChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #book: AttemptBook;
  /** Who was given an attempt: it may give it back before it has begun it. */
  readonly #givenTo = new AttemptMap<Life>();
  /** Highest epoch that each life of a worker has heard of, and the session through which it listens. */
  readonly #heard = new Map<Life, number>();
  readonly #sessions = new Map<Life, number>();

  constructor(world: World, ledger: Ledger, book: AttemptBook) {
    this.#world = world;
    this.#ledger = ledger;
    this.#book = book;
  }

  masterStepped({ life, effects }: WorldStep): void {
    for (const effect of effects)
      if (effect.type === 'message.send') this.#checkAnswer(life, effect.message as MasterMessage);
  }

  workerStepped(step: WorldStep): void {
    const { life, event } = step;
    if (event.type === 'peer.lost' && event.session === this.#sessions.get(life)) this.#sessions.delete(life);
    this.#checkObedience(step);
    for (const effect of step.effects) {
      if (effect.type === 'message.send') this.#checkReport(life, effect.message);
      else if (effect.type === 'peer.disconnect') this.#sessions.delete(life);
      else if (effect.type === 'peer.connect') this.#sessions.set(life, effect.session);
    }
  }

  #checkObedience({ life, event, effects }: WorldStep): void {
    if (event.type !== 'message.received') return;
    const { name } = life.node;
    const message = event.message as MasterToWorker;
    if (message.type === 'master.notLeading') return;
    if (message.type === 'attempt.assign') this.#givenTo.set(message.attempt, life);
    const { epoch, incarnation } = message;
    const heard = this.#heard.get(life) ?? 0;
    if (epoch < heard) {
      const obeys = effects.find(isObedience);
      if (obeys)
        this.#violated('C12', `${name} answered epoch ${epoch} with ${obeys.type}, after epoch ${heard}`);
    }
    const { epochSeen } = life.machine.state as WorkerState;
    if (epochSeen < heard) this.#violated('C12', `${name} follows epoch ${epochSeen}, after epoch ${heard}`);
    if (incarnation === life.incarnation) {
      // What straggles out of a session before is not listened to, and teaches nothing.
      if (epoch > heard && event.session === this.#sessions.get(life)) this.#heard.set(life, epoch);
    } else if (effects.some(isObedience)) {
      this.#violated('C12', `${name} obeyed an order for its life ${incarnation}`);
    }
  }

  #checkReport(life: Life, message: Message): void {
    switch (message.type) {
      case 'worker.hello':
        for (const attempt of message.running) this.#checkRun(life, attempt);
        for (const { attempt, output } of message.finished) this.#checkFinished(life, attempt, output);
        return;
      case 'attempt.completed':
        return this.#checkFinished(life, message.attempt, message.output);
      case 'attempt.ended':
        if (message.failure === undefined && this.#givenTo.get(message.attempt) === life) return;
        return this.#checkRun(life, message.attempt);
      case 'input.unreadable':
        return this.#checkRun(life, message.attempt);
    }
  }

  #checkRun(life: Life, attempt: AttemptId): void {
    if (this.#book.ranBy(attempt) !== life) {
      this.#violated(
        'C11',
        `${life.node.name} speaks of attempt ${attemptKey(attempt)}, which it did not run`,
      );
    }
  }

  #checkFinished(life: Life, attempt: AttemptId, output: Output): void {
    this.#checkRun(life, attempt);
    if (this.#book.made(attempt)?.digest !== output.digest) {
      this.#violated(
        'C11',
        `${life.node.name} reports another digest of ${attemptKey(attempt)} than its file has`,
      );
    }
  }

  #checkAnswer(life: Life, message: MasterMessage): void {
    if (message.type === 'attempt.answer' && message.verdict === 'committed') {
      if (this.#ledger.wasCommitted(message.attempt)) return;
      this.#violated(
        'C14',
        `${life.node.name} calls ${attemptKey(message.attempt)} committed, and it is not`,
      );
    }
    if (message.type === 'job.ended') return this.#checkEnd(life, message.job);
    if (message.type !== 'job.status') return;
    const jobs = this.#ledger.everJob(message.job);
    const ended = message.phase === 'published' || message.phase === 'failed';
    if (!jobs.some(({ phase }) => !ended || phase === message.phase)) {
      this.#violated(
        'C14',
        `${life.node.name} calls job ${message.job} ${message.phase}, and it is ${jobs[0]?.phase}`,
      );
    }
  }

  /** It may be one that the store has lost, whether or not another job has its number by now. */
  #checkEnd(life: Life, job: JobId): void {
    const present = this.#ledger.job(job);
    if (!present || this.#ledger.hasEnded(job) || this.#ledger.everJob(job).length > 1) return;
    this.#violated('C14', `${life.node.name} says that job ${job} has ended, and it is ${present.phase}`);
  }

  #violated(id: WorldInvariant, detail: string): never {
    throw new InvariantViolation(id, detail, this.#world);
  }
}

/** Refusing, and looking for another master, is no obedience. */
function isObedience({ type }: Effect): boolean {
  return type !== 'decide' && !type.startsWith('peer.');
}

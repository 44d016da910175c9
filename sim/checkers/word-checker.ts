/** C11, C12, C14: nobody says what is not so, and workers obey whom they must. */
import { type AttemptId, attemptKey } from '../../core/ids.js';
import type { MasterMessage, Message } from '../../core/messages.js';
import type { Output } from '../../core/records.js';
import type { AttemptFile } from '../file-model.js';
import type { Life } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

export class WordChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  /** Who began an attempt, by its key. */
  readonly #ranBy = new Map<string, Life>();
  readonly #made = new Map<string, Output>();
  /** Highest epoch that each life of a worker has heard of. */
  readonly #heard = new Map<Life, number>();

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  attemptBegan(life: Life, attempt: AttemptId): void {
    this.#ranBy.set(attemptKey(attempt), life);
  }

  fileWritten(file: AttemptFile): void {
    const { output } = 'map' in file.content ? file.content.map : file.content.reduce;
    this.#made.set(attemptKey(file.attempt), output);
  }

  stepped(step: WorldStep): void {
    const { life } = step;
    if (life.node.kind === 'worker') this.#checkObedience(step);
    for (const effect of step.effects) {
      if (effect.type !== 'message.send') continue;
      if (life.node.kind === 'worker') this.#checkReport(life, effect.message);
      else if (life.node.kind === 'master') this.#checkAnswer(life, effect.message as MasterMessage);
    }
  }

  #checkObedience({ life, event, effects }: WorldStep): void {
    if (event.type !== 'message.received') return;
    const { message } = event;
    if (!('incarnation' in message) || !('epoch' in message)) return;
    const heard = this.#heard.get(life) ?? 0;
    const obeys = effects.find(({ type }) => type !== 'decide' && !type.startsWith('peer.'));
    if (obeys && message.epoch < heard) {
      this.#violated(
        'C12',
        `${life.node.name} answered epoch ${message.epoch} with ${obeys.type}, after epoch ${heard}`,
      );
    }
    if (obeys && message.incarnation !== life.incarnation) {
      this.#violated('C12', `${life.node.name} obeyed an order for its life ${message.incarnation}`);
    }
    if (message.epoch > heard && message.incarnation === life.incarnation)
      this.#heard.set(life, message.epoch);
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
      case 'input.unreadable':
        return this.#checkRun(life, message.attempt);
    }
  }

  #checkRun(life: Life, attempt: AttemptId): void {
    if (this.#ranBy.get(attemptKey(attempt)) !== life) {
      this.#violated(
        'C11',
        `${life.node.name} speaks of attempt ${attemptKey(attempt)}, which it did not run`,
      );
    }
  }

  #checkFinished(life: Life, attempt: AttemptId, output: Output): void {
    this.#checkRun(life, attempt);
    if (this.#made.get(attemptKey(attempt))?.digest !== output.digest) {
      this.#violated(
        'C11',
        `${life.node.name} reports another digest of ${attemptKey(attempt)} than its file has`,
      );
    }
  }

  #checkAnswer(life: Life, message: MasterMessage): void {
    if (message.type === 'attempt.answer' && message.verdict === 'committed') {
      if (this.#ledger.isCommitted(message.attempt)) return;
      this.#violated(
        'C14',
        `${life.node.name} calls ${attemptKey(message.attempt)} committed, and it is not`,
      );
    }
    if (message.type !== 'job.status') return;
    const job = this.#ledger.job(message.job);
    const ended = message.phase === 'published' || message.phase === 'failed';
    if (!job || (ended && job.phase !== message.phase)) {
      this.#violated(
        'C14',
        `${life.node.name} calls job ${message.job} ${message.phase}, and it is ${job?.phase}`,
      );
    }
  }

  #violated(id: WorldInvariant, detail: string): never {
    throw new InvariantViolation(id, detail, this.#world);
  }
}

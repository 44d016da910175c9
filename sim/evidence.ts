/**
 * The hash of a run: of every step its node, its time, its event and what it asked for. What is said or written is hashed
 * where it arrives, as part of an event: where it leaves, only who speaks to whom of what. So each thing counts once,
 * and nothing that has made a difference is left out.
 *
 * A trace (core/chain.ts) has the hash of one life, which is judged without the others: there all effects count in full.
 */
import type { Effect } from '../core/effects.js';
import type { MachineEvent } from '../core/events.js';
import { type Hash, hashText, mixInt, mixNumber, newHash } from '../core/hash.js';
import type { AttemptId } from '../core/ids.js';
import { addValue, newReader, type Reader } from '../core/value-hash.js';
import { messageKey } from './frames.js';

/** What is written does not change any more, and is seen again by every reader of the journal, or by every worker. */
const reader = newReader(['records', 'changes']);

export class Evidence {
  readonly #hash = newHash();
  /** Each run remembers its own: what one has written is garbage when the next begins. */
  readonly #reader = { ...reader, hashes: new Map() };

  /** `node` is the node's key. */
  add(node: number, nowUs: number, event: MachineEvent, effects: readonly Effect[]): void {
    const hash = this.#hash;
    mixInt(hash, node);
    mixNumber(hash, nowUs);
    addEvent(this.#reader, hash, event);
    mixInt(hash, effects.length);
    for (const effect of effects) addEffect(this.#reader, hash, effect);
  }

  /** 16 hex digits. */
  get text(): string {
    return hashText(this.#hash);
  }
}

function addEvent(reader: Reader, hash: Hash, event: MachineEvent): void {
  switch (event.type) {
    case 'message.received':
      mixInt(hash, event.session); // and so from whom
      return addValue(reader, hash, event.message);
    case 'attempt.finished':
      return mixAttempt(hash, event.attempt); // with what, its worker says
    default:
      addValue(reader, hash, event);
  }
}

function addEffect(reader: Reader, hash: Hash, effect: Effect): void {
  switch (effect.type) {
    case 'message.send':
      mixInt(hash, effect.session);
      return mixInt(hash, messageKey(effect.message));
    case 'journal.append':
      mixInt(hash, effect.records.length);
      return mixNumber(hash, effect.slot);
    case 'attempt.run':
      return mixAttempt(hash, effect.attempt);
    default:
      addValue(reader, hash, effect);
  }
}

function mixAttempt(hash: Hash, { job, task, epoch, n }: AttemptId): void {
  mixInt(hash, job);
  mixInt(hash, task);
  mixInt(hash, epoch);
  mixInt(hash, n);
}

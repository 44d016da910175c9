/** What a worker was told of the outputs of one job's maps: which attempt of each is committed, and who holds its file. */
import type { OutputsLearn } from '../../core/effects.js';
import type { ThreadSources } from '../executor/messages.js';
import type { HeldSource } from '../shuffle/reduce-inputs.js';

export class HeldOutputs {
  readonly #byMap = new Map<number, HeldSource>();
  #inOrder: ThreadSources | undefined;

  /** By index of the map task. */
  get byMap(): ReadonlyMap<number, HeldSource> {
    return this.#byMap;
  }

  learn(changes: OutputsLearn['changes']): void {
    this.#inOrder = undefined;
    for (const { attempt, digest, holder } of changes) {
      if (holder === undefined) this.#byMap.delete(attempt.task);
      else this.#byMap.set(attempt.task, { attempt, digest, holder });
    }
  }

  /** Those of all maps, in order; the same list until something is learnt. */
  inOrder(maps: number): ThreadSources {
    this.#inOrder ??= Array.from({ length: maps }, (_, task) => this.#byMap.get(task));
    return this.#inOrder;
  }
}

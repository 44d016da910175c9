/**
 * Which attempt of its task one is, as a rehearsal's faults count them: only the parent can say, which hears of every
 * attempt that any leader gives out. Several may be asked for at once.
 */
import { type AttemptId, attemptKey } from '../../core/ids.js';

export class Ordinals {
  readonly #ask: (attempt: AttemptId) => void;
  readonly #waiting = new Map<string, (ordinal: number) => void>();

  constructor(ask: (attempt: AttemptId) => void) {
    this.#ask = ask;
  }

  /** Resolves with the parent's answer. */
  of(attempt: AttemptId): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(attemptKey(attempt), resolve);
      this.#ask(attempt);
    });
  }

  told(attempt: AttemptId, ordinal: number): void {
    const key = attemptKey(attempt);
    this.#waiting.get(key)?.(ordinal);
    this.#waiting.delete(key);
  }
}

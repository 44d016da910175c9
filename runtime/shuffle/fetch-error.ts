import type { AttemptId } from '../../core/ids.js';
import type { InvalidationReason } from '../../core/records.js';

/** A map's output could not be had. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly source: AttemptId;
  readonly reason: InvalidationReason;

  constructor(source: AttemptId, reason: InvalidationReason, message: string) {
    super(message);
    this.source = source;
    this.reason = reason;
  }
}

/** What a map attempt and a reduce attempt have in common. */
import type { Counters } from '../../jobs/types.js';
import { NotForKernelError } from '../../kernel/kernel.js';
import { isDataError, UserCodeError, type UserCodeSite } from './errors.js';

/** What an attempt made. */
export interface AttemptResult {
  /** sha256 of the canonical, uncompressed content, in lowercase hex. */
  readonly digest: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Records or lines in the file. */
  readonly records: number;
  readonly counters: Counters;
  /** How many sorted runs had to be written beside the result. */
  readonly spills: number;
  /** For a reduce: the key with the most records. */
  readonly heaviest?: { readonly key: string; readonly records: number };
}

/** Tells how far an attempt is; the unit is bytes read. */
export type Progress = (bytesDone: number, bytesTotal: number) => void;

/**
 * Remembers the first failure of the data plane while user code is on the stack. User code may catch what `emit` or
 * its values throw; the attempt must fail all the same, or it would go on without the records that were lost.
 */
export class FailureMemory {
  #failure: unknown;

  /** Runs an operation that user code may have called. */
  keep<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      this.note(error);
      throw error;
    }
  }

  note(failure: unknown): void {
    this.#failure ??= failure;
  }

  /** Throws what was remembered. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** The error of an attempt: what the data plane threw as it is, everything else as the doing of user code. */
export function blame(error: unknown, site: UserCodeSite): unknown {
  return isDataError(error) || error instanceof NotForKernelError ? error : new UserCodeError(site, error);
}

/** Whoever waits for this thread waits no longer; a turn of the event loop costs as much as a small file. */
const breathMs = 5;
let breathedAtMs = 0;

/** Lets messages in, such as where map outputs lie, unless it did so just now. */
export async function breathe(): Promise<void> {
  if (nowMs() - breathedAtMs >= breathMs) {
    await new Promise((resolve) => setImmediate(resolve));
    breathedAtMs = nowMs();
  }
}

/** Never goes back. `performance` would load ten modules of Node into every thread. */
function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1_000_000;
}

/**
 * Writing a node's trace: always on, so it must cost little. Lines are gathered and written once per turn of the event
 * loop, in a hurry once in each `gatherMs`; a process that is killed loses at most so much, and its last line may be torn.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { TraceHeader, TraceLine } from '../../core/trace.js';
import { Burst, gatherMs } from '../burst.js';

/** Written out before the loop's turn ends when more than this is waiting. */
const flushBytes = 256 * 1024;

export class TraceFile {
  readonly path: string;
  readonly #file: number;
  #waiting = '';
  #scheduled = false;
  readonly #flushes = new Burst();
  /** The disk refused: the node goes on without a trace. */
  #isBroken = false;
  readonly #broke: (error: Error) => void;

  /** `broke` is told, once, why there is no more of it. Throws when there cannot be any. */
  constructor(path: string, header: TraceHeader, broke: (error: Error) => void) {
    this.path = path;
    this.#broke = broke;
    this.#file = openSync(path, 'ax');
    this.#waiting = `${JSON.stringify(header)}\n`;
    this.flush();
  }

  write(line: TraceLine): void {
    if (this.#isBroken) return;
    this.#waiting += `${JSON.stringify(line)}\n`;
    if (this.#waiting.length > flushBytes) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      if (this.#flushes.hurries()) setTimeout(() => this.flush(), gatherMs);
      else setImmediate(() => this.flush());
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#waiting === '') return;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      this.#isBroken = true;
      this.#broke(error as Error);
    }
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }
}

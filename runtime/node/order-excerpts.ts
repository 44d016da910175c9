/** What a worker process itself has to know of work orders, which are large: the head of each, read once for a job. */
import type { AttemptRun } from '../../core/effects.js';
import type { JobId } from '../../core/ids.js';
import { attemptsPath } from '../data/publish.js';
import type { Files } from '../store/ports.js';
import { loadWorkOrderHead } from './work-order.js';

export interface OrderExcerpt {
  /** Where the job's reduce attempts lie. */
  readonly attempts: string;
  readonly packShuffle: boolean;
}

export class OrderExcerpts {
  readonly #files: Files;
  readonly #reading = new Map<JobId, Promise<OrderExcerpt>>();
  readonly #read = new Map<JobId, OrderExcerpt>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** If it was read already. */
  read(job: JobId): OrderExcerpt | undefined {
    return this.#read.get(job);
  }

  /** Reads it, unless that is done or under way. Rejects with what reading throws; whoever asks next tries again. */
  of({ attempt: { job }, work, output }: AttemptRun): Promise<OrderExcerpt> {
    const known = this.#reading.get(job);
    if (known) return known;
    const reading = loadWorkOrderHead(this.#files, work).then(({ runId, packShuffle = false }) => {
      return { attempts: attemptsPath(output, runId), packShuffle };
    });
    this.#reading.set(job, reading);
    const isWanted = (): boolean => this.#reading.get(job) === reading;
    reading.then(
      (excerpt) => isWanted() && this.#read.set(job, excerpt),
      () => isWanted() && this.#reading.delete(job),
    );
    return reading;
  }

  forget(job: JobId): void {
    this.#reading.delete(job);
    this.#read.delete(job);
  }
}

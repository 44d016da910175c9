/**
 * The files of attempts: private to each, complete or not there at all. On a shared directory, or with the worker that
 * wrote them, whose death then takes them along.
 */
import { type AttemptId, attemptKey, type JobId } from '../core/ids.js';
import type { Host } from './host.js';
import type { Life } from './nodes.js';
import type { MapResult, ReduceResult } from './work.js';

export interface AttemptFile {
  readonly attempt: AttemptId;
  readonly writer: Life;
  readonly content: { readonly map: MapResult } | { readonly reduce: ReduceResult };
  /** `lost` and `corrupt` by a fault; it stays in the books so that checkers know why it cannot be read. */
  state: 'whole' | 'lost' | 'corrupt';
}

export class FileModel {
  readonly #host: Host;
  readonly #files = new Map<string, AttemptFile>();
  readonly #place: 'shared' | 'worker';

  constructor(host: Host, place: 'shared' | 'worker') {
    this.#host = host;
    this.#place = place;
  }

  find(attempt: AttemptId): AttemptFile | undefined {
    return this.#files.get(attemptKey(attempt));
  }

  all(): Iterable<AttemptFile> {
    return this.#files.values();
  }

  write(file: AttemptFile): void {
    this.#files.set(attemptKey(file.attempt), file);
    for (const observer of this.#host.observers) observer.fileWritten?.(file);
  }

  discard(attempt: AttemptId, why: 'order' | 'executor'): void {
    const file = this.find(attempt);
    if (!file) return;
    this.#files.delete(attemptKey(attempt));
    this.#tellGone(file, why);
  }

  /** What this worker's lives have written for a job. */
  discardJob(node: string, job: JobId): void {
    for (const file of [...this.#files.values()]) {
      if (file.attempt.job === job && file.writer.node.name === node) this.discard(file.attempt, 'order');
    }
  }

  /** False when there was nothing to spoil. */
  spoil(file: AttemptFile | undefined, state: 'lost' | 'corrupt'): boolean {
    if (file?.state !== 'whole') return false;
    file.state = state;
    this.#tellGone(file, 'fault');
    return true;
  }

  /** A reduce's file lies beside the output in any case; a map's is lost with its worker if only that one held it. */
  ended(life: Life): void {
    if (this.#place === 'shared') return;
    for (const file of this.#files.values())
      if (file.writer === life && 'map' in file.content) this.spoil(file, 'lost');
  }

  /** Whose process must answer for the file to be read; undefined when anybody can read it. */
  server(file: AttemptFile): Life | undefined {
    return this.#place === 'worker' && 'map' in file.content ? file.writer : undefined;
  }

  #tellGone(file: AttemptFile, why: 'fault' | 'order' | 'executor'): void {
    for (const observer of this.#host.observers) observer.fileGone?.(file, why);
  }
}

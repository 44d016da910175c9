/**
 * What an executor thread knows of the outputs that its reduce reads: told before the task, and again with every change.
 */
import { generationText, mixGeneration, newGeneration } from '../../core/generation.js';
import type { KnownSource, SourceFeed } from '../data/gather.js';
import { mapFile } from './attempt-files.js';
import type { ThreadSource, ThreadSources } from './messages.js';

/** Ten thousand paths are made when they are needed, one at a time. */
class Source implements KnownSource {
  readonly task: number;
  readonly #workDirectory: string;
  readonly #source: ThreadSource;

  constructor(workDirectory: string, task: number, source: ThreadSource) {
    this.#workDirectory = workDirectory;
    this.task = task;
    this.#source = source;
  }

  get path(): string {
    return this.#source.path ?? mapFile(this.#workDirectory, this.#source.attempt);
  }

  /** What was fetched is for one reduce alone. */
  get lasting(): boolean {
    return this.#source.path === undefined;
  }

  get digest(): string {
    return this.#source.digest;
  }
}

export class KnownSources implements SourceFeed {
  readonly #workDirectory: string;
  #sources: ThreadSources;
  #used: ThreadSources = [];
  #wake: (() => void) | undefined;

  constructor(workDirectory: string, sources: ThreadSources) {
    this.#workDirectory = workDirectory;
    this.#sources = sources;
  }

  /** What the reduce was last given to read: what its failures are about. */
  get used(): ThreadSources {
    return this.#used;
  }

  /** Of what it was last given. */
  get generation(): string {
    const generation = newGeneration();
    for (const [task, source] of this.#used.entries()) {
      if (source) mixGeneration(generation, task, source.digest, 1);
    }
    return generationText(generation);
  }

  update(sources: ThreadSources): void {
    this.#sources = sources;
    this.#wake?.();
    this.#wake = undefined;
  }

  known(): readonly (KnownSource | undefined)[] {
    this.#used = this.#sources;
    return this.#used.map((source, task) => source && new Source(this.#workDirectory, task, source));
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

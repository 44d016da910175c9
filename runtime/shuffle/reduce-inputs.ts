/**
 * The inputs of one reduce attempt whose map outputs lie with workers: fetches its partition of every output from the
 * worker that holds it, a few at a time, into files of its own, as the outputs become known. What this worker holds
 * itself is read where it lies.
 *
 * A copy stands in for every output of the same digest: made again elsewhere, the content is the same.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AttemptId, attemptKey, type NodeId } from '../../core/ids.js';
import type { ThreadSource } from '../executor/messages.js';
import { fetchSegment } from './fetch.js';

/** The output of a map, and who has it. */
export interface HeldSource {
  readonly attempt: AttemptId;
  readonly digest: string;
  readonly holder: NodeId;
}

export interface ReduceInputsOptions {
  readonly maps: number;
  readonly partition: number;
  /** For the copies; made here, removed by `remove`. */
  readonly directory: string;
  /** The worker that reads. */
  readonly node: NodeId;
  /** Holders may send LZ4 blocks. */
  readonly lz4: boolean;
  addressOf(holder: NodeId): string;
  /** Bytes so far, and whether there is nothing to do before more outputs are known. */
  onProgress(bytes: number, waiting: boolean): void;
}

/** Segments that are fetched at once: what bounds memory, with the chunk of each. */
const parallel = 4;

export class ReduceInputs {
  readonly #options: ReduceInputsOptions;
  readonly #copies = new Map<number, { readonly digest: string; readonly path: string }>();
  readonly #abort = new AbortController();
  #known: ReadonlyMap<number, HeldSource> = new Map();
  /** What is being fetched, by map. */
  readonly #fetching = new Map<number, { readonly source: HeldSource; readonly stop: AbortController }>();
  #changed: () => void = () => {};
  #bytes = 0;

  constructor(options: ReduceInputsOptions) {
    this.#options = options;
  }

  /** Bytes fetched. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is known of the outputs now, by map. */
  learn(known: ReadonlyMap<number, HeldSource>): void {
    this.#known = new Map(known);
    for (const [map, { source, stop }] of this.#fetching) {
      const now = known.get(map);
      if (!now || attemptKey(now.attempt) !== attemptKey(source.attempt)) stop.abort();
    }
    this.#changed();
  }

  /** All inputs in map order, once they are here. Throws FetchError for one that cannot be had. */
  async gather(): Promise<ThreadSource[]> {
    try {
      return await this.#gather();
    } finally {
      this.#abort.abort(); // of several under way, the others end with the first that fails
    }
  }

  async #gather(): Promise<ThreadSource[]> {
    const { maps, directory, onProgress } = this.#options;
    mkdirSync(directory, { recursive: true });
    for (;;) {
      this.#abort.signal.throwIfAborted();
      const missing = [...this.#known].filter(([map, source]) => this.#pathOf(map, source) === null);
      if (missing.length > 0) {
        await Promise.all(missing.slice(0, parallel).map(([map, source]) => this.#fetch(map, source)));
      } else if (this.#known.size === maps) {
        return Array.from({ length: maps }, (_, map) => this.#sourceOf(map));
      } else {
        onProgress(this.#bytes, true);
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
        onProgress(this.#bytes, false);
      }
    }
  }

  /** Stops fetching: `gather` throws. */
  cancel(): void {
    this.#abort.abort();
    this.#changed();
  }

  remove(): void {
    rmSync(this.#options.directory, { recursive: true, force: true });
  }

  #sourceOf(map: number): ThreadSource {
    const source = this.#known.get(map)!;
    const path = this.#pathOf(map, source);
    const { attempt, digest } = source;
    return path ? { attempt, digest, path } : { attempt, digest };
  }

  /** The copy; undefined for what lies here anyway, null for what has to be fetched. */
  #pathOf(map: number, { holder, digest }: HeldSource): string | undefined | null {
    const copy = this.#copies.get(map);
    if (copy?.digest === digest) return copy.path;
    return holder === this.#options.node ? undefined : null;
  }

  /** Ends without a copy when the output is known to be elsewhere meanwhile, or nowhere. */
  async #fetch(map: number, source: HeldSource): Promise<void> {
    const { directory, partition, lz4, addressOf, onProgress } = this.#options;
    const { attempt, digest, holder } = source;
    const target = join(directory, attemptKey(attempt));
    const stop = new AbortController();
    this.#fetching.set(map, { source, stop });
    try {
      await fetchSegment({
        source: attempt,
        partition,
        address: addressOf(holder),
        target,
        lz4,
        signal: AbortSignal.any([this.#abort.signal, stop.signal]),
        onBytes: (bytes) => onProgress((this.#bytes += bytes), false),
      });
      this.#copies.set(map, { digest, path: target });
    } catch (error) {
      if (!stop.signal.aborted || this.#abort.signal.aborted) throw error;
    } finally {
      this.#fetching.delete(map);
    }
  }
}

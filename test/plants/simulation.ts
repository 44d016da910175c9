/**
 * The simulator as a detector: plays scenarios on a build with a planted bug, in a thread of its own, since a bug may
 * well never come to an end.
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { buildSimulator, makeBuildDirectory } from './build.js';
import type { Planted } from './plants.js';
import type { Play, Played } from './plays.js';

/** A run that says nothing for so long is taken for endless. */
const patienceMs = 60_000;
const seedsAtOnce = 20;

/** A build of the simulator, and the thread that plays on it. `undefined` builds it as it is. */
export class PlantedSimulator {
  readonly #path: string;
  #thread: Worker | undefined;

  private constructor(path: string) {
    this.#path = path;
  }

  static async build(plant: Planted | undefined): Promise<PlantedSimulator> {
    return new PlantedSimulator(await buildSimulator(plant, makeBuildDirectory()));
  }

  /** Throws when the thread does not come about, or breaks in a way that no play does. */
  async play(play: Play): Promise<Played> {
    this.#thread ??= new Worker(new URL('./simulation-thread.js', import.meta.url), {
      workerData: this.#path,
    });
    const thread = this.#thread;
    const begunMs = performance.now();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        thread.off('message', heard).off('error', broke);
      };
      const heard = (played: Played): void => {
        end();
        resolve(played);
      };
      const endless = (message: string): void => {
        end();
        this.#thread = undefined;
        resolve({ caught: true, by: 'endless', message, runs: 1, ms: performance.now() - begunMs });
      };
      const broke = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return endless('the memory is used up');
        end();
        this.#thread = undefined;
        reject(error);
      };
      const timer = setTimeout(() => {
        void thread.terminate();
        endless(`no end within ${patienceMs / 1000} s`);
      }, patienceMs);
      thread.on('message', heard).on('error', broke);
      thread.postMessage(play);
    });
  }

  /** Drawn scenarios until one fails, a few at a time: each must come to an end, all of them may take long. */
  async fuzz(from: number, count: number, skip: readonly number[] = []): Promise<Played> {
    let runs = 0;
    let ms = 0;
    for (let at = from; at < from + count; at += seedsAtOnce) {
      const chunk = Math.min(seedsAtOnce, from + count - at);
      const played = await this.play({ kind: 'fuzz', from: at, count: chunk, skip });
      runs += played.runs;
      ms += played.ms;
      if (played.caught) return { ...played, runs, ms };
    }
    return { caught: false, runs, ms };
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
    rmSync(dirname(this.#path), { recursive: true });
  }
}

/**
 * The threads of a campaign. Each has one chunk under way; the campaign is asked for the next one whenever a report has
 * come. A thread that dies takes the campaign with it: that is a bug of ours, and it says in which seeds.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { installation } from '../../runtime/installation.js';
import type { Campaign, Chunk, ChunkReport } from '../../sim/fuzz/campaign.js';
import type { StopFlag } from './stop-flag.js';

export interface CampaignRun {
  readonly campaign: Campaign;
  readonly threads: number;
  /** Once it is set no more seeds are begun. */
  readonly stop: StopFlag;
  reported(report: ChunkReport): void;
}

const program = join(installation, 'cli', 'fuzz', 'worker.js');

/** Ends when every chunk that was begun has been reported. */
export async function runCampaign({ campaign, threads, stop, reported }: CampaignRun): Promise<void> {
  const workers = Array.from({ length: threads }, () => new Worker(program, { workerData: stop.shared }));
  try {
    await new Promise<void>((resolve, reject) => {
      const busy = new Map<Worker, Chunk>();
      const feed = (): void => {
        for (const worker of workers) {
          if (busy.has(worker)) continue;
          const chunk = stop.isSet ? undefined : campaign.take();
          if (!chunk) break;
          busy.set(worker, chunk);
          worker.postMessage(chunk);
        }
        if (busy.size === 0) resolve();
      };
      for (const worker of workers) {
        worker.on('message', (report: ChunkReport) => {
          busy.delete(worker);
          campaign.add(report);
          try {
            reported(report);
          } catch (error) {
            reject(error);
            return;
          }
          feed();
        });
        worker.on('error', (error: Error) => {
          const seeds = busy.get(worker)?.seeds.map(({ seed }) => seed) ?? [];
          error.message = `in seeds ${seeds[0]}..${seeds.at(-1)}: ${error.message}`;
          reject(error);
        });
      }
      feed();
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

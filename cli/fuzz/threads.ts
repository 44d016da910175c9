/**
 * The threads of a campaign. Each has one chunk under way; the campaign is asked for the next one whenever a report has
 * come. A thread that dies takes the campaign with it: that is a bug of ours, and it says in which seeds.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { installation } from '../../runtime/installation.js';
import type { Campaign, Chunk, ChunkReport } from '../../sim/fuzz/campaign.js';

export interface CampaignRun {
  readonly campaign: Campaign;
  readonly threads: number;
  /** No more chunks are begun after this says so. */
  stops(): boolean;
  reported(report: ChunkReport): void;
}

const program = join(installation, 'cli', 'fuzz', 'worker.js');

/** Ends when every chunk that was begun has been reported. */
export async function runCampaign({ campaign, threads, stops, reported }: CampaignRun): Promise<void> {
  const workers = Array.from({ length: threads }, () => new Worker(program));
  try {
    await new Promise<void>((resolve, reject) => {
      const busy = new Map<Worker, Chunk>();
      const feed = (): void => {
        for (const worker of workers) {
          if (busy.has(worker)) continue;
          const chunk = stops() ? undefined : campaign.take();
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
          reported(report);
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

/** A thread of `rehearse fuzz`: takes chunks of seeds, one at a time, and gives back reports. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Chunk } from '../../sim/fuzz/campaign.js';
import { runChunk } from '../../sim/fuzz/chunk.js';
import { StopFlag } from './stop-flag.js';

const stop = new StopFlag(workerData);

parentPort!.on('message', (chunk: Chunk) => {
  parentPort!.postMessage(runChunk(chunk, { stops: () => stop.isSet }));
});

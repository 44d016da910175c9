/** A thread of `rehearse fuzz`: takes chunks of seeds, one at a time, and gives back reports. */
import { parentPort } from 'node:worker_threads';
import type { Chunk } from '../../sim/fuzz/campaign.js';
import { runChunk } from '../../sim/fuzz/chunk.js';

parentPort!.on('message', (chunk: Chunk) => parentPort!.postMessage(runChunk(chunk)));

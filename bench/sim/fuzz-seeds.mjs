/** Fuzz seeds per minute over all cores: jobs of about 20 tasks on up to 8 workers, everything else drawn. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fuzzSeed } from '../../dist/sim/fuzz/fuzz.js';
import { line, rounds, spreadText } from './measures.mjs';

const seedsPerRound = 150;
/** V8 compiles for the first thousand seeds of a thread; a campaign of a minute has tens of thousands. */
const warmUps = 8;

function runRound(first, count) {
  for (let seed = first; seed < first + count; seed++) fuzzSeed(seed, { profile: { size: 'medium' } });
}

export async function measureFuzzSeeds() {
  const threads = Array.from({ length: availableParallelism() }, () => new Worker(new URL(import.meta.url)));
  const perMinute = [];
  for (let round = 0; round < warmUps + rounds; round++) {
    const first = (index) => index * 1_000_000 + round * seedsPerRound;
    const begin = process.cpuUsage();
    await Promise.all(threads.map((thread, index) => playRound(thread, first(index))));
    const { user, system } = process.cpuUsage(begin);
    // Each thread has a core for itself when nobody else wants one: processor time is then what a clock would show.
    const minutes = (user + system) / threads.length / 60e6;
    if (round >= warmUps) perMinute.push((threads.length * seedsPerRound) / minutes);
  }
  await Promise.all(threads.map((thread) => thread.terminate()));
  line(`fuzz seeds/min of medium size, ${threads.length} threads`, spreadText(perMinute));
}

/** Rejects when the thread breaks. */
function playRound(thread, first) {
  thread.postMessage(first);
  return once(thread, 'message');
}

if (!isMainThread) {
  parentPort.on('message', (first) => {
    runRound(first, seedsPerRound);
    parentPort.postMessage('done');
  });
}

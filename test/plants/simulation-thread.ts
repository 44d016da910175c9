/** The thread of simulation.ts: loads the build that it is given, and plays on it what it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import type * as Simulator from './planted-simulator.js';
import { type Play, perform } from './plays.js';

const simulator: typeof Simulator = await import(String(workerData));

parentPort!.on('message', (play: Play) => parentPort!.postMessage(perform(simulator, play)));

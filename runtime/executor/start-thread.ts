/**
 * Threads of executors. One can be started before it is known what it is to run: it then loads its program while its process
 * waits to be told what it is for, and gets its folders later, in a message.
 */
import { Worker } from 'node:worker_threads';
import { programPath } from '../installation.js';
import { heapMiBDefault, newGauge, type ThreadFolders } from './messages.js';

export interface StartedThread {
  readonly thread: Worker;
  readonly gauge: Float64Array;
}

/** What user code throws away at once is collected early: the engine's own bound would cost 25 MiB more and gain 5 %. */
const youngMiB = 16;

const program = programPath('runtime/executor', 'thread');

let waiting: StartedThread | undefined;

/** With the bound of a run whose user does not ask for another. It does not keep its process alive while it waits. */
export function startThreadAhead(): void {
  waiting = startThread(heapMiBDefault);
  waiting.thread.unref();
}

export function isThreadAhead(): boolean {
  return waiting !== undefined;
}

/** A process that turns out to be no worker needs none. */
export function dropThreadAhead(): void {
  void waiting?.thread.terminate();
  waiting = undefined;
}

/** A thread whose heap is bounded so: the one that was started ahead, if it will do. */
export function takeThread(heapMiB: number, folders: ThreadFolders): StartedThread {
  if (heapMiB !== heapMiBDefault) dropThreadAhead();
  const started = waiting ?? startThread(heapMiB);
  waiting = undefined;
  started.thread.ref();
  started.thread.postMessage(folders);
  return started;
}

export function startThread(heapMiB: number): StartedThread {
  const gauge = newGauge();
  const options = {
    workerData: gauge,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: youngMiB },
  };
  try {
    return { thread: new Worker(program, options), gauge: new Float64Array(gauge) };
  } catch (error) {
    throw refusedThread(error as NodeJS.ErrnoException);
  }
}

/** Node tells what the system has refused (`EAGAIN`) as its own refusal, with the system's as the message. */
function refusedThread(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ERR_WORKER_INIT_FAILED') return error;
  const { message: code } = error;
  return Object.assign(new Error(`${code}: a thread was not started`), { code, syscall: 'new Worker' });
}

/**
 * The executors of a worker process: one thread per slot, in which user code runs, so that the process's own loop stays
 * free to beat while a map spins.
 *
 * A thread is kept from attempt to attempt. An attempt is ended by ending its thread; the next one gets a new thread.
 * What a thread cannot say itself (out of memory, `process.exit`) is told by how it ended.
 */
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type AttemptId, attemptKey } from '../../core/ids.js';
import type { Progress } from '../../core/messages.js';
import { isForManyOpen } from '../data/errors.js';
import { attemptFileName } from '../node/layout.js';
import { PrintedLog } from '../printed-log.js';
import { forgetAttempt } from './attempt-files.js';
import { failureText } from './failure.js';
import {
  type AbortNear,
  gaugeDone,
  gaugeListening,
  gaugeSlow,
  gaugeTotal,
  gaugeWaiting,
  type SourcesKnown,
  type ThreadResult,
  type ThreadSources,
  type ThreadTask,
} from './messages.js';
import { takeThread } from './start-thread.js';

export interface ExecutorPoolOptions {
  readonly slots: number;
  readonly filesDirectory: string;
  readonly workDirectory: string;
  readonly bundleDirectory: string;
  readonly logsDirectory: string;
  /** Bound of each thread's heap, in MiB. What lies outside of it (buffers) is bounded for the process as a whole. */
  readonly heapMiB: number;
  ended(attempt: AttemptId, result: ThreadResult | { readonly type: 'aborted' }): void;
}

interface Executor {
  readonly thread: Worker;
  readonly gauge: Float64Array;
  task: ThreadTask | undefined;
  /** What its thread was told last of the maps' outputs. */
  sources: ThreadSources | undefined;
  aborting: boolean;
  log: PrintedLog | undefined;
  /** Set when the thread's end is already explained. */
  failure: Error | undefined;
}

/** What a worker process may take besides the heaps of its executors: its own code, and buffers. */
const besidesHeapsMiB = 512;
/** How often the size of the process is looked at. */
const memoryLookMs = 100;
/** What user code that listens to its signal gets to tidy up. */
const abortMs = 100;

export class ExecutorPool {
  readonly #options: ExecutorPoolOptions;
  readonly #idle: Executor[] = [];
  readonly #busy = new Map<string, Executor>();
  readonly #memoryTimer: NodeJS.Timeout;
  #slow = 1;
  #closed = false;

  constructor(options: ExecutorPoolOptions) {
    this.#options = options;
    for (let slot = 0; slot < options.slots; slot++) this.#idle.push(this.#spawn());
    this.#memoryTimer = setInterval(() => this.#boundMemory(), memoryLookMs);
  }

  /** `sources` is what a reduce is to read, as far as it is known. */
  run(task: ThreadTask, sources?: ThreadSources): void {
    const executor = this.#idle.pop() ?? this.#spawn();
    executor.task = task;
    executor.gauge[gaugeDone] = 0;
    executor.gauge[gaugeTotal] = 0;
    executor.gauge[gaugeSlow] = this.#slow;
    executor.gauge[gaugeWaiting] = 0;
    executor.gauge[gaugeListening] = 0;
    this.#busy.set(attemptKey(task.attempt), executor);
    if (sources) tellSources(executor, sources);
    executor.thread.postMessage(task);
  }

  /** Where the outputs lie that a running reduce reads. */
  tellSources(attempt: AttemptId, sources: ThreadSources): void {
    const executor = this.#busy.get(attemptKey(attempt));
    if (executor) tellSources(executor, sources);
  }

  /** Ends the attempt and removes what it wrote; `ended` says so. Nothing happens to an attempt that is not running. */
  abort(attempt: AttemptId): void {
    const executor = this.#busy.get(attemptKey(attempt));
    if (!executor || executor.aborting) return;
    executor.aborting = true;
    const end = (): void => void executor.thread.terminate();
    if (executor.gauge[gaugeListening] === 0) return end();
    executor.thread.postMessage({ type: 'abort' } satisfies AbortNear);
    setTimeout(end, abortMs).unref();
  }

  /** Bytes done and in total of every running attempt, and whether it waits for maps. */
  progress(): Progress[] {
    return [...this.#busy.values()].map(({ task, gauge }) => ({
      attempt: task!.attempt,
      done: gauge[gaugeDone]!,
      total: gauge[gaugeTotal]!,
      waiting: gauge[gaugeWaiting] === 1,
    }));
  }

  /** Modelled work takes `factor` times as long from now on. */
  slow(factor: number): void {
    this.#slow = factor;
    for (const { gauge } of this.#busy.values()) gauge[gaugeSlow] = factor;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#memoryTimer);
    await Promise.all([...this.#idle, ...this.#busy.values()].map(({ thread }) => thread.terminate()));
  }

  /**
   * Buffers are no part of a thread's heap, so the engine does not stop who fills the machine with them. The attempt
   * that began last is ended; if it was another's doing, the next look finds that one.
   */
  #boundMemory(): void {
    const { slots, heapMiB } = this.#options;
    const limitMiB = slots * heapMiB + besidesHeapsMiB;
    if (this.#busy.size === 0 || residentBytes() <= limitMiB * 1024 * 1024) return;
    const last = [...this.#busy.values()].at(-1)!;
    if (last.aborting || last.failure) return;
    last.failure = Object.assign(new Error(`the worker process grew beyond ${limitMiB} MiB`), {
      code: 'ERR_WORKER_OUT_OF_MEMORY',
    });
    void last.thread.terminate();
  }

  #spawn(): Executor {
    const { filesDirectory, workDirectory, bundleDirectory, heapMiB } = this.#options;
    const folders = { type: 'folders', filesDirectory, workDirectory, bundleDirectory } as const;
    const { thread, gauge } = takeThread(heapMiB, folders);
    const executor: Executor = {
      thread,
      gauge,
      task: undefined,
      sources: undefined,
      aborting: false,
      log: undefined,
      failure: undefined,
    };
    thread.on('message', (result: ThreadResult) => this.#onResult(executor, result));
    thread.on('error', (error) => {
      executor.failure = error;
      this.#forget(executor); // it ends, and takes nothing more
    });
    thread.on('exit', (code) => this.#onExit(executor, code));
    thread.stdout.on('data', (bytes) => this.#print(executor, bytes));
    thread.stderr.on('data', (bytes) => this.#print(executor, bytes));
    return executor;
  }

  #onResult(executor: Executor, result: ThreadResult): void {
    // The order to stop was first. A thread whose end has begun takes no other attempt, which would be blamed for it.
    if (executor.aborting || executor.failure || !executor.task) return;
    const { attempt } = this.#release(executor);
    this.#idle.push(executor);
    this.#options.ended(attempt, result);
  }

  #onExit(executor: Executor, code: number): void {
    if (this.#closed) return;
    if (!executor.task) return this.#forget(executor);
    const { task, aborting } = executor;
    this.#release(executor);
    forgetAttempt(task, task.attempt.task < task.maps ? this.#options.workDirectory : task.attemptsDirectory);
    if (aborting) this.#options.ended(task.attempt, { type: 'aborted' });
    else this.#options.ended(task.attempt, { type: 'broke', failure: failureOfExit(executor.failure, code) });
    // The slot's next attempt may have begun meanwhile, in a thread of its own.
    if (this.#idle.length + this.#busy.size < this.#options.slots) this.#idle.push(this.#spawn());
  }

  /** An idle thread that is at its end. */
  #forget(executor: Executor): void {
    const position = this.#idle.indexOf(executor);
    if (position >= 0) this.#idle.splice(position, 1);
  }

  #release(executor: Executor): ThreadTask {
    const task = executor.task!;
    executor.task = undefined;
    executor.log?.close();
    executor.log = undefined;
    this.#busy.delete(attemptKey(task.attempt));
    return task;
  }

  /** What user code prints goes to a log of its attempt. */
  #print(executor: Executor, bytes: Uint8Array): void {
    const { task } = executor;
    if (!task) return;
    const name = `${attemptFileName(task.attempt, task.maps)}.log`;
    executor.log ??= new PrintedLog(join(this.#options.logsDirectory, name));
    executor.log.write(bytes);
  }
}

/** 0 while it cannot be asked, which takes a file to open: the next look asks again. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch (error) {
    if (isForManyOpen(error)) return 0;
    throw error;
  }
}

/** A list is the same only as the very same object: it is copied for the thread, and that takes longer than a short reduce. */
function tellSources(executor: Executor, sources: ThreadSources): void {
  if (executor.sources === sources) return;
  executor.sources = sources;
  executor.thread.postMessage({ type: 'sources', sources } satisfies SourcesKnown);
}

function failureOfExit(error: (Error & { code?: string }) | undefined, code: number) {
  if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { kind: 'memory', message: 'user code used up the memory of its executor' } as const;
  }
  if (error) return { kind: 'user', message: failureText(error) } as const;
  return { kind: 'exit', message: `user code ended its executor with process.exit(${code})` } as const;
}

/**
 * A worker for real: the worker machine with a session to the master, executors and files around it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRun, Effect, OutputsLearn } from '../../core/effects.js';
import { type AttemptId, attemptKey, lifeName, type NodeId } from '../../core/ids.js';
import type { WorkerSetup } from '../../core/worker/state.js';
import { Burst } from '../burst.js';
import { forgetAttempt, mapFile } from '../executor/attempt-files.js';
import { ExecutorPool } from '../executor/executor-pool.js';
import type { ThreadResult, ThreadSources } from '../executor/messages.js';
import { keepHeapsSmall } from '../process/engine.js';
import { FetchError } from '../shuffle/fetch-error.js';
import type { ReduceInputs } from '../shuffle/reduce-inputs.js';
import type { ShuffleServer } from '../shuffle/server.js';
import { StoreDamagedError } from '../store/damage.js';
import type { Files } from '../store/ports.js';
import type { CrashPoints } from './crash-points.js';
import { DialingNode, type DialingNodeOptions } from './dialing-node.js';
import { HeldOutputs } from './held-outputs.js';
import { attemptFileName, type RunLayout, tracePath } from './layout.js';
import { type OrderExcerpt, OrderExcerpts } from './order-excerpts.js';

export interface WorkerNodeOptions extends DialingNodeOptions, WorkerSetup {
  readonly layout: RunLayout;
  readonly files: Files;
  /** The folder of the sockets through which workers read each other's map outputs, when those lie with the workers. */
  readonly shuffleDirectory?: string;
  /** Bound of each executor's heap. */
  readonly heapMiB: number;
  readonly points: CrashPoints;
  /** Which attempt of its task one is: there in rehearsals that have to do with that. */
  ordinalOf?(attempt: AttemptId): Promise<number>;
}

interface RunningAttempt {
  readonly run: AttemptRun;
  /** Unix time in milliseconds. */
  readonly begunAtMs: number;
  started: boolean;
  /** Which attempt of its task it is, once somebody has said so. */
  ordinal: number | undefined;
  /** Of a reduce whose inputs lie with workers. */
  inputs?: ReduceInputs;
}

export class WorkerNode extends DialingNode<'worker'> {
  readonly #options: WorkerNodeOptions;
  readonly #pool: ExecutorPool;
  /** Where a job's map outputs are, as told by the master. */
  readonly #outputs = new Map<number, HeldOutputs>();
  /** Where this life's map attempts lie: in the common folder, or in one that nobody else reads. */
  readonly #work: string;
  /** Where map outputs lie with workers. */
  #shuffle: ShuffleServer | undefined;
  /** Attempts that wait for their work order or run, by their key. */
  readonly #running = new Map<string, RunningAttempt>();
  readonly #orders: OrderExcerpts;
  readonly #beat: NodeJS.Timeout;
  readonly #ends = new Burst();
  #isSmall = false;

  constructor(options: WorkerNodeOptions) {
    const { config, life, slots, previous, layout } = options;
    const setup = { role: 'worker', config, life, slots, ...(previous ? { previous } : {}) } as const;
    super('worker', setup, tracePath(layout, life.node, life.incarnation), options);
    this.#options = options;
    this.#orders = new OrderExcerpts(options.files);
    const { shuffleDirectory } = options;
    this.#work = shuffleDirectory === undefined ? layout.work : join(layout.work, lifeName(life));
    if (shuffleDirectory !== undefined) mkdirSync(this.#work, { mode: 0o700 });
    this.#pool = new ExecutorPool({
      slots,
      filesDirectory: layout.files,
      workDirectory: this.#work,
      bundleDirectory: layout.bundle,
      logsDirectory: layout.logs,
      heapMiB: options.heapMiB,
      ended: (attempt, result) => this.#ended(attempt, result),
    });
    this.#beat = setInterval(() => this.#tellProgress(), Math.max(50, config.beatUs / 2000));
  }

  async start(): Promise<void> {
    if (this.#options.shuffleDirectory !== undefined) await this.#handOut();
    this.driver.start();
  }

  /** Lets other workers fetch what lies here. */
  async #handOut(): Promise<void> {
    const { ShuffleServer } = await import('../shuffle/server.js');
    this.#shuffle = new ShuffleServer((attempt) => mapFile(this.#work, attempt));
    await this.#shuffle.listen(this.#shuffleSocket(this.#options.life.node));
  }

  #shuffleSocket(node: NodeId): string {
    return join(this.#options.shuffleDirectory!, `${node}.shuffle.sock`);
  }

  /** Modelled work takes `factor` times as long from now on. */
  slow(factor: number): void {
    this.#pool.slow(factor);
  }

  override async close(): Promise<void> {
    clearInterval(this.#beat);
    this.driver.stop();
    for (const { inputs } of this.#running.values()) inputs?.cancel();
    this.#shuffle?.close();
    await this.#pool.close();
    await super.close();
  }

  protected override performOwn(effect: Effect): void {
    switch (effect.type) {
      case 'attempt.run':
        this.#run(effect);
        return;
      case 'attempt.abort':
        this.#abort(effect.attempt);
        return;
      case 'outputs.learn':
        this.#learn(effect);
        return;
      case 'output.discard': {
        const directory = isReduce(effect) ? this.#orders.read(effect.attempt.job)?.attempts : this.#work;
        if (directory !== undefined) forgetAttempt(effect, directory);
        return;
      }
      case 'job.discard':
        this.#outputs.delete(effect.job);
        this.#orders.forget(effect.job);
        return;
    }
  }

  #run(effect: AttemptRun): void {
    const running = { run: effect, begunAtMs: Date.now(), started: false, ordinal: undefined };
    this.#running.set(attemptKey(effect.attempt), running);
    const order = this.#orders.read(effect.attempt.job);
    // Mostly without a turn in between: the thread works on while this process reports the attempt before.
    const waits = order === undefined || this.#fetches(effect) || this.#options.ordinalOf;
    if (waits) void this.#prepare(running);
    else this.#begin(running, order, this.#sourcesOf(effect));
  }

  /** What is known of the outputs that a reduce reads, by map; nothing for a map. */
  #sourcesOf(run: AttemptRun): ThreadSources | undefined {
    return isReduce(run) ? this.#outputsOf(run.attempt.job).inOrder(run.maps) : undefined;
  }

  #outputsOf(job: number): HeldOutputs {
    let outputs = this.#outputs.get(job);
    if (!outputs) this.#outputs.set(job, (outputs = new HeldOutputs()));
    return outputs;
  }

  /** Begins the attempt when what it needs is there. */
  async #prepare(running: RunningAttempt): Promise<void> {
    const { run } = running;
    const key = attemptKey(run.attempt);
    try {
      if (this.#options.ordinalOf) running.ordinal = await this.#options.ordinalOf(run.attempt);
      const order = await this.#orders.of(run);
      if (!this.#running.has(key)) return; // aborted meanwhile
      const sources = await this.#sourcesFor(running, order);
      if (this.#running.has(key)) this.#begin(running, order, sources);
      else running.inputs?.remove(); // aborted when all was there already
    } catch (error) {
      this.#giveUp(running, error as Error);
    }
  }

  #begin(running: RunningAttempt, order: OrderExcerpt, sources: ThreadSources | undefined): void {
    const { run, ordinal, begunAtMs } = running;
    running.started = true;
    try {
      this.#options.points.reach('attempt.before_write', { attempt: run.attempt, ordinal });
      const { attempts: attemptsDirectory } = order;
      this.#pool.run({ ...run, ordinal, type: 'task', attemptsDirectory, begunAtMs }, sources);
    } catch (error) {
      this.#giveUp(running, error as Error);
    }
  }

  /** Whether the attempt's inputs lie with workers, from whom they are fetched. */
  #fetches(run: AttemptRun): boolean {
    return this.#options.shuffleDirectory !== undefined && isReduce(run) && run.maps > 0;
  }

  #giveUp({ run: { attempt }, inputs }: RunningAttempt, error: Error): void {
    inputs?.remove();
    if (!this.#running.delete(attemptKey(attempt))) return;
    if (error instanceof StoreDamagedError) return this.#options.failed(error);
    if (error instanceof FetchError) {
      const { source, reason } = error;
      this.driver.feed({ type: 'attempt.starved', attempt, source, reason });
      return;
    }
    this.driver.feed({ type: 'attempt.broke', attempt, failure: { kind: 'disk', message: error.message } });
  }

  /** What the attempt reads: known as far as it is, or, where outputs lie with workers, fetched from them. */
  async #sourcesFor(
    running: RunningAttempt,
    { packShuffle }: OrderExcerpt,
  ): Promise<ThreadSources | undefined> {
    const { attempt, maps } = running.run;
    if (!this.#fetches(running.run)) return this.#sourcesOf(running.run);
    const { ReduceInputs } = await import('../shuffle/reduce-inputs.js');
    if (!this.#running.has(attemptKey(attempt))) return undefined; // aborted meanwhile
    const inputs = new ReduceInputs({
      maps,
      lz4: packShuffle,
      partition: attempt.task - maps,
      directory: join(this.#work, `${attemptFileName(attempt, maps)}.inputs`),
      node: this.#options.life.node,
      addressOf: (holder) => this.#shuffleSocket(holder),
      onProgress: (bytes, waiting) => {
        const progress = { done: bytes, total: 2 * bytes, waiting };
        if (bytes > 0 || waiting) this.driver.feed({ type: 'attempt.progressed', attempt, ...progress });
      },
    });
    running.inputs = inputs;
    inputs.learn(this.#outputsOf(attempt.job).byMap);
    return await inputs.gather();
  }

  #abort(attempt: AttemptId): void {
    const running = this.#running.get(attemptKey(attempt));
    if (running?.started) {
      this.#pool.abort(attempt);
    } else if (running) {
      this.#running.delete(attemptKey(attempt));
      running.inputs?.cancel();
      this.driver.feed({ type: 'attempt.aborted', attempt });
    }
  }

  #learn({ job, from, changes }: OutputsLearn): void {
    if (from === 0) this.#outputs.delete(job);
    const outputs = this.#outputsOf(job);
    outputs.learn(changes);
    for (const { run, started, inputs } of this.#running.values()) {
      if (inputs && run.attempt.job === job) inputs.learn(outputs.byMap);
      const reads = started && !inputs && run.attempt.job === job && isReduce(run);
      if (reads) this.#pool.tellSources(run.attempt, outputs.inOrder(run.maps));
    }
  }

  #ended(attempt: AttemptId, result: ThreadResult | { readonly type: 'aborted' }): void {
    const running = this.#running.get(attemptKey(attempt));
    running?.inputs?.remove();
    this.#running.delete(attemptKey(attempt));
    if (!this.#isSmall && this.#ends.hurries()) {
      this.#isSmall = true;
      keepHeapsSmall();
    }
    switch (result.type) {
      case 'finished': {
        const { digest, bytes, records, inputs, counters, heaviest } = result;
        const on = { attempt, ordinal: running?.ordinal };
        this.#options.points.reach('attempt.after_write_before_report', on);
        const output = { digest, bytes, records, inputs };
        this.driver.feed({
          type: 'attempt.finished',
          attempt,
          output,
          counters,
          ...(heaviest ? { heaviest } : {}),
        });
        return;
      }
      case 'broke':
        this.driver.feed({ type: 'attempt.broke', attempt, failure: result.failure });
        return;
      case 'starved':
        this.driver.feed({ type: 'attempt.starved', attempt, source: result.source, reason: result.reason });
        return;
      case 'store-damaged':
        this.#options.failed(new StoreDamagedError(result.message));
        return;
      case 'aborted':
        this.driver.feed({ type: 'attempt.aborted', attempt });
        return;
    }
  }

  #tellProgress(): void {
    for (const { attempt, done, total, waiting } of this.#pool.progress()) {
      const fetched = this.#running.get(attemptKey(attempt))?.inputs?.bytes ?? 0;
      const progress = { done: fetched + done, total: fetched + total, waiting };
      if (progress.done > 0 || waiting)
        this.driver.feed({ type: 'attempt.progressed', attempt, ...progress });
    }
  }
}

function isReduce({ attempt, maps }: { readonly attempt: AttemptId; readonly maps: number }): boolean {
  return attempt.task >= maps;
}

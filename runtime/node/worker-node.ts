/**
 * A worker for real: the worker machine with a session to the master, executors and files around it.
 */
import type { AttemptRun, Effect, OutputsLearn } from '../../core/effects.js';
import { type AttemptId, attemptKey } from '../../core/ids.js';
import type { WorkerSetup } from '../../core/worker/state.js';
import { attemptsPath } from '../data/publish.js';
import { forgetAttempt } from '../executor/attempt-files.js';
import { ExecutorPool } from '../executor/executor-pool.js';
import type { ThreadResult, ThreadSource } from '../executor/messages.js';
import type { Files } from '../store/ports.js';
import type { CrashPoints } from './crash-points.js';
import { DialingNode, type DialingNodeOptions } from './dialing-node.js';
import { type RunLayout, tracePath } from './layout.js';
import { loadWorkOrder } from './work-order.js';

export interface WorkerNodeOptions extends DialingNodeOptions, WorkerSetup {
  readonly layout: RunLayout;
  readonly files: Files;
  /** Bound of each executor's heap. */
  readonly heapMiB: number;
  readonly points: CrashPoints;
}

interface RunningAttempt {
  readonly run: AttemptRun;
  /** Unix time in milliseconds. */
  readonly begunAtMs: number;
  started: boolean;
}

export class WorkerNode extends DialingNode<'worker'> {
  readonly #options: WorkerNodeOptions;
  readonly #pool: ExecutorPool;
  /** Where a job's map outputs are, as told by the master: by job, then by map task. */
  readonly #outputs = new Map<number, Map<number, ThreadSource>>();
  /** Attempts that wait for their work order or run, by their key. */
  readonly #running = new Map<string, RunningAttempt>();
  /** Where the reduce attempts of a job lie: told by its work order, which is large and read once. */
  readonly #attemptsDirectories = new Map<number, Promise<string>>();
  readonly #beat: NodeJS.Timeout;

  constructor(options: WorkerNodeOptions) {
    const { config, life, slots, previous, layout } = options;
    const setup = { role: 'worker', config, life, slots, ...(previous ? { previous } : {}) } as const;
    super('worker', setup, tracePath(layout, life.node, life.incarnation), options);
    this.#options = options;
    this.#pool = new ExecutorPool({
      slots,
      filesDirectory: layout.files,
      workDirectory: layout.work,
      bundleDirectory: layout.bundle,
      logsDirectory: layout.logs,
      heapMiB: options.heapMiB,
      ended: (attempt, result) => this.#ended(attempt, result),
    });
    this.#beat = setInterval(() => this.#tellProgress(), Math.max(50, config.beatUs / 2000));
  }

  start(): void {
    this.driver.start();
  }

  /** Modelled work takes `factor` times as long from now on. */
  slow(factor: number): void {
    this.#pool.slow(factor);
  }

  override async close(): Promise<void> {
    clearInterval(this.#beat);
    this.driver.stop();
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
        const { attempt, maps } = effect;
        if (attempt.task < maps) forgetAttempt({ attempt, maps }, this.#options.layout.work);
        else void this.#attemptsDirectories.get(attempt.job)?.then((path) => forgetAttempt(effect, path));
        return;
      }
      case 'job.discard':
        this.#outputs.delete(effect.job);
        this.#attemptsDirectories.delete(effect.job);
        return;
    }
  }

  #run(effect: AttemptRun): void {
    const running = { run: effect, begunAtMs: Date.now(), started: false };
    this.#running.set(attemptKey(effect.attempt), running);
    void this.#start(running);
  }

  /** What is known of the outputs that a reduce reads, by map; nothing for a map. */
  #sourcesOf({ attempt, maps }: AttemptRun): (ThreadSource | undefined)[] {
    if (attempt.task < maps) return [];
    const known = this.#outputs.get(attempt.job);
    return Array.from({ length: maps }, (_, task) => known?.get(task));
  }

  async #start(running: RunningAttempt): Promise<void> {
    const { run } = running;
    const { attempt } = run;
    try {
      const attemptsDirectory = await this.#attemptsDirectory(run);
      if (!this.#running.has(attemptKey(attempt))) return; // aborted meanwhile
      running.started = true;
      this.#options.points.reach(
        attempt.task < run.maps ? 'worker.map.before_run' : 'worker.reduce.before_run',
      );
      const sources = this.#sourcesOf(run);
      this.#pool.run({ ...run, type: 'task', sources, attemptsDirectory, begunAtMs: running.begunAtMs });
    } catch (error) {
      if (!this.#running.delete(attemptKey(attempt))) return;
      const failure = { kind: 'disk', message: (error as Error).message } as const;
      this.driver.feed({ type: 'attempt.broke', attempt, failure });
    }
  }

  #attemptsDirectory({ attempt, work, output }: AttemptRun): Promise<string> {
    let directory = this.#attemptsDirectories.get(attempt.job);
    if (!directory) {
      directory = loadWorkOrder(this.#options.files, work).then(({ runId }) => attemptsPath(output, runId));
      // Whoever waits for it hears of a failure; the next attempt tries again.
      directory.catch(() => this.#attemptsDirectories.delete(attempt.job));
      this.#attemptsDirectories.set(attempt.job, directory);
    }
    return directory;
  }

  #abort(attempt: AttemptId): void {
    const running = this.#running.get(attemptKey(attempt));
    if (running?.started) {
      this.#pool.abort(attempt);
    } else if (running) {
      this.#running.delete(attemptKey(attempt));
      this.driver.feed({ type: 'attempt.aborted', attempt });
    }
  }

  #learn({ job, from, changes }: OutputsLearn): void {
    let known = this.#outputs.get(job);
    if (!known || from === 0) this.#outputs.set(job, (known = new Map()));
    for (const { attempt, digest, holder } of changes) {
      if (holder === undefined) known.delete(attempt.task);
      else known.set(attempt.task, { attempt, digest });
    }
    for (const { run, started } of this.#running.values()) {
      const reads = started && run.attempt.job === job && run.attempt.task >= run.maps;
      if (reads) this.#pool.tellSources(run.attempt, this.#sourcesOf(run));
    }
  }

  #ended(attempt: AttemptId, result: ThreadResult | { readonly type: 'aborted' }): void {
    this.#running.delete(attemptKey(attempt));
    switch (result.type) {
      case 'finished': {
        const { digest, bytes, records, inputs, counters, heaviest } = result;
        this.#options.points.reach('attempt.after_write_before_report', { attempt });
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
      case 'aborted':
        this.driver.feed({ type: 'attempt.aborted', attempt });
        return;
    }
  }

  #tellProgress(): void {
    for (const progress of this.#pool.progress()) {
      if (progress.done > 0 || progress.waiting)
        this.driver.feed({ type: 'attempt.progressed', ...progress });
    }
  }
}

/**
 * The whole job in this process, one task after the other, without master or workers: what `--sequential` runs. It
 * follows the same plan through the same lanes, and publishes the same way, so its output is the same byte for byte and
 * its memory is bounded the same way. What map tasks make lies beside the output until the job is done.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { skipsMax } from '../../core/durable/skips.js';
import { addCounters } from '../../jobs/plain.js';
import type { Counters, Job, ParamValues, TaskSetting } from '../../jobs/types.js';
import { onDisk } from './disk.js';
import { blamedRecord } from './errors.js';
import type { ReduceSource } from './gather.js';
import type { InputFile } from './input-file.js';
import { runMapAttempt } from './map-attempt.js';
import { runMapOnlyAttempt } from './map-only-attempt.js';
import type { SplitPlan } from './plan.js';
import { attemptsPath, type Part } from './publish.js';
import { runReduceAttempt } from './reduce-attempt.js';

export interface SequentialOptions {
  readonly job: Job;
  readonly plan: SplitPlan<InputFile>;
  readonly reduces: number;
  readonly budgetBytes: number;
  /** For a job that partitions by range. */
  readonly boundaries?: readonly string[] | undefined;
  readonly params: ParamValues;
  readonly seed: string;
  /** Where to publish; its workspace must have been prepared under `runId`. */
  readonly output: string;
  readonly runId: string;
  /** A record at which a task fails twice is left out, as a distributed run would. */
  readonly skipBadRecords?: boolean;
}

export interface SequentialPart extends Part {
  /** sha256 of the text, in lowercase hex. */
  readonly digest: string;
  readonly bytes: number;
}

export interface SequentialResult {
  /** The part files, ready for `publishOutput`. */
  readonly parts: readonly SequentialPart[];
  readonly counters: Counters;
}

/** Makes the part files of a job in its workspace, by `map` where that has a `mapBytes` beside it. Throws what the attempts throw. */
export async function runSequential(options: SequentialOptions): Promise<SequentialResult> {
  if (options.job.reduce === 'none') return await mapOnly(options);
  return await mapAndReduce({ ...options, job: { ...options.job, mapBytes: undefined } });
}

async function mapAndReduce(options: SequentialOptions): Promise<SequentialResult> {
  const directory = join(attemptsPath(options.output, options.runId), 'sequential-maps');
  onDisk(directory, () => mkdirSync(directory));
  try {
    const counters: Counters[] = [];
    const sources = await mapAll(options, directory, counters);
    const parts = await reduceAll(options, sources, counters);
    return { parts, counters: addCounters(counters) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function mapAll(
  options: SequentialOptions,
  directory: string,
  counters: Counters[],
): Promise<ReduceSource[]> {
  const { plan } = options;
  const sources: ReduceSource[] = [];
  for (const [task, ranges] of plan.splits.entries()) {
    const path = join(directory, String(task));
    const name = `map-${task}`;
    const shared = { ...attemptOf(options, path), files: plan.files, ranges };
    const made = await withoutBadRecords(options, name, (tried) => runMapAttempt({ ...shared, ...tried }));
    sources.push({ task, path });
    counters.push(made.counters);
  }
  return sources;
}

async function reduceAll(
  options: SequentialOptions,
  sources: readonly ReduceSource[],
  counters: Counters[],
): Promise<SequentialPart[]> {
  const parts: SequentialPart[] = [];
  for (let partition = 0; partition < options.reduces; partition++) {
    const path = join(attemptsPath(options.output, options.runId), `sequential-${partition}`);
    const name = `reduce-${partition}`;
    const shared = { ...attemptOf(options, path), partition, sources };
    const made = await withoutBadRecords(options, name, (tried) => runReduceAttempt({ ...shared, ...tried }));
    parts.push({ partition, path, digest: made.digest, bytes: made.bytes });
    counters.push(made.counters);
  }
  return parts;
}

function attemptOf(options: SequentialOptions, target: string) {
  const { job, reduces, budgetBytes, boundaries } = options;
  return { job, reduces, budgetBytes, boundaries, target, privateDirectory: `${target}.runs` };
}

/** A job without reduce: each split makes a part. */
async function mapOnly(options: SequentialOptions): Promise<SequentialResult> {
  const { job, plan, output, runId } = options;
  const parts: SequentialPart[] = [];
  const counters: Counters[] = [];
  for (const [partition, ranges] of plan.splits.entries()) {
    const path = join(attemptsPath(output, runId), `sequential-${partition}`);
    const made = await withoutBadRecords(options, `map-${partition}`, (tried) =>
      runMapOnlyAttempt({ job, files: plan.files, ranges, ...tried, target: path }),
    );
    parts.push({ partition, path, digest: made.digest, bytes: made.bytes });
    counters.push(made.counters);
  }
  return { parts, counters: addCounters(counters) };
}

/** What one attempt at a task has of its own. */
interface Tried {
  readonly context: TaskSetting;
  readonly skip: readonly string[];
}

/** Runs a task again and again, each time without the records at which it has failed twice. */
async function withoutBadRecords<T>(
  { runId, params, seed, skipBadRecords = false }: SequentialOptions,
  task: string,
  run: (tried: Tried) => Promise<T>,
): Promise<T> {
  const failures = new Map<string, number>();
  for (let n = 1; ; n++) {
    const skip = [...failures].filter(([, times]) => times > 1).map(([record]) => record);
    try {
      return await run({ context: { task, attempt: `${runId}.${task}.n${n}`, params, seed }, skip });
    } catch (error) {
      const record = blamedRecord(error);
      if (!skipBadRecords || record === undefined || skip.length >= skipsMax) throw error;
      failures.set(record, (failures.get(record) ?? 0) + 1);
    }
  }
}

/**
 * One attempt at a reduce task: merges its partition of every map's output, runs the user's `reduce` for each key,
 * and leaves one text file, sorted by key.
 *
 * Where `reduce` is one of the known functions the kernel does it (kernel-reduce.ts), with the same result.
 *
 * Records come in the order (key by UTF-8 bytes, map, emission), whatever the fan-in. Values are streamed; nothing
 * here holds more than one buffer per open file and the values that user code keeps.
 */
import { isPromise } from '../../jobs/maybe-promise.js';
import { groups, mergeRecords } from '../../jobs/merge.js';
import { formatterOf } from '../../jobs/output-format.js';
import { ReduceTask } from '../../jobs/reduce-task.js';
import type { Job, KeyValue, TaskSetting } from '../../jobs/types.js';
import { NotForKernelError } from '../../kernel/kernel.js';
import { commandsOf } from '../commands/command-job.js';
import { reduceThrough } from '../commands/reduce-program.js';
import { type AttemptResult, blame, breathe, FailureMemory, type Progress } from './attempt.js';
import { isKernelReduce, runKernelReduce } from './kernel-reduce.js';
import {
  FAN_IN_DEFAULT,
  narrowRuns,
  openRuns,
  progressOf,
  RunDirectory,
  type RunReadOptions,
} from './runs.js';
import { TextFile } from './text-file.js';

/** The committed output of one map task. */
export interface ReduceSource {
  /** Index of the map task, for blame. */
  readonly task: number;
  readonly path: string;
}

export interface ReduceAttemptOptions {
  readonly job: Job;
  readonly partition: number;
  /** The outputs of all maps in map order. */
  readonly sources: readonly ReduceSource[];
  /** Bounds the read buffers; does not change the result. */
  readonly budgetBytes: number;
  /** `task` is `reduce-<partition>`. */
  readonly context: TaskSetting;
  /** A directory of this attempt's own for merged runs; made when needed, removed in the end. */
  readonly privateDirectory: string;
  /** The file to be made, in a directory that exists on the output's file system. */
  readonly target: string;
  /** How many runs are merged at once; does not change the result. */
  readonly fanIn?: number;
  readonly progress?: Progress;
}

const BUFFER_BYTES_MIN = 4 * 1024;
const BUFFER_BYTES_MAX = 64 * 1024;
const GROUPS_PER_BREATH = 4096;

/**
 * Runs the attempt. Throws SourceError with the map whose output cannot be read, UserCodeError with the key,
 * DiskError, and AttemptAborted once the signal is aborted.
 */
export async function runReduceAttempt(options: ReduceAttemptOptions): Promise<AttemptResult> {
  if (isKernelReduce(options.job)) {
    try {
      return await runKernelReduce(options);
    } catch (error) {
      if (!(error instanceof NotForKernelError)) throw error;
    }
  }
  return await runGeneralReduce(options);
}

async function runGeneralReduce(options: ReduceAttemptOptions): Promise<AttemptResult> {
  const { job, partition, target, fanIn = FAN_IN_DEFAULT, budgetBytes, context } = options;
  const directory = new RunDirectory(options.privateDirectory);
  const bufferBytes = Math.max(BUFFER_BYTES_MIN, Math.min(BUFFER_BYTES_MAX, Math.floor(budgetBytes / fanIn)));
  const reading: RunReadOptions = { bufferBytes, onRead: progressOf(options, fanIn) };
  try {
    const pause = (): Promise<void> => breathe(context.signal);
    const { orderValues } = job;
    const narrowing = { fanIn, partitions: [partition], orderValues, directory, pause, ...reading };
    const narrowed = await narrowRuns(options.sources, narrowing);
    const open = openRuns(narrowed.runs);
    try {
      const sources = (memory: FailureMemory): Iterator<KeyValue>[] =>
        open.map((run) => kept(run.decoded(narrowed.partitions[0]!, reading), memory));
      const file = new TextFile(target);
      const { counters, heaviest } = await reduceAll(options, file, sources).catch((error: unknown) => {
        file.abandon();
        throw error;
      });
      const records = counters.find(([name]) => name === 'reduce.records.out')?.[1] ?? 0;
      const found = heaviest ? { heaviest } : {};
      return { ...file.finish(), records, counters, spills: directory.count, ...found };
    } finally {
      for (const run of open) run.close();
    }
  } finally {
    directory.remove();
  }
}

/** Runs the reduce task over all sources. */
async function reduceAll(
  options: ReduceAttemptOptions,
  file: TextFile,
  open: (memory: FailureMemory) => Iterator<KeyValue>[],
): Promise<Pick<ReduceTask, 'counters' | 'heaviest'>> {
  const { job, context } = options;
  const memory = new FailureMemory();
  const commands = commandsOf(job);
  if (commands?.reducer !== undefined) {
    const records = mergeRecords(open(memory));
    const write = (line: string): void => memory.keep(() => file.write(line));
    const reducing = reduceThrough({ reducer: commands.reducer, commands, context, records, write });
    const counters = await reducing.catch((error: unknown) => {
      memory.check();
      throw blame(error, {}, context.signal);
    });
    return { counters, heaviest: undefined };
  }
  const format = formatterOf(job.outputFormat);
  const task = new ReduceTask({ job, context, write: (key, value) => file.write(format(key, value)) });
  let key: string | undefined;
  try {
    await task.start();
    let groupsDone = 0;
    for (const group of groups(mergeRecords(open(memory), job.orderValues))) {
      key = group.key;
      const reduced = task.reduceGroup(key, group.values);
      if (isPromise(reduced)) await reduced;
      memory.check();
      if (++groupsDone % GROUPS_PER_BREATH === 0) await breathe(context.signal);
    }
    key = undefined;
    await task.finish();
    return task;
  } catch (error) {
    memory.check();
    throw blame(error, key === undefined ? {} : { key }, context.signal);
  }
}

/** Records whose failures cannot be caught and forgotten by a reducer that reads them. */
function kept(records: Iterator<KeyValue>, memory: FailureMemory): Iterator<KeyValue> {
  return { next: () => memory.keep(() => records.next()) };
}

/**
 * One attempt at a reduce task: merges its partition of every map's output, runs the user's `reduce` for each key,
 * and leaves one text file, sorted by key.
 *
 * Where `reduce` is one of the known functions a kernel does it (kernel-reduce.ts, group-reduce.ts), with the same result.
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
import { gatherSources, type ReduceSource, type SourceFeed } from './gather.js';
import { runGroupReduce } from './group-reduce.js';
import { isForRows, isKernelReduce } from './kernel-jobs.js';
import { mergedRecords, mergeUntouched } from './kernel-merge.js';
import { runKernelReduce } from './kernel-reduce.js';
import { kernelOfThread } from './kernels.js';
import {
  FAN_IN_DEFAULT,
  narrowRuns,
  openRuns,
  partitionBytes,
  progressOf,
  type Run,
  RunDirectory,
  type RunReadOptions,
} from './runs.js';
import { sortSources } from './sort-sources.js';
import { TextFile } from './text-file.js';

export interface ReduceAttemptOptions {
  readonly job: Job;
  readonly partition: number;
  /** The outputs of all maps in map order; or, for an attempt that begins before they are all there, as they come. */
  readonly sources: readonly ReduceSource[] | SourceFeed;
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
  /** From how many bytes on the kernel merges for user code: making one takes longer than merging a few; does not change the result. */
  readonly kernelFromBytes?: number;
  readonly progress?: Progress;
  /** Told when it has to wait for more sources, and when it goes on. */
  readonly onWaiting?: (waiting: boolean) => void;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
}

const BUFFER_BYTES_MIN = 4 * 1024;
const BUFFER_BYTES_MAX = 64 * 1024;
const GROUPS_PER_BREATH = 4096;
const KERNEL_FROM_BYTES = 1024 * 1024;

/** An attempt whose sources are all there. */
export type GatheredReduce = Omit<ReduceAttemptOptions, 'sources' | 'onWaiting'> & {
  readonly sources: readonly Run[];
  /** For copies of sources. */
  readonly copies: RunDirectory;
};

/**
 * Runs the attempt. Throws SourceError with the map whose output cannot be read, UserCodeError with the key,
 * DiskError, and AttemptAborted once the signal is aborted.
 */
export async function runReduceAttempt(options: ReduceAttemptOptions): Promise<AttemptResult> {
  const copies = new RunDirectory(`${options.privateDirectory}.copies`);
  try {
    const gathered = await gather(options, copies);
    const fast = isKernelReduce(options.job)
      ? runKernelReduce
      : isForRows(options)
        ? runGroupReduce
        : undefined;
    if (fast !== undefined) {
      try {
        return await fast(gathered);
      } catch (error) {
        if (!(error instanceof NotForKernelError)) throw error;
      }
    }
    const sorted = { ...gathered, sources: await sortSources(gathered) };
    const bytes = partitionBytes(sorted.sources, options.partition);
    const { kernelFromBytes = KERNEL_FROM_BYTES } = options;
    if (sorted.job.orderValues === undefined && bytes >= kernelFromBytes) {
      try {
        return await runGeneralReduce(sorted, bytes, 'in kernel');
      } catch (error) {
        if (!(error instanceof NotForKernelError)) throw error;
      }
    }
    return await runGeneralReduce(sorted, bytes, 'plainly');
  } finally {
    copies.remove();
  }
}

/** Waits for all sources, and copies meanwhile what is there. */
async function gather(options: ReduceAttemptOptions, copies: RunDirectory): Promise<GatheredReduce> {
  const { sources, partition, progress, context, onWaiting } = options;
  if (!isFeed(sources)) return { ...options, sources, copies };
  let copiedBytes = 0;
  const runs = await gatherSources(sources, {
    partition,
    directory: copies,
    pause: () => breathe(context.signal),
    onWaiting,
    bufferBytes: bufferBytesOf(options),
    onRead: (bytes) => progress?.((copiedBytes += bytes), 2 * copiedBytes),
  });
  return {
    ...options,
    sources: runs,
    copies,
    progress: (done, total) => progress?.(copiedBytes + done, copiedBytes + total),
  };
}

function isFeed(sources: ReduceAttemptOptions['sources']): sources is SourceFeed {
  return 'known' in sources;
}

function bufferBytesOf({
  budgetBytes,
  fanIn = FAN_IN_DEFAULT,
}: Pick<ReduceAttemptOptions, 'budgetBytes' | 'fanIn'>): number {
  return Math.max(BUFFER_BYTES_MIN, Math.min(BUFFER_BYTES_MAX, Math.floor(budgetBytes / fanIn)));
}

/** Reduces in user code. Merging `in kernel` throws NotForKernelError where it has to be done `plainly`. */
async function runGeneralReduce(
  options: GatheredReduce,
  bytes: number,
  merging: 'in kernel' | 'plainly',
): Promise<AttemptResult> {
  const { job, partition, target, budgetBytes, fanIn = FAN_IN_DEFAULT, context } = options;
  const directory = new RunDirectory(options.privateDirectory);
  const reading: RunReadOptions = {
    bufferBytes: bufferBytesOf(options),
    onRead: progressOf(options, bytes, fanIn),
  };
  try {
    const pause = (): Promise<void> => breathe(context.signal);
    const { orderValues } = job;
    const kernel = merging === 'in kernel' ? kernelOfThread() : undefined;
    const how = kernel && { kernel, budgetBytes, onRead: reading.onRead };
    const narrowed = await narrowRuns(options.sources, {
      fanIn,
      partitions: [partition],
      orderValues,
      directory,
      pause,
      ...(how && { mergePartition: (...where) => mergeUntouched(...where, how) }),
      ...reading,
    });
    const open = openRuns(narrowed.runs);
    try {
      const from = narrowed.partitions[0]!;
      const merged = how
        ? mergedRecords(open, from, how)
        : mergeRecords(
            open.map((run) => run.decoded(from, reading)),
            orderValues,
          );
      const file = new TextFile(target);
      const { counters, heaviest } = await reduceAll(options, file, merged).catch((error: unknown) => {
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

/** Runs the reduce task over all records. */
async function reduceAll(
  options: GatheredReduce,
  file: TextFile,
  merged: Iterator<KeyValue>,
): Promise<Pick<ReduceTask, 'counters' | 'heaviest'>> {
  const { job, context, skip } = options;
  const memory = new FailureMemory();
  const records = kept(merged, memory);
  const commands = commandsOf(job);
  if (commands?.reducer !== undefined) {
    const write = (line: string): void => memory.keep(() => file.write(line));
    const reducing = reduceThrough({ reducer: commands.reducer, commands, context, records, write });
    const counters = await reducing.catch((error: unknown) => {
      memory.check();
      throw blame(error, {}, context.signal);
    });
    return { counters, heaviest: undefined };
  }
  const format = formatterOf(job.outputFormat);
  const write = (key: string, value: unknown): void => file.write(format(key, value));
  const task = new ReduceTask({ job, context, skip, write });
  let key: string | undefined;
  try {
    await task.start();
    let groupsDone = 0;
    for (const group of groups(records)) {
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
    throw blame(error, key === undefined ? {} : { key, record: task.record! }, context.signal);
  }
}

/** Records whose failures cannot be caught and forgotten by a reducer that reads them. */
function kept(records: Iterator<KeyValue>, memory: FailureMemory): IterableIterator<KeyValue> {
  const read = (): IteratorResult<KeyValue> => records.next();
  const own: IterableIterator<KeyValue> = { next: () => memory.keep(read), [Symbol.iterator]: () => own };
  return own;
}

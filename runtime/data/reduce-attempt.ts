/**
 * One attempt at a reduce task: merges its partition of every map's output, runs the user's `reduce` for each key,
 * and leaves one text file, sorted by key.
 *
 * Records come in the order (key by UTF-8 bytes, map, emission), whatever the fan-in. Values are streamed; nothing
 * here holds more than one buffer per open file and the values that user code keeps.
 */
import { isPromise } from '../../jobs/maybe-promise.js';
import { groups, mergeRecords } from '../../jobs/merge.js';
import { ReduceTask } from '../../jobs/reduce-task.js';
import { formatLine } from '../../jobs/text.js';
import type { Job, KeyValue, TaskSetting } from '../../jobs/types.js';
import { type AttemptResult, blame, breathe, FailureMemory, type Progress } from './attempt.js';
import { gatherSources, type ReduceSource, type SourceFeed } from './gather.js';
import {
  FAN_IN_DEFAULT,
  narrowingPasses,
  narrowRuns,
  OpenRun,
  openRuns,
  type Run,
  RunDirectory,
} from './runs.js';
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
  readonly progress?: Progress;
  /** Told when it has to wait for more sources, and when it goes on. */
  readonly onWaiting?: (waiting: boolean) => void;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
}

const BUFFER_BYTES_MIN = 4 * 1024;
const BUFFER_BYTES_MAX = 64 * 1024;
const GROUPS_PER_BREATH = 4096;

/**
 * Runs the attempt. Throws SourceError with the map whose output cannot be read, UserCodeError with the key,
 * DiskError, and AttemptAborted once the signal is aborted.
 */
export async function runReduceAttempt(options: ReduceAttemptOptions): Promise<AttemptResult> {
  const { partition, target, fanIn = FAN_IN_DEFAULT, budgetBytes, context } = options;
  const directory = new RunDirectory(options.privateDirectory);
  const early = new RunDirectory(`${options.privateDirectory}.early`);
  const bufferBytes = Math.max(BUFFER_BYTES_MIN, Math.min(BUFFER_BYTES_MAX, Math.floor(budgetBytes / fanIn)));
  try {
    const pause = (): Promise<void> => breathe(context.signal);
    let copiedBytes = 0;
    const onRead = (bytes: number): void => options.progress?.((copiedBytes += bytes), 2 * copiedBytes);
    const gathering = {
      partition,
      directory: early,
      pause,
      onWaiting: options.onWaiting,
      bufferBytes,
      onRead,
    };
    const sources: readonly Run[] = isFeed(options.sources)
      ? await gatherSources(options.sources, gathering)
      : options.sources;
    const reading = { bufferBytes, onRead: progressOf(options, sources, fanIn, copiedBytes) };
    const narrowing = { fanIn, partitions: [partition], directory, pause, ...reading };
    const narrowed = await narrowRuns(sources, narrowing);
    const open = openRuns(narrowed.runs);
    try {
      const records = (memory: FailureMemory): Iterator<KeyValue>[] =>
        open.map((run) => kept(run.decoded(narrowed.partitions[0]!, reading), memory));
      const file = new TextFile(target);
      const { counters, heaviest } = await reduceAll(options, file, records).catch((error: unknown) => {
        file.abandon();
        throw error;
      });
      const written = counters.find(([name]) => name === 'reduce.records.out')?.[1] ?? 0;
      const found = heaviest ? { heaviest } : {};
      return { ...file.finish(), records: written, counters, spills: directory.count, ...found };
    } finally {
      for (const run of open) run.close();
    }
  } finally {
    directory.remove();
    early.remove();
  }
}

function isFeed(sources: ReduceAttemptOptions['sources']): sources is SourceFeed {
  return 'changed' in sources;
}

/** Runs the reduce task over all sources. */
async function reduceAll(
  options: ReduceAttemptOptions,
  file: TextFile,
  open: (memory: FailureMemory) => Iterator<KeyValue>[],
): Promise<ReduceTask> {
  const { job, context, skip } = options;
  const memory = new FailureMemory();
  const write = (key: string, value: unknown): void => file.write(formatLine(key, value));
  const task = new ReduceTask({ job, context, skip, write });
  let key: string | undefined;
  try {
    await task.start();
    let groupsDone = 0;
    for (const group of groups(mergeRecords(open(memory)))) {
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
function kept(records: Iterator<KeyValue>, memory: FailureMemory): Iterator<KeyValue> {
  return { next: () => memory.keep(() => records.next()) };
}

/** Opens every source once, to find out early whether it can be read and how much there is to do. */
function progressOf(
  options: ReduceAttemptOptions,
  sources: readonly Run[],
  fanIn: number,
  copiedBytes: number,
): (bytes: number) => void {
  let bytesTotal = 0;
  for (const source of sources) {
    const run = new OpenRun(source);
    bytesTotal += run.bytesOf(options.partition);
    run.close();
  }
  bytesTotal = copiedBytes + bytesTotal * (1 + narrowingPasses(sources.length, fanIn));
  let bytesDone = copiedBytes;
  return (bytes) => {
    bytesDone += bytes;
    options.progress?.(Math.min(bytesDone, bytesTotal), bytesTotal);
  };
}

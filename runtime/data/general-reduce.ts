/** A reduce in user code, or in a program of the user: for any key and value, whatever becomes of them. */
import { isPromise } from '../../jobs/maybe-promise.js';
import { groups, mergeRecords } from '../../jobs/merge.js';
import { formatterOf } from '../../jobs/output-format.js';
import { ReduceTask } from '../../jobs/reduce-task.js';
import type { KeyValue } from '../../jobs/types.js';
import { commandsOf } from '../commands/command-job.js';
import { reduceThrough } from '../commands/reduce-program.js';
import { type AttemptResult, blame, breathe, FailureMemory } from './attempt.js';
import { mergedRecords, mergeUntouched } from './kernel-merge.js';
import { kernelOfThread } from './kernels.js';
import { bufferBytesOf, type GatheredReduce } from './reduce-options.js';
import {
  FAN_IN_DEFAULT,
  narrowRuns,
  openRuns,
  progressOf,
  RunDirectory,
  type RunReadOptions,
} from './runs.js';
import { TextFile } from './text-file.js';

const GROUPS_PER_BREATH = 4096;

/** Reduces in user code. Merging `in kernel` throws NotForKernelError where it has to be done `plainly`. */
export async function runGeneralReduce(
  options: GatheredReduce,
  bytes: number,
  merging: 'in kernel' | 'plainly',
): Promise<AttemptResult> {
  const { job, partition, target, budgetBytes, fanIn = FAN_IN_DEFAULT } = options;
  const directory = new RunDirectory(options.privateDirectory);
  const reading: RunReadOptions = {
    bufferBytes: bufferBytesOf(options),
    onRead: progressOf(options, bytes, fanIn),
  };
  try {
    const { orderValues } = job;
    const kernel = merging === 'in kernel' ? kernelOfThread() : undefined;
    const how = kernel && { kernel, budgetBytes, onRead: reading.onRead };
    const narrowed = await narrowRuns(options.sources, {
      fanIn,
      partitions: [partition],
      orderValues,
      directory,
      pause: breathe,
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
      throw blame(error, {});
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
      if (++groupsDone % GROUPS_PER_BREATH === 0) await breathe();
    }
    key = undefined;
    await task.finish();
    return task;
  } catch (error) {
    memory.check();
    throw blame(error, key === undefined ? {} : { key, record: task.record! });
  }
}

/** Records whose failures cannot be caught and forgotten by a reducer that reads them. */
function kept(records: Iterator<KeyValue>, memory: FailureMemory): IterableIterator<KeyValue> {
  const read = (): IteratorResult<KeyValue> => records.next();
  const own: IterableIterator<KeyValue> = { next: () => memory.keep(read), [Symbol.iterator]: () => own };
  return own;
}

/** Feeds the records of a split to a map task, from its `start` to its `finish`. */
import type { MapTask } from '../../jobs/map-task.js';
import { isPromise } from '../../jobs/maybe-promise.js';
import type { Job, TaskSetting } from '../../jobs/types.js';
import { commandsOf } from '../commands/command-job.js';
import { type PrintedBatch, throughMapper } from '../commands/map-program.js';
import { blame, breathe, type FailureMemory, type Progress } from './attempt.js';
import type { InputFile } from './input-file.js';
import { BrokenRecord, type RecordBatch } from './json-records.js';
import type { SplitRange } from './plan.js';
import { readRecords } from './records.js';
import { splitBytes } from './split-reader.js';

export interface MapRecordsOptions {
  readonly job: Job;
  readonly files: readonly InputFile[];
  readonly ranges: readonly SplitRange[];
  readonly context: TaskSetting;
  readonly progress?: Progress;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
}

/** What else there is to do, for whoever collects what is emitted. */
interface MapRecordsSteps {
  /** After some records, and before the next. */
  between?(): Promise<void> | undefined;
  /** The input has ended, `finish` is next. */
  ending?(): void;
}

/** Throws as the attempt does. */
export async function mapRecords(
  task: MapTask,
  options: MapRecordsOptions,
  memory: FailureMemory,
  steps: MapRecordsSteps = {},
): Promise<void> {
  const { ranges, progress } = options;
  const bytesTotal = splitBytes(ranges);
  let input: string | undefined;
  let offset = 0;
  let isMapping = true;
  try {
    await task.start();
    for await (const { file, records, bytesDone } of recordsFor(task, options)) {
      if (file && file.name !== input) task.openInput((input = file.name));
      for (const one of records) {
        offset = one.offset;
        if (one instanceof BrokenRecord) {
          if (task.leavesOut()) continue;
          one.error.record = task.record;
          throw one.error;
        }
        const mapped = task.offer(one.record, offset);
        if (isPromise(mapped)) await mapped;
      }
      memory.check();
      await steps.between?.();
      progress?.(bytesDone, bytesTotal);
      await breathe();
    }
    isMapping = false;
    steps.ending?.();
    await task.finish();
  } catch (error) {
    memory.check();
    const { record } = task;
    if (!isMapping || record === undefined) throw blame(error, {});
    throw blame(error, input === undefined ? { record } : { input, offset, record });
  }
}

/** The records of the split, or what the job's mapper makes of them. */
function recordsFor(
  task: MapTask,
  { job, files, ranges, context: setting, progress }: MapRecordsOptions,
): AsyncIterable<RecordBatch | PrintedBatch> {
  const batches = readRecords(files, ranges, job);
  const commands = commandsOf(job);
  if (!commands) return batches;
  const inputs = [...new Set(ranges.map(({ file }) => files[file]!.name))];
  const bytesTotal = splitBytes(ranges);
  task.programRead(0);
  const fed = (records: number, bytesDone: number): void => {
    task.programRead(records);
    progress?.(bytesDone, bytesTotal);
  };
  return throughMapper(batches, { commands, setting, context: task.context, inputs, fed });
}

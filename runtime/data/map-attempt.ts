/**
 * One attempt at a map task: reads its split, runs the user's `map`, and leaves one file of sorted segments, a
 * segment for each partition.
 *
 * Memory is bounded by the byte budget: when MapTask cuts a run at the budget, the run goes to a file of its own, and
 * the runs are merged at the end. Nothing is visible under the target's name before it is whole, and on failure
 * nothing is left.
 */
import { type MapRun, MapTask } from '../../jobs/map-task.js';
import { isPromise } from '../../jobs/maybe-promise.js';
import { combineRuns } from '../../jobs/merge.js';
import { recordsOf } from '../../jobs/plain.js';
import type { Job, KeyValue, TaskSetting } from '../../jobs/types.js';
import { encodeValue } from '../../jobs/values.js';
import { type AttemptResult, blame, breathe, FailureMemory, type Progress } from './attempt.js';
import type { InputFile } from './inputs.js';
import type { SplitRange } from './plan.js';
import { FAN_IN_DEFAULT, narrowRuns, openRuns, type Run, RunDirectory } from './runs.js';
import { SegmentWriter } from './segments.js';
import { readSplit, splitBytes } from './split-reader.js';

export interface MapAttemptOptions {
  readonly job: Job;
  /** All inputs of the job; ranges index them. */
  readonly files: readonly InputFile[];
  /** The split. */
  readonly ranges: readonly SplitRange[];
  readonly reduces: number;
  /** When to spill, in bytes as MapTask counts them. Part of the job: another budget may give another digest. */
  readonly budgetBytes: number;
  /** `task` is `map-<index>`. */
  readonly context: TaskSetting;
  /** A directory of this attempt's own for spilled runs; made when needed, removed in the end. */
  readonly privateDirectory: string;
  /** The file to be made, in a directory that exists. */
  readonly target: string;
  /** How many runs are merged at once; does not change the result. */
  readonly fanIn?: number;
  /** Force the file to the disk; without it, a crash of the machine may cost the attempt. */
  readonly sync?: boolean;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
  readonly progress?: Progress;
}

/**
 * Runs the attempt. Throws UserCodeError with input and offset, InputDataError, InputChangedError, DiskError, and
 * AttemptAborted once the signal is aborted.
 */
export async function runMapAttempt(options: MapAttemptOptions): Promise<AttemptResult> {
  const attempt = new MapAttempt(options);
  try {
    await attempt.map();
    return await attempt.write();
  } finally {
    attempt.cleanUp();
  }
}

class MapAttempt {
  readonly #options: MapAttemptOptions;
  readonly #task: MapTask;
  readonly #directory: RunDirectory;
  readonly #spilled: Run[] = [];
  readonly #memory = new FailureMemory();
  /** The run that was cut because the input had ended: it need not go to the disk. */
  #last: MapRun | undefined;
  #ending = false;

  constructor(options: MapAttemptOptions) {
    this.#options = options;
    this.#directory = new RunDirectory(options.privateDirectory);
    this.#task = new MapTask({
      job: options.job,
      reduces: options.reduces,
      budgetBytes: options.budgetBytes,
      context: options.context,
      skip: options.skip,
      onRun: (run) => {
        if (this.#ending) this.#last = run;
        else this.#memory.keep(() => this.#spill(run));
      },
    });
  }

  /** Feeds the lines of the split to the user's `map`. */
  async map(): Promise<void> {
    const { files, ranges, context, progress } = this.#options;
    const task = this.#task;
    const bytesTotal = splitBytes(ranges);
    let input: string | undefined;
    let offset = 0;
    try {
      await task.start();
      for await (const { file, lines, bytesDone } of readSplit(files, ranges)) {
        if (file.name !== input) task.openInput((input = file.name));
        for (const line of lines) {
          offset = line.offset;
          const mapped = task.offer(line.text, offset);
          if (isPromise(mapped)) await mapped;
        }
        this.#memory.check();
        progress?.(bytesDone, bytesTotal);
        await breathe(context.signal);
      }
      input = undefined;
      this.#ending = true;
      await task.finish();
    } catch (error) {
      this.#memory.check();
      const { record } = task;
      const site = input === undefined || record === undefined ? {} : { input, offset, record };
      throw blame(error, site, context.signal);
    }
  }

  /** Writes the target from the last run and, if there are any, the spilled ones. */
  async write(): Promise<AttemptResult> {
    const { target, reduces, sync = false } = this.#options;
    const spills = this.#spilled.length;
    const writer = new SegmentWriter(target, { partitions: reduces, sync });
    try {
      if (spills === 0) writeRun(writer, this.#last, reduces);
      else await this.#merge(writer);
      return { ...writer.finish(), counters: this.#task.counters, spills };
    } catch (error) {
      writer.abandon();
      throw error;
    }
  }

  cleanUp(): void {
    this.#directory.remove();
  }

  #spill(run: MapRun): void {
    const path = this.#directory.next();
    const writer = new SegmentWriter(path, { partitions: this.#options.reduces });
    try {
      writeRun(writer, run, this.#options.reduces);
      writer.finish();
    } catch (error) {
      writer.abandon();
      throw error;
    }
    this.#spilled.push({ path });
  }

  async #merge(writer: SegmentWriter): Promise<void> {
    const { job, reduces, context, fanIn = FAN_IN_DEFAULT } = this.#options;
    const partitions = Array.from({ length: reduces }, (_, partition) => partition);
    const pause = (): Promise<void> => breathe(context.signal);
    const narrowed = await narrowRuns(this.#spilled, {
      fanIn,
      partitions,
      directory: this.#directory,
      pause,
    });
    const site: { key?: string } = {};
    const combine: Job['combine'] = job.combine && ((key, values) => job.combine?.((site.key = key), values));
    const open = openRuns(narrowed.runs);
    try {
      for (const partition of partitions) {
        const sources: Iterator<KeyValue>[] = open.map((run) => run.decoded(partition, {}));
        if (this.#last !== undefined) sources.push(recordsOf(this.#last.partitions[partition]!));
        for (const [key, value] of combineRuns(sources, combine)) writer.write(key, encodeValue(value));
        writer.endPartition();
        await pause();
      }
    } catch (error) {
      throw blame(error, site, context.signal);
    } finally {
      for (const run of open) run.close();
    }
  }
}

/** Writes what one run holds; without a run, empty partitions. */
function writeRun(writer: SegmentWriter, run: MapRun | undefined, reduces: number): void {
  for (let partition = 0; partition < reduces; partition++) {
    for (const { key, values } of run?.partitions[partition] ?? []) {
      for (const value of values) writer.write(key, encodeValue(value));
    }
    writer.endPartition();
  }
}

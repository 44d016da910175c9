/**
 * The output of a map attempt while it grows: sorted runs that were spilled, and in the end one file of segments.
 *
 * Nothing is visible under the target's name before it is whole; `remove` leaves nothing but the target.
 */
import { combineRuns } from '../../jobs/merge.js';
import type { Counters, Job } from '../../jobs/types.js';
import type { Kernel } from '../../kernel/kernel.js';
import { type AttemptResult, blame, breathe } from './attempt.js';
import { mergeInKernel } from './kernel-merge.js';
import { operationOf } from './kernel-output.js';
import type { MapAttemptOptions } from './map-attempt.js';
import { FAN_IN_DEFAULT, narrowRuns, type OpenRun, openRuns, type Run, RunDirectory } from './runs.js';
import { encodeSegmentValue, SegmentWriter } from './segments.js';

/** Writes all partitions of a run, each ended. */
export type RunContent = (writer: SegmentWriter) => void;

export class MapOutput {
  readonly #options: MapAttemptOptions;
  readonly #directory: RunDirectory;
  readonly #kernel: Kernel | undefined;
  readonly #runs: Run[] = [];

  /** With a kernel, runs are merged there. */
  constructor(options: MapAttemptOptions, kernel?: Kernel) {
    this.#options = options;
    this.#kernel = kernel;
    this.#directory = new RunDirectory(options.privateDirectory);
  }

  /** Writes a run to a file of its own. */
  spill(content: RunContent): void {
    const path = this.#directory.next();
    writeFile(path, this.#options.reduces, false, content);
    this.#runs.push({ path });
  }

  /** Makes the target of the spilled runs and the last one. */
  async finish(last: RunContent, counters: () => Counters): Promise<AttemptResult> {
    const { target, reduces, sync = false } = this.#options;
    if (this.#runs.length === 0) {
      const summary = writeFile(target, reduces, sync, last);
      return { ...summary, counters: counters(), spills: 0 };
    }
    const spills = this.#runs.length;
    this.spill(last);
    const writer = new SegmentWriter(target, { partitions: reduces, sync });
    try {
      await this.#merge(writer);
      return { ...writer.finish(), counters: counters(), spills };
    } catch (error) {
      writer.abandon();
      throw error;
    }
  }

  /** Removes the runs. */
  remove(): void {
    this.#directory.remove();
  }

  async #merge(writer: SegmentWriter): Promise<void> {
    const { job, reduces, context, fanIn = FAN_IN_DEFAULT } = this.#options;
    const partitions = Array.from({ length: reduces }, (_, partition) => partition);
    const pause = (): Promise<void> => breathe(context.signal);
    const kernel = this.#kernel;
    const narrowed = await narrowRuns(this.#runs, {
      fanIn,
      partitions,
      orderValues: job.orderValues,
      directory: this.#directory,
      pause,
      ...(kernel && { mergePartition: (...where) => this.#mergeInKernel(kernel, false, ...where) }),
    });
    const open = openRuns(narrowed.runs);
    try {
      for (const partition of partitions) {
        if (kernel) this.#mergeInKernel(kernel, true, open, partition, writer);
        else this.#mergeGenerally(open, partition, writer);
        writer.endPartition();
        await pause();
      }
    } finally {
      for (const run of open) run.close();
    }
  }

  #mergeInKernel(
    kernel: Kernel,
    combined: boolean,
    open: readonly OpenRun[],
    partition: number,
    writer: SegmentWriter,
  ): void {
    const { job, budgetBytes } = this.#options;
    const how = { kernel, operation: operationOf(job)!, budgetBytes };
    const take = (bytes: Uint8Array): void => writer.writeEncoded(bytes, 0);
    mergeInKernel(open, partition, { as: 'records', combined }, take, how);
    writer.addRecords(kernel.mergedCounts().out);
  }

  #mergeGenerally(open: readonly OpenRun[], partition: number, writer: SegmentWriter): void {
    const { job, context } = this.#options;
    const site: { key?: string } = {};
    const combine: Job['combine'] = job.combine && ((key, values) => job.combine?.((site.key = key), values));
    const sources = open.map((run) => run.decoded(partition, {}));
    try {
      for (const [key, value] of combineRuns(sources, combine, job.orderValues)) {
        writer.write(key, encodeSegmentValue(value));
      }
    } catch (error) {
      throw blame(error, site, context.signal);
    }
  }
}

function writeFile(path: string, partitions: number, sync: boolean, content: RunContent) {
  const writer = new SegmentWriter(path, { partitions, sync });
  try {
    content(writer);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

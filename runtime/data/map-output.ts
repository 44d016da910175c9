/**
 * The output of a map attempt while it grows: sorted runs that were spilled, and in the end one file of segments.
 *
 * Nothing is visible under the target's name before it is whole; `remove` leaves nothing but the target.
 */
import { combineRecords, mergeRecords } from '../../jobs/merge.js';
import type { Counters, Job } from '../../jobs/types.js';
import { type AttemptResult, blame, breathe } from './attempt.js';
import { type KeyOrder, operationOf, outputOrder } from './kernel-jobs.js';
import { mergedRecords, mergeInKernel, mergeUntouched } from './kernel-merge.js';
import { kernelOfThread } from './kernels.js';
import type { MapAttemptOptions } from './map-options.js';
import { FAN_IN_DEFAULT, narrowRuns, type OpenRun, openRuns, type Run, RunDirectory } from './runs.js';
import { encodeSegmentValue } from './segments/format.js';
import { type SegmentWriter, writeSegments, writeSegmentsAsync } from './segments/writer.js';

/** Writes all partitions of a run, each ended. It may be sorted where it need not be. */
export type RunContent = (writer: SegmentWriter, order: KeyOrder) => void;

/**
 * How runs are merged: in the kernel, which combines numbers and lets any other value be combined by who asks for it; or
 * without it, which is slow and always works.
 */
export type Merging = 'numbers' | 'any values' | 'plainly';

export class MapOutput {
  readonly #options: MapAttemptOptions;
  readonly #directory: RunDirectory;
  readonly #merging: Merging;
  readonly #runs: Run[] = [];

  constructor(options: MapAttemptOptions, merging: Merging) {
    this.#options = options;
    this.#merging = merging;
    this.#directory = new RunDirectory(options.privateDirectory);
  }

  /** Writes a run to a file of its own. */
  spill(content: RunContent): void {
    const path = this.#directory.next();
    const { reduces } = this.#options;
    writeSegments(path, { partitions: reduces }, (writer) => content(writer, 'sorted'));
    this.#runs.push({ path });
  }

  /** Makes the target of the spilled runs and the last one. */
  async finish(last: RunContent, counters: () => Counters): Promise<AttemptResult> {
    const { job, target, reduces, sync = false } = this.#options;
    if (this.#runs.length === 0) {
      const order = outputOrder(job);
      const summary = writeSegments(target, { partitions: reduces, sync }, (writer) => last(writer, order));
      return { ...summary, counters: counters(), spills: 0 };
    }
    const spills = this.#runs.length;
    this.spill(last);
    const options = { partitions: reduces, sync };
    const summary = await writeSegmentsAsync(target, options, (writer) => this.#merge(writer));
    return { ...summary, counters: counters(), spills };
  }

  /** Removes the runs. */
  remove(): void {
    this.#directory.remove();
  }

  async #merge(writer: SegmentWriter): Promise<void> {
    const { job, reduces, fanIn = FAN_IN_DEFAULT } = this.#options;
    const partitions = Array.from({ length: reduces }, (_, partition) => partition);
    const narrowed = await narrowRuns(this.#runs, {
      fanIn,
      partitions,
      orderValues: job.orderValues,
      directory: this.#directory,
      pause: breathe,
      ...(this.#merging === 'plainly'
        ? {}
        : { mergePartition: (...where) => this.#mergeInKernel(false, ...where) }),
    });
    const open = openRuns(narrowed.runs);
    const isUntouched = this.#merging === 'any values' && job.combine === undefined;
    try {
      for (const partition of partitions) {
        if (this.#merging === 'numbers' || isUntouched) this.#mergeInKernel(true, open, partition, writer);
        else this.#mergeGenerally(open, partition, writer);
        writer.endPartition();
        await breathe();
      }
    } finally {
      for (const run of open) run.close();
    }
  }

  #mergeInKernel(
    combined: boolean,
    open: readonly OpenRun[],
    partition: number,
    writer: SegmentWriter,
  ): void {
    const { job, budgetBytes } = this.#options;
    const kernel = kernelOfThread();
    if (this.#merging === 'any values') {
      mergeUntouched(open, partition, writer, { kernel, budgetBytes });
      return;
    }
    const how = { kernel, operation: operationOf(job)!, budgetBytes };
    const take = (bytes: Uint8Array): void => writer.writeEncoded(bytes, 0);
    mergeInKernel(open, partition, { as: 'records', combined }, take, how);
    writer.addRecords(kernel.mergedCounts().out);
  }

  #mergeGenerally(open: readonly OpenRun[], partition: number, writer: SegmentWriter): void {
    const { job, budgetBytes } = this.#options;
    const site: { key?: string } = {};
    const combine: Job['combine'] = job.combine && ((key, values) => job.combine?.((site.key = key), values));
    const records =
      this.#merging === 'any values'
        ? mergedRecords(open, partition, { kernel: kernelOfThread(), budgetBytes })
        : mergeRecords(
            open.map((run) => run.decoded(partition, {})),
            job.orderValues,
          );
    try {
      for (const [key, value] of combine === undefined ? records : combineRecords(records, combine)) {
        writer.write(key, encodeSegmentValue(value));
      }
    } catch (error) {
      throw blame(error, site);
    }
  }
}

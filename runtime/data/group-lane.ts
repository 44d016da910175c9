/**
 * The lane of jobs that group JSON by a field and add up others: nothing of a line becomes a value, unless the kernel
 * finds the line odd. Such a line is looked at as the job's own `map` does, before the next one is taken.
 */
import { isUtf8 } from 'node:buffer';
import { columnsOf, keyedRow, NOT_UNDERSTOOD, parsed } from '../../jobs/grouping.js';
import type { Counters } from '../../jobs/types.js';
import { wellFormed } from '../../jobs/utf8.js';
import { NotForKernelError, PARTITIONS_MAX } from '../../kernel/kernel.js';
import type { RowColumn, RowKernel } from '../../kernel/row-kernel.js';
import { isForRows } from './kernel-jobs.js';
import { writePartitions } from './kernel-output.js';
import { kernelOfRows } from './kernels.js';
import type { MapAttemptOptions } from './map-options.js';
import type { MapOutput, RunContent } from './map-output.js';
import { readSplitThrough } from './split-reader.js';
import { lineAt, WholeLines } from './whole-lines.js';

/** Whether the lane may do. */
export function isForGrouping(options: MapAttemptOptions): boolean {
  return isForRows(options) && options.reduces <= PARTITIONS_MAX;
}

export class GroupLane {
  readonly #options: MapAttemptOptions;
  readonly #output: MapOutput;
  readonly #kernel: RowKernel = kernelOfRows()!;
  readonly #groupBy: string;
  readonly #columns: readonly RowColumn[];
  readonly #content: RunContent;
  /** In NDJSON a line that is not JSON is an error, and a blank one is no record. */
  readonly #isStrict: boolean;
  #lines = 0;
  #left = 0;

  constructor(options: MapAttemptOptions, output: MapOutput) {
    const { job, reduces, budgetBytes } = options;
    this.#options = options;
    this.#output = output;
    this.#groupBy = job.groupBy!;
    this.#columns = columnsOf(job.aggregates!);
    this.#isStrict = job.inputFormat === 'ndjson';
    this.#kernel.open({ groupBy: this.#groupBy, columns: this.#columns, budgetBytes, partitions: reduces });
    this.#content = contentOf(this.#kernel, reduces);
  }

  get counters(): Counters {
    return [
      ...(this.#left > 0 ? [[NOT_UNDERSTOOD, this.#left] as const] : []),
      ['map.records.in', this.#lines],
      ['map.records.out', this.#lines - this.#left],
    ];
  }

  /** Groups the whole split and gives the last run. */
  async run(): Promise<RunContent> {
    const take = (from: number, to: number): void => this.#take(from, to);
    await readSplitThrough(this.#options, (_, range) => new WholeLines(range, this.#kernel.input, take));
    return this.#content;
  }

  /** Takes whole lines of the kernel's input. */
  #take(from: number, to: number): void {
    const input = Buffer.from(this.#kernel.input.buffer, this.#kernel.input.byteOffset, to);
    if (!isUtf8(input.subarray(from))) {
      for (let at = from; at < to; ) at = this.#takeOdd(input, at);
      return;
    }
    for (let at = from; at < to; ) {
      const { next, lines, left, isOdd } = this.#kernel.groupLines(at, to);
      this.#lines += lines;
      this.#left += left;
      at = next;
      if (this.#kernel.full) this.#spill();
      else if (isOdd) at = this.#takeOdd(input, at);
    }
  }

  /** Takes one line in the way of `map`. Returns where the next begins. */
  #takeOdd(input: Buffer, from: number): number {
    const { text, next } = lineAt(input, from);
    if (this.#isStrict && text.trim() === '') return next;
    const record = parsed(text);
    if (record === undefined && this.#isStrict) throw new NotForKernelError('a line is not JSON');
    this.#lines++;
    const found = keyedRow(record, this.#groupBy, this.#columns);
    if (found === undefined) this.#left++;
    else {
      this.#kernel.addRow(Buffer.from(wellFormed(found[0])), found[1]);
      if (this.#kernel.full) this.#spill();
    }
    return next;
  }

  #spill(): void {
    this.#output.spill(this.#content);
    this.#kernel.clear();
  }
}

/** Sorts what the kernel holds and writes it. */
function contentOf(kernel: RowKernel, reduces: number): RunContent {
  return (writer) => {
    kernel.sort();
    writePartitions(writer, reduces, kernel, (partition) => kernel.writeRows(partition));
  };
}

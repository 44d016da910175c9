/**
 * The fast lane of a reduce attempt whose `reduce` is one of the known ones: all records of the partition go through the
 * kernel's hash table, source after source, and only the distinct keys are sorted.
 *
 * Sources are read in map order and each key's values are combined from first to last, so that sums of fractions come
 * out as those of the general lane. When the keys do not fit into the budget there is no point to go on from: the
 * attempt begins again in the lane that merges.
 */
import { knownAs } from '../../jobs/aggregates.js';
import type { Job } from '../../jobs/types.js';
import { type Kernel, NotForKernelError, operations } from '../../kernel/kernel.js';
import { type AttemptResult, breathe } from './attempt.js';
import { kernelOfThread } from './kernels.js';
import type { ReduceAttemptOptions } from './reduce-attempt.js';
import { OpenRun } from './runs.js';
import { TextFile } from './text-file.js';

/** What stands between key and value, for the formats that the kernel can write. */
const SEPARATORS: Readonly<Record<string, number>> = { text: 0x20, tsv: 0x09 };

function separatorOf({ outputFormat = 'text' }: Job): number | undefined {
  return SEPARATORS[outputFormat];
}

/** Whether the kernel knows how to do what the job's `reduce` does. */
export function isKernelReduce(job: Job): boolean {
  const known = knownAs(job.reduce);
  return (
    operations.some((operation) => operation === known) &&
    separatorOf(job) !== undefined &&
    job.orderValues === undefined &&
    job.setup === undefined &&
    job.teardown === undefined
  );
}

/** Runs the attempt; throws NotForKernelError where it has to be done in the general lane. */
export async function runKernelReduce(options: ReduceAttemptOptions): Promise<AttemptResult> {
  const kernel = kernelOfThread();
  if (kernel === undefined) throw new NotForKernelError('there is no WebAssembly');
  const operation = operations.find((known) => known === knownAs(options.job.reduce))!;
  kernel.open({ operation, budgetBytes: options.budgetBytes, partitions: 1 });
  const recordsIn = await readSources(kernel, options);
  return writeLines(kernel, options, recordsIn);
}

async function readSources(kernel: Kernel, options: ReduceAttemptOptions): Promise<number> {
  const { sources, partition, context, progress } = options;
  let records = 0;
  const take = (filled: number): number => {
    const { next, count } = kernel.readRecords(0, filled);
    if (kernel.full) throw new NotForKernelError('too many keys for the budget');
    records += count;
    return next;
  };
  for (const [done, source] of sources.entries()) {
    const run = new OpenRun(source);
    try {
      run.feed(partition, kernel.input, take);
    } finally {
      run.close();
    }
    progress?.(done + 1, sources.length);
    if (done % SOURCES_PER_BREATH === 0) await breathe(context.signal);
  }
  return records;
}

const SOURCES_PER_BREATH = 16;

function writeLines(kernel: Kernel, { job, target }: ReduceAttemptOptions, recordsIn: number): AttemptResult {
  const { keys } = kernel;
  kernel.sortLines();
  const separator = separatorOf(job)!;
  const file = new TextFile(target);
  try {
    for (let end = kernel.writeLines(separator); end > 0; end = kernel.writeLines(separator)) {
      file.writeBytes(kernel.output.subarray(0, end));
    }
    const counters = [
      ['reduce.groups.in', keys],
      ['reduce.records.in', recordsIn],
      ['reduce.records.out', keys],
    ] as const;
    return { ...file.finish(), records: keys, counters, spills: 0, ...heaviestOf(kernel) };
  } catch (error) {
    file.abandon();
    throw error;
  }
}

function heaviestOf(kernel: Kernel): Pick<AttemptResult, 'heaviest'> {
  if (kernel.keys === 0) return {};
  const { key, records } = kernel.heaviest();
  return { heaviest: { key: Buffer.from(key).toString(), records } };
}

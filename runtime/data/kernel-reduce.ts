/**
 * The fast lane of a reduce attempt whose `reduce` is one of the known ones: all records of the partition go through the
 * kernel's hash table, source after source, and only the distinct keys are sorted.
 *
 * Sources are read in map order and each key's values are combined from first to last, so that sums of fractions come
 * out as those of the general lane. When the keys do not fit into the budget the sources are read again and merged.
 */
import { knownAs } from '../../jobs/aggregates.js';
import { type Kernel, type Operation, operations } from '../../kernel/kernel.js';
import { type AttemptResult, breathe } from './attempt.js';
import { readRun, type TakingRecords } from './kernel-input.js';
import { separatorOf } from './kernel-jobs.js';
import { mergeInKernel } from './kernel-merge.js';
import { kernelOfThread } from './kernels.js';
import type { GatheredReduce } from './reduce-options.js';
import { narrowRuns, OpenRun, openRuns, partitionBytes, progressOf, RunDirectory } from './runs.js';
import { sortSources } from './sort-sources.js';
import { TextFile } from './text-file.js';

const SOURCES_PER_BREATH = 16;
/** How many runs the kernel merges at once, each with a window of its own. */
const FAN_IN_KERNEL = 128;

/** Runs the attempt; throws NotForKernelError where it has to be done in the general lane. */
export async function runKernelReduce(options: GatheredReduce): Promise<AttemptResult> {
  const kernel = kernelOfThread();
  const operation = operations.find((known) => known === knownAs(options.job.reduce))!;
  kernel.open({ operation, budgetBytes: options.budgetBytes, partitions: 1 });
  const recordsIn = await readSources(kernel, options);
  if (recordsIn === undefined) return await mergeSources(options, kernel, operation);
  return writeTable(kernel, options, recordsIn);
}

/** Puts all records into a kernel's table. Returns how many there are; undefined when the keys exceed the budget. */
export async function readSources(
  kernel: TakingRecords,
  options: GatheredReduce,
): Promise<number | undefined> {
  const { sources, partition, progress } = options;
  let records = 0;
  for (const [done, source] of sources.entries()) {
    const run = new OpenRun(source);
    try {
      records += readRun(kernel, run, partition);
    } finally {
      run.close();
    }
    if (kernel.full) return undefined;
    progress?.(done + 1, sources.length);
    if (done % SOURCES_PER_BREATH === 0) await breathe();
  }
  return records;
}

function writeTable(kernel: Kernel, options: GatheredReduce, recordsIn: number): AttemptResult {
  const { keys } = kernel;
  kernel.sortLines();
  const separator = separatorOf(options.job)!;
  return writeFile(options.target, (file) => {
    for (let end = kernel.writeLines(separator); end > 0; end = kernel.writeLines(separator)) {
      file.writeBytes(kernel.output.subarray(0, end));
    }
    const heaviest = keys === 0 ? undefined : kernel.heaviest();
    return { recordsIn, keys, spills: 0, heaviest };
  });
}

/** For more keys than fit into memory: merges the sources within bounded memory. */
async function mergeSources(
  options: GatheredReduce,
  kernel: Kernel,
  operation: Operation,
): Promise<AttemptResult> {
  const { partition, budgetBytes, fanIn = FAN_IN_KERNEL } = options;
  const directory = new RunDirectory(options.privateDirectory);
  const sources = await sortSources(options);
  const bytes = partitionBytes(sources, partition);
  const how = { kernel, operation, budgetBytes, onRead: progressOf(options, bytes, fanIn) };
  try {
    // Left uncombined until all come together, since sums of fractions depend on the order.
    const narrowed = await narrowRuns(sources, {
      fanIn,
      partitions: [partition],
      directory,
      pause: breathe,
      mergePartition: (open, from, writer) => {
        const take = (bytes: Uint8Array): void => writer.writeEncoded(bytes, 0);
        mergeInKernel(open, from, { as: 'records', combined: false }, take, how);
        writer.addRecords(kernel.mergedCounts().out);
      },
    });
    const open = openRuns(narrowed.runs);
    try {
      const separator = separatorOf(options.job)!;
      return writeFile(options.target, (file) => {
        const take = (bytes: Uint8Array): void => file.writeBytes(bytes);
        mergeInKernel(open, narrowed.partitions[0]!, { as: 'lines', separator }, take, how);
        const counts = kernel.mergedCounts();
        const heaviest = kernel.mergedHeaviest();
        return { recordsIn: counts.in, keys: counts.out, spills: directory.count, heaviest };
      });
    } finally {
      for (const run of open) run.close();
    }
  } finally {
    directory.remove();
  }
}

export interface LinesWritten {
  readonly recordsIn: number;
  readonly keys: number;
  readonly spills: number;
  readonly heaviest: { readonly key: Uint8Array; readonly records: number } | undefined;
}

/** Makes the target of what is written, and the result of a reduce that gives a line for each key. */
export function writeFile(target: string, content: (file: TextFile) => LinesWritten): AttemptResult {
  const file = new TextFile(target);
  try {
    const { recordsIn, keys, spills, heaviest } = content(file);
    const counters = [
      ['reduce.groups.in', keys],
      ['reduce.records.in', recordsIn],
      ['reduce.records.out', keys],
    ] as const;
    const found = heaviest && {
      heaviest: { key: Buffer.from(heaviest.key).toString(), records: heaviest.records },
    };
    return { ...file.finish(), records: keys, counters, spills, ...found };
  } catch (error) {
    file.abandon();
    throw error;
  }
}

/** Which jobs, and which parts of them, the kernel can do. */
import { knownAs } from '../../jobs/aggregates.js';
import { isGrouping } from '../../jobs/grouping.js';
import type { Job } from '../../jobs/types.js';
import { type Operation, operations } from '../../kernel/kernel.js';
import { kernelOfRows } from './kernels.js';

/** How the keys of a partition lie. */
export type KeyOrder = 'sorted' | 'none';

/** How the kernel combines for the job, if it can. */
export function operationOf({ combine }: Job): Operation | undefined {
  const known = knownAs(combine);
  return operations.find((operation) => operation === known);
}

/** What stands between key and value, for the formats that the kernel can write. */
const SEPARATORS: Readonly<Record<string, number>> = { text: 0x20, tsv: 0x09 };

/** Undefined for a format that the kernel cannot write. */
export function separatorOf({ outputFormat = 'text' }: Job): number | undefined {
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

/** Whether an attempt of the job, with these records left out, is for the kernel of rows. */
export function isForRows({ job, skip = [] }: { job: Job; skip?: readonly string[] | undefined }): boolean {
  return isGrouping(job) && skip.length === 0 && kernelOfRows() !== undefined;
}

/**
 * How the job's map outputs lie when no run was spilled: reduces that combine by hash need no order. It depends on
 * the job alone, or two attempts of a task might differ; and where user code makes something of each counted word, there
 * are lanes that come upon the words in different orders.
 */
export function outputOrder(job: Job): KeyOrder {
  const isOneLane = job.words === undefined || knownAs(job.map) === 'once';
  return isOneLane && isKernelReduce(job) ? 'none' : 'sorted';
}

/** What the fast lanes of a map attempt share: whether the kernel can combine for a job, and how it leaves its runs. */
import { knownAs } from '../../jobs/aggregates.js';
import type { Job } from '../../jobs/types.js';
import { type Kernel, type Operation, operations, PARTITIONS_MAX } from '../../kernel/kernel.js';
import { kernelOfThread } from './kernels.js';
import type { MapAttemptOptions } from './map-attempt.js';
import type { RunContent } from './map-output.js';

/** How the kernel combines for the job, if it can. */
export function operationOf({ combine }: Job): Operation | undefined {
  const known = knownAs(combine);
  return operations.find((operation) => operation === known);
}

/** Whether the kernel knows how to combine and to partition as the job wants it. */
export function isForKernel({ job, reduces }: MapAttemptOptions): boolean {
  return (
    operationOf(job) !== undefined &&
    job.partition === undefined &&
    job.orderValues === undefined &&
    reduces <= PARTITIONS_MAX
  );
}

/** This thread's kernel, empty. Throws NotForKernelError where there is not enough memory. */
export function openKernel({ job, budgetBytes, reduces }: MapAttemptOptions): Kernel {
  const kernel = kernelOfThread();
  kernel.open({ operation: operationOf(job)!, budgetBytes, partitions: reduces });
  return kernel;
}

/** Sorts what the kernel holds and writes it. */
export function kernelContent(kernel: Kernel, reduces: number): RunContent {
  return (writer) => {
    kernel.sort();
    for (let partition = 0; partition < reduces; partition++) {
      for (let done = false; !done; ) {
        const written = kernel.writeRecords(partition, 0);
        writer.writeEncoded(kernel.output.subarray(0, written.end), written.records);
        done = written.done;
      }
      writer.endPartition();
    }
  };
}

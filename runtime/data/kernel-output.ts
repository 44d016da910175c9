/** What the fast lanes of a map attempt share: whether they are for it, and how the kernel leaves its runs. */
import { type Kernel, PARTITIONS_MAX, type Written } from '../../kernel/kernel.js';
import { operationOf } from './kernel-jobs.js';
import { kernelOfThread } from './kernels.js';
import type { MapAttemptOptions } from './map-options.js';
import type { RunContent } from './map-output.js';
import type { SegmentWriter } from './segments/writer.js';
import { splitBytes } from './split-reader.js';

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
export function openKernel({ job, budgetBytes, reduces, ranges }: MapAttemptOptions): Kernel {
  const kernel = kernelOfThread(splitBytes(ranges));
  kernel.open({ operation: operationOf(job)!, budgetBytes, partitions: reduces });
  return kernel;
}

/** Writes what the kernel holds. */
export function kernelContent(kernel: Kernel, reduces: number): RunContent {
  return (writer, order) => {
    if (order === 'none') {
      writeUnsorted(writer, reduces, kernel);
    } else {
      kernel.arrange();
      writePartitions(writer, reduces, kernel, (partition) => kernel.writeRecords(partition, 0));
    }
  };
}

function writeUnsorted(writer: SegmentWriter, partitions: number, kernel: Kernel): void {
  writer.leaveUnsorted();
  kernel.encode();
  for (let partition = 0; partition < partitions; partition++) {
    const { bytes, records } = kernel.encoded(partition);
    writer.writeEncoded(bytes, records);
    writer.endPartition();
  }
}

/** Writes all partitions, each as often as `write` needs for it: every time it leaves records at the front of `output`. */
export function writePartitions(
  writer: SegmentWriter,
  partitions: number,
  kernel: { readonly output: Uint8Array },
  write: (partition: number) => Written,
): void {
  for (let partition = 0; partition < partitions; partition++) {
    for (let done = false; !done; ) {
      const written = write(partition);
      writer.writeEncoded(kernel.output.subarray(0, written.end), written.records);
      done = written.done;
    }
    writer.endPartition();
  }
}

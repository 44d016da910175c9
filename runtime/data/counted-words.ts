/** The words that a kernel has counted before user code is asked about them. */
import type { Kernel } from '../../kernel/kernel.js';
import type { MapAttemptOptions } from './map-options.js';
import { RecordBytes } from './record-bytes.js';

/** What the counted words may cost at most before `map` is asked. */
const BUDGET_BYTES_MAX = 16 * 1024 * 1024;

/** Whether user code need not be asked about each word as it comes. */
export function isForCounting({ job, skip = [] }: MapAttemptOptions): boolean {
  return (
    job.words !== undefined && skip.length === 0 && job.setup === undefined && job.teardown === undefined
  );
}

export function openForWords(kernel: Kernel, options: MapAttemptOptions, partitions = 1): void {
  const budgetBytes = Math.min(BUDGET_BYTES_MAX, options.budgetBytes);
  kernel.open({ operation: 'sum', budgetBytes, partitions });
}

/** The distinct words of a partition in order, each with how often it occurred. The kernel must have sorted them. */
export function* countedWords(
  kernel: Kernel,
  partition = 0,
): Generator<readonly [word: string, times: number]> {
  for (let done = false; !done; ) {
    const written = kernel.writeRecords(partition, 0);
    const records = new RecordBytes(kernel.output.subarray(0, written.end));
    while (!records.exhausted) yield [records.text(records.varint()), records.varint() / 4];
    done = written.done;
  }
}

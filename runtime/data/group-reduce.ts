/**
 * The fast lane of a reduce attempt of a job that groups JSON: the rows of all maps are combined in the kernel, in map
 * order, and each key's row becomes a value only once, when its line is written. Keys that do not fit into the budget are
 * for the general lane, which merges.
 */
import { columnsOf, type Row } from '../../jobs/grouping.js';
import { formatterOf } from '../../jobs/output-format.js';
import type { Job } from '../../jobs/types.js';
import { NotForKernelError } from '../../kernel/kernel.js';
import type { RowKernel } from '../../kernel/row-kernel.js';
import type { AttemptResult } from './attempt.js';
import { type LinesWritten, readSources, writeFile } from './kernel-reduce.js';
import { kernelOfRows } from './kernels.js';
import { RecordBytes } from './record-bytes.js';
import type { GatheredReduce } from './reduce-options.js';
import type { TextFile } from './text-file.js';

/** Runs the attempt; throws NotForKernelError where it has to be done in the general lane. */
export async function runGroupReduce(options: GatheredReduce): Promise<AttemptResult> {
  const { job, budgetBytes, target } = options;
  const kernel = kernelOfRows()!;
  // The last column of a row counts the records that it is made of.
  const columns = [...columnsOf(job.aggregates!), { operation: 'count' as const }];
  kernel.open({ groupBy: job.groupBy!, columns, budgetBytes, partitions: 1 });
  const recordsIn = await readSources(kernel, options);
  if (recordsIn === undefined) throw new NotForKernelError('more keys than the budget allows');
  return writeFile(target, (file) => writeRows(kernel, job, file, recordsIn));
}

function writeRows(kernel: RowKernel, job: Job, file: TextFile, recordsIn: number): LinesWritten {
  const format = formatterOf(job.outputFormat);
  const reduce = job.reduce as (key: string, rows: Iterable<Row>) => unknown;
  let heaviest: { key: string; records: number } | undefined;
  kernel.sort();
  for (let done = false; !done; ) {
    const written = kernel.writeRows(0);
    const bytes = new RecordBytes(kernel.output.subarray(0, written.end));
    while (!bytes.exhausted) {
      const key = bytes.text(bytes.varint());
      const row = bytes.value() as number[];
      const records = row.pop()!;
      if (heaviest === undefined || records > heaviest.records) heaviest = { key, records };
      file.write(format(key, reduce(key, [row])));
    }
    done = written.done;
  }
  const found = heaviest && { key: Buffer.from(heaviest.key), records: heaviest.records };
  return { recordsIn, keys: kernel.keys, spills: 0, heaviest: found };
}

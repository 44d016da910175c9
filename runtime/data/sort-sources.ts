/**
 * Map outputs that were left unsorted, sorted after all: for a reduce whose keys do not fit into memory, or that cannot be
 * done in the kernel. Each becomes a run of its own, since sums of fractions depend on the order of what is added.
 *
 * An output is left unsorted only if all of it fitted into the table of its map, so a part of it fits into this one.
 */
import { breathe } from './attempt.js';
import { readRun } from './kernel-input.js';
import { kernelContent } from './kernel-output.js';
import { kernelOfThread } from './kernels.js';
import type { GatheredReduce } from './reduce-options.js';
import { OpenRun, type Run } from './runs.js';
import { writeSegments } from './segments/writer.js';

/** All sources, sorted copies in the place of those that are not. A copy keeps the number of its partition. */
export async function sortSources(options: GatheredReduce): Promise<readonly Run[]> {
  const sorted: Run[] = [];
  for (const source of options.sources) {
    const open = new OpenRun(source);
    try {
      sorted.push(open.sorted ? source : sortedCopy(open, options));
    } finally {
      open.close();
    }
    await breathe();
  }
  return sorted;
}

function sortedCopy(open: OpenRun, { partition, budgetBytes, copies }: GatheredReduce): Run {
  const kernel = kernelOfThread();
  kernel.open({ operation: 'sum', budgetBytes, partitions: 1 });
  readRun(kernel, open, partition);
  if (kernel.full) throw new Error('an output that was left unsorted exceeds the budget of its map');
  const path = copies.next();
  writeSegments(path, { partitions: partition + 1 }, (writer) => {
    writer.skipTo(partition);
    kernelContent(kernel, 1)(writer, 'sorted');
  });
  return { path };
}

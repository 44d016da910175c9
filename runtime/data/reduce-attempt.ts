/**
 * One attempt at a reduce task: merges its partition of every map's output, runs the user's `reduce` for each key,
 * and leaves one text file, sorted by key.
 *
 * Where `reduce` is one of the known functions a kernel does it (kernel-reduce.ts, group-reduce.ts), with the same result.
 *
 * Records come in the order (key by UTF-8 bytes, map, emission), whatever the fan-in. Values are streamed; nothing
 * here holds more than one buffer per open file and the values that user code keeps.
 */
import { NotForKernelError } from '../../kernel/kernel.js';
import { type AttemptResult, breathe } from './attempt.js';
import { gatherSources, type SourceFeed } from './gather.js';
import { runGeneralReduce } from './general-reduce.js';
import { runGroupReduce } from './group-reduce.js';
import { isForRows, isKernelReduce } from './kernel-jobs.js';
import { runKernelReduce } from './kernel-reduce.js';
import { bufferBytesOf, type GatheredReduce, type ReduceAttemptOptions } from './reduce-options.js';
import { partitionBytes, RunDirectory } from './runs.js';
import { sortSources } from './sort-sources.js';

const KERNEL_FROM_BYTES = 1024 * 1024;

/**
 * Runs the attempt. Throws SourceError with the map whose output cannot be read, UserCodeError with the key, DiskError.
 */
export async function runReduceAttempt(options: ReduceAttemptOptions): Promise<AttemptResult> {
  const copies = new RunDirectory(`${options.privateDirectory}.copies`);
  try {
    const gathered = await gather(options, copies);
    const fast = isKernelReduce(options.job)
      ? runKernelReduce
      : isForRows(options)
        ? runGroupReduce
        : undefined;
    if (fast !== undefined) {
      try {
        return await fast(gathered);
      } catch (error) {
        if (!(error instanceof NotForKernelError)) throw error;
      }
    }
    const sorted = { ...gathered, sources: await sortSources(gathered) };
    const bytes = partitionBytes(sorted.sources, options.partition);
    const { kernelFromBytes = KERNEL_FROM_BYTES } = options;
    if (sorted.job.orderValues === undefined && bytes >= kernelFromBytes) {
      try {
        return await runGeneralReduce(sorted, bytes, 'in kernel');
      } catch (error) {
        if (!(error instanceof NotForKernelError)) throw error;
      }
    }
    return await runGeneralReduce(sorted, bytes, 'plainly');
  } finally {
    copies.remove();
  }
}

/** Waits for all sources, and copies meanwhile what is there. */
async function gather(options: ReduceAttemptOptions, copies: RunDirectory): Promise<GatheredReduce> {
  const { sources, partition, progress, onWaiting } = options;
  if (!isFeed(sources)) return { ...options, sources, copies };
  let copiedBytes = 0;
  const runs = await gatherSources(sources, {
    partition,
    directory: copies,
    pause: breathe,
    onWaiting,
    bufferBytes: bufferBytesOf(options),
    onRead: (bytes) => progress?.((copiedBytes += bytes), 2 * copiedBytes),
  });
  return {
    ...options,
    sources: runs,
    copies,
    progress: (done, total) => progress?.(copiedBytes + done, copiedBytes + total),
  };
}

function isFeed(sources: ReduceAttemptOptions['sources']): sources is SourceFeed {
  return 'known' in sources;
}

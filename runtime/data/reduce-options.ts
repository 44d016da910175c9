/** What an attempt at a reduce task is given. */
import type { Job, TaskSetting } from '../../jobs/types.js';
import type { Progress } from './attempt.js';
import type { ReduceSource, SourceFeed } from './gather.js';
import { FAN_IN_DEFAULT, type Run, type RunDirectory } from './runs.js';

const BUFFER_BYTES_MIN = 4 * 1024;
const BUFFER_BYTES_MAX = 64 * 1024;

export interface ReduceAttemptOptions {
  readonly job: Job;
  readonly partition: number;
  /** The outputs of all maps in map order; or, for an attempt that begins before they are all there, as they come. */
  readonly sources: readonly ReduceSource[] | SourceFeed;
  /** Bounds the read buffers; does not change the result. */
  readonly budgetBytes: number;
  /** `task` is `reduce-<partition>`. */
  readonly context: TaskSetting;
  /** A directory of this attempt's own for merged runs; made when needed, removed in the end. */
  readonly privateDirectory: string;
  /** The file to be made, in a directory that exists on the output's file system. */
  readonly target: string;
  /** How many runs are merged at once; does not change the result. */
  readonly fanIn?: number;
  /** From how many bytes on the kernel merges for user code: making one takes longer than merging a few; does not change the result. */
  readonly kernelFromBytes?: number;
  readonly progress?: Progress;
  /** Told when it has to wait for more sources, and when it goes on. */
  readonly onWaiting?: (waiting: boolean) => void;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
}

/** An attempt whose sources are all there. */
export type GatheredReduce = Omit<ReduceAttemptOptions, 'sources' | 'onWaiting'> & {
  readonly sources: readonly Run[];
  /** For copies of sources. */
  readonly copies: RunDirectory;
};

/** Of each file that is read. */
export function bufferBytesOf({
  budgetBytes,
  fanIn = FAN_IN_DEFAULT,
}: Pick<ReduceAttemptOptions, 'budgetBytes' | 'fanIn'>): number {
  return Math.max(BUFFER_BYTES_MIN, Math.min(BUFFER_BYTES_MAX, Math.floor(budgetBytes / fanIn)));
}

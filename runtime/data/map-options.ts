/** What an attempt at a map task is given. */
import type { Job, TaskSetting } from '../../jobs/types.js';
import type { Progress } from './attempt.js';
import type { InputFile } from './input-file.js';
import type { SplitRange } from './plan.js';

export interface MapAttemptOptions {
  readonly job: Job;
  /** All inputs of the job; ranges index them. */
  readonly files: readonly InputFile[];
  /** The split. */
  readonly ranges: readonly SplitRange[];
  readonly reduces: number;
  /** When to spill, in bytes as MapTask counts them. Part of the job: another budget may give another digest. */
  readonly budgetBytes: number;
  /** For a job that partitions by range. */
  readonly boundaries?: readonly string[] | undefined;
  /** `task` is `map-<index>`. */
  readonly context: TaskSetting;
  /** A directory of this attempt's own for spilled runs; made when needed, removed in the end. */
  readonly privateDirectory: string;
  /** The file to be made, in a directory that exists. */
  readonly target: string;
  /** How many runs are merged at once; does not change the result. */
  readonly fanIn?: number;
  /** Force the file to the disk; without it, a crash of the machine may cost the attempt. */
  readonly sync?: boolean;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
  readonly progress?: Progress;
}

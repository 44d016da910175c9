/**
 * The numbers a machine is started with. Times are microseconds of the node's own monotonic clock.
 */
import type { NodeId } from './ids.js';

export interface ClusterConfig {
  readonly masters: readonly NodeId[];
  /** How many workers there are, where that is known and stays so. */
  readonly workers?: number;
  /** A worker or client beats this often. */
  readonly beatUs: number;
  /** After so much silence of its master a worker or client tries the next one. */
  readonly suspectUs: number;
  /** A silent worker loses its attempts after this. */
  readonly workerLeaseUs: number;
  /** How long a worker whose session broke may take to come back before it counts as lost. */
  readonly reconnectUs: number;
  /** The leader's lease; renewed at a third of it. */
  readonly masterLeaseUs: number;
  /** Pause between two tries to reach a master, at first; it grows up to a beat. */
  readonly retryUs: number;
  /** A standby looks at the journal this often. */
  readonly followUs: number;
  /** A worker whose tasks are short may hold so much more work than it has slots, and need not wait for the next. */
  readonly aheadUs: number;
  /** An append of unknown outcome is tried again after this. */
  readonly appendRetryUs: number;
  /** Where map outputs lie: on a directory all can read, or with the worker, whose loss then loses them. */
  readonly mapOutputs: 'shared' | 'worker';
  /** A worker that failed this many tasks of a job is excluded from it for a while. */
  readonly exclusionFailures: number;
  /** How long, the first time; each further time twice as long as the last. */
  readonly exclusionUs: number;
  readonly exclusionMaxUs: number;
  /** Counted deaths of worker processes while running one task that fail its job. */
  readonly workerDeathsMax: number;
  /** Records of one append; 64 KiB is what every store takes. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /** Slots between the end of a snapshot and the next; more when a snapshot is large, so that it stays a small share. */
  readonly snapshotSlots: number;
  /** Unfinished jobs at once. */
  readonly jobsMax: number;
  /** Tasks of one job. */
  readonly tasksMax: number;
  /**
   * Who gets the next slot: the job with the fewest attempts under way, or the oldest one as long as it can use any. Absent in
   * runs of former versions: fair.
   */
  readonly sharing?: 'fair' | 'fifo';
}

const second = 1_000_000;

export const defaultClusterConfig: ClusterConfig = {
  masters: ['master-1'],
  beatUs: 1 * second,
  suspectUs: 3 * second,
  workerLeaseUs: 10 * second,
  reconnectUs: 1 * second,
  masterLeaseUs: 3 * second,
  retryUs: 200_000,
  followUs: 200_000,
  aheadUs: 40_000,
  appendRetryUs: 100_000,
  mapOutputs: 'shared',
  exclusionFailures: 3,
  exclusionUs: 30 * second,
  exclusionMaxUs: 600 * second,
  workerDeathsMax: 8,
  batchRecordsMax: 64,
  batchBytesMax: 48 * 1024,
  snapshotSlots: 1000,
  jobsMax: 1000,
  tasksMax: 1_000_000,
  sharing: 'fair',
};

/**
 * The journal's records: every durable fact there is. Durable state changes only by applying one of these after the
 * store has confirmed it (durable/apply.ts); live operation and recovery run the same code.
 *
 * Later kinds have their place: `job.cancelled` and `job.forgotten` join this union.
 */
import type { AttemptId, Epoch, JobId, NodeId, NodeLife, TaskIndex } from './ids.js';

/** What is durable, small and the same for every attempt of a job. What is large lies in Files under `work`. */
export interface JobSpec {
  /** For people. */
  readonly name: string;
  /** Hash of the work order in Files: code, parameters, split list, budgets. The core never looks inside. */
  readonly work: string;
  readonly maps: number;
  readonly reduces: number;
  /** Where the output goes; a submit that overlaps an unfinished job's output is refused. */
  readonly output: string;
  readonly policy: JobPolicy;
}

export interface JobPolicy {
  /** Who may still commit after losing the lease. `first-commit`: whoever reaches the journal first. */
  readonly lateReports: 'first-commit' | 'owner-only';
  /** Counted failures of one task that fail the job. At least 1. */
  readonly maxAttempts: number;
  /** An attempt that beats but makes no progress for this long is ended and counted; doubles with every time-out. */
  readonly taskTimeoutUs: number;
  readonly speculation: boolean;
  /** A speculative copy is never made of an attempt younger than this. */
  readonly speculationAgeMinUs: number;
  /** Two failures at one record of the input skip it, and no longer count. */
  readonly skipBadRecords: boolean;
  /** Reduces may begin, and wait for their inputs, once so many of 1000 maps are committed; 1000 is all of them. */
  readonly slowstartPermille: number;
}

/** What an attempt produced: enough to judge it, never its content. */
export interface Output {
  /** Of the canonical, uncompressed content. Equal digests mean equal content. */
  readonly digest: string;
  readonly bytes: number;
  readonly records: number;
  /**
   * For a reduce: `generationText` (generation.ts) over the task and digest of every map output it read, so that a
   * leader can tell whether all reduces read the same generation. Empty for a map.
   */
  readonly inputs: string;
}

/** User and system counters, sorted by name. */
export type Counters = readonly (readonly [name: string, value: number])[];

/** Why an attempt of user code ended badly. Texts are cut by the worker to a bounded length. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** First stack frame of user code, as `file:line:column`. */
  readonly frame?: string;
  /** The input's name and the byte offset of the line, for a map; the key, for a reduce. */
  readonly input?: string;
  readonly offset?: number;
  readonly key?: string;
  /**
   * Which record user code failed at, when that is known: the same text in every attempt of the task, of bounded length
   * (jobs/record-id.ts). The core only compares it.
   */
  readonly record?: string;
}

/**
 * `user` code threw; `data` could not be read as promised; `timeout` no progress; `memory` ran out; `exit` user code
 * ended its thread or process; `disk` the worker's disk refused; `input-changed` since the job was planned;
 * `worker-died` the whole process went and nobody knows why.
 */
export type FailureKind =
  | 'user'
  | 'data'
  | 'timeout'
  | 'memory'
  | 'exit'
  | 'disk'
  | 'input-changed'
  | 'worker-died';

/** Why a job ended without its output. */
export interface JobFailure {
  readonly reason:
    | 'task-failed'
    | 'workers-died'
    | 'nondeterministic'
    | 'input-changed'
    | 'disk'
    | 'publish-refused';
  readonly message: string;
  readonly task?: TaskIndex;
  readonly failure?: Failure;
  /** For `nondeterministic`: the two attempts that disagree. */
  readonly attempts?: readonly [AttemptId, AttemptId];
}

/**
 * Why a map's output cannot be used. `missing` and `corrupt` are what whoever holds it answered, or what lies in the
 * shared directory; `unreachable`: the holder did not answer its reader; `holder-lost`: it is gone for its master.
 */
export type InvalidationReason = 'missing' | 'corrupt' | 'unreachable' | 'holder-lost';

export interface LeaderBegan {
  readonly type: 'leader.began';
  readonly epoch: Epoch;
  readonly leader: NodeLife;
}
export interface JobAccepted {
  readonly type: 'job.accepted';
  readonly job: JobId;
  /** Chosen by the client; one job per request id for ever. */
  readonly requestId: string;
  readonly spec: JobSpec;
}
export interface TaskCommitted {
  readonly type: 'task.committed';
  readonly attempt: AttemptId;
  /** Who ran it, and holds its file where files are not shared. */
  readonly holder: NodeLife;
  readonly output: Output;
  readonly counters: Counters;
  /** The bad records that this attempt left out, sorted; absent when there are none. */
  readonly skipped?: readonly string[];
}
/** The committed attempt's file is lost; its digest and counters stay until another takes its place. */
export interface TaskInvalidated {
  readonly type: 'task.invalidated';
  readonly attempt: AttemptId;
  readonly reason: InvalidationReason;
}
export interface AttemptFailed {
  readonly type: 'attempt.failed';
  readonly attempt: AttemptId;
  readonly node: NodeId;
  readonly failure: Failure;
  /** Whether it counts towards `maxAttempts`; deaths of a whole process are counted apart. */
  readonly counted: boolean;
}
/** The point of no return: from here on the output may become visible at any time. */
export interface JobPublishing {
  readonly type: 'job.publishing';
  readonly job: JobId;
}
export interface JobPublished {
  readonly type: 'job.published';
  readonly job: JobId;
}
export interface JobFailed {
  readonly type: 'job.failed';
  readonly job: JobId;
  readonly failure: JobFailure;
}

/**
 * One part of the durable state as it was before the first part's slot (durable/snapshot.ts). The parts of a snapshot
 * fill consecutive slots, each alone in its batch; whatever comes between them makes what was written so far void.
 */
export interface Snapshot {
  readonly type: 'snapshot';
  /** 1 to `parts`. */
  readonly part: number;
  readonly parts: number;
  /** All parts together are the canonical text of the state. */
  readonly text: string;
}

export type JournalRecord =
  | LeaderBegan
  | JobAccepted
  | TaskCommitted
  | TaskInvalidated
  | AttemptFailed
  | JobPublishing
  | JobPublished
  | JobFailed
  | Snapshot;

/** One slot of the journal. `nonce` is unique per append of a master's life: it tells "it was mine" after a lost answer. */
export interface JournalEntry {
  readonly slot: number;
  readonly nonce: string;
  /** Nonce of the slot before, '' in slot 1: what was appended to one history never continues another. */
  readonly after: string;
  readonly records: readonly JournalRecord[];
}

/** Bytes a record takes in a batch, roughly and from above: texts dominate. */
export function sizeOf(record: JournalRecord): number {
  switch (record.type) {
    case 'job.accepted':
      return 512 + 4 * (record.spec.name.length + record.spec.output.length);
    case 'task.committed':
      return 400 + record.counters.reduce((sum, [name]) => sum + 2 * name.length + 24, 0);
    case 'attempt.failed':
      return 1024 + 2 * record.failure.message.length;
    case 'job.failed':
      return 2048 + 2 * record.failure.message.length;
    default:
      return 256;
  }
}

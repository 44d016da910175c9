/**
 * What nodes say to each other, over a session that the worker or client opens to the master.
 *
 * A session may break at any moment and take what was under way with it; after a reconnect a message may come again or
 * late. So each message carries ids enough to be judged alone, and every handler is idempotent. Orders of a master carry
 * its epoch and the life they are meant for: a worker refuses those of a lower epoch or for another incarnation.
 */
import type { AttemptId, Epoch, JobId, NodeId } from './ids.js';
import type { Counters, Failure, InvalidationReason, JobFailure, JobSpec, Output } from './records.js';

/** An attempt that the worker finished and has no answer for yet. */
export interface FinishedAttempt {
  readonly attempt: AttemptId;
  readonly output: Output;
  readonly counters: Counters;
  /** The bad records it was told to leave out; absent when there were none. */
  readonly skipped?: readonly string[];
}

/** A reduce attempt that gave up, because it could not read the output of a map attempt. */
export interface StarvedAttempt {
  readonly attempt: AttemptId;
  readonly source: AttemptId;
  readonly reason: InvalidationReason;
}

/** An attempt that user code or data made fail. */
export interface BrokenAttempt {
  readonly attempt: AttemptId;
  readonly failure: Failure;
}

/** How far an attempt is: `done` of `total` in bytes of input. `done` standing still is what a time-out judges. */
export interface Progress {
  readonly attempt: AttemptId;
  readonly done: number;
  readonly total: number;
  /** A reduce that has read what there is, and waits for the outputs of more maps. */
  readonly waiting: boolean;
}

// ---- worker to master -------------------------------------------------------------------------------------------

/** First message of a session. */
export interface WorkerHello {
  readonly type: 'worker.hello';
  readonly incarnation: number;
  readonly slots: number;
  /** How many assignments this session may give in total, so far. See `worker.beat`. */
  readonly credit: number;
  /** Highest epoch and journal slot this worker has heard of. */
  readonly epochSeen: Epoch;
  readonly slotSeen: number;
  readonly running: readonly AttemptId[];
  readonly finished: readonly FinishedAttempt[];
  /** Reduces that were given back because of an input, without an answer so far. */
  readonly starved: readonly StarvedAttempt[];
  /** Attempts that failed, without an answer so far. */
  readonly broken: readonly BrokenAttempt[];
  /** Jobs of which this life may hold something: it has not heard that they have ended. */
  readonly jobs: readonly JobId[];
  /** What this worker's supervisor knows of the life before this one. */
  readonly previous?: { readonly incarnation: number; readonly end: 'crashed' | 'killed' };
}
/** Every beat interval. Answered by `master.beat`. */
export interface WorkerBeat {
  readonly type: 'worker.beat';
  readonly incarnation: number;
  /** Total of assignments allowed in this session since its hello: a repeated or late beat cannot grant a slot twice. */
  readonly credit: number;
  readonly progress: readonly Progress[];
}
export interface AttemptCompleted {
  readonly type: 'attempt.completed';
  readonly incarnation: number;
  readonly credit: number;
  readonly attempt: AttemptId;
  readonly output: Output;
  readonly counters: Counters;
  readonly skipped?: readonly string[];
}
/** User code or data failed, or the attempt was ended by order (then `failure` is absent and nothing is counted). */
export interface AttemptEnded {
  readonly type: 'attempt.ended';
  readonly incarnation: number;
  readonly credit: number;
  readonly attempt: AttemptId;
  readonly failure?: Failure;
}
/** A reduce could not read one of its inputs: it is given back, and the map's output is in doubt. Said until answered. */
export interface InputUnreadable {
  readonly type: 'input.unreadable';
  readonly incarnation: number;
  readonly credit: number;
  /** The reduce attempt that is given back. */
  readonly attempt: AttemptId;
  /** The map attempt whose output could not be read. */
  readonly source: AttemptId;
  readonly reason: InvalidationReason;
}

export type WorkerMessage = WorkerHello | WorkerBeat | AttemptCompleted | AttemptEnded | InputUnreadable;

// ---- master to worker -------------------------------------------------------------------------------------------

/** The answer to a hello: this master leads. */
export interface MasterWelcome {
  readonly type: 'master.welcome';
  readonly epoch: Epoch;
  readonly slot: number;
  readonly incarnation: number;
}
/** The answer to anything a master that does not lead is asked. */
export interface MasterNotLeading {
  readonly type: 'master.notLeading';
  readonly epoch: Epoch;
  /** Who led when this master last looked. */
  readonly leader?: NodeId;
}
/** The answer to a beat; silence of a master is noticed by its absence. */
export interface MasterBeat {
  readonly type: 'master.beat';
  readonly epoch: Epoch;
  readonly slot: number;
  readonly incarnation: number;
}
/** Run this attempt. */
export interface AttemptAssign {
  readonly type: 'attempt.assign';
  readonly epoch: Epoch;
  readonly incarnation: number;
  readonly attempt: AttemptId;
  readonly work: string;
  readonly maps: number;
  readonly reduces: number;
  readonly output: string;
  /**
   * For a reduce: it reads the outputs of the list that `outputs.changed` has built up, at this length or a greater one.
   * Where an output is not there yet, or no longer, it waits for the list to tell of another.
   */
  readonly outputsVersion: number;
  /** Bad records to leave out, sorted; absent when there are none. */
  readonly skip?: readonly string[];
}
/** Stop this attempt if it still runs; a finished one keeps its files until it is answered. */
export interface AttemptRevoke {
  readonly type: 'attempt.revoke';
  readonly epoch: Epoch;
  readonly incarnation: number;
  readonly attempt: AttemptId;
  readonly reason: RevokeReason;
}
export type RevokeReason =
  | 'superseded'
  | 'timeout'
  | 'inputs-changed'
  | 'job-ended'
  | 'not-owner'
  | 'preempted'
  | 'draining';

/**
 * What became of a finished, starved or broken attempt. `committed` and `not-owner` keep its files until the job ends.
 */
export interface AttemptAnswer {
  readonly type: 'attempt.answer';
  readonly epoch: Epoch;
  readonly incarnation: number;
  readonly attempt: AttemptId;
  readonly verdict: Verdict;
}
/**
 * `committed`: it is the task's result. `superseded`: another attempt's commit is in the journal. `dead`: it was
 * invalidated or has failed, and that is known. `not-owner`: policy `owner-only` and its lease is gone.
 * `inputs-changed`: a reduce that read map outputs of a generation that is gone. `job-ended`: nobody needs it.
 * `given-back`: it was starved, and that is known now.
 */
export type Verdict =
  | 'committed'
  | 'superseded'
  | 'dead'
  | 'not-owner'
  | 'inputs-changed'
  | 'job-ended'
  | 'given-back';

/** Where committed map outputs lie: changes number `from` … `from + changes.length - 1` of the job's list. */
export interface OutputsChanged {
  readonly type: 'outputs.changed';
  readonly epoch: Epoch;
  readonly incarnation: number;
  readonly job: JobId;
  readonly from: number;
  readonly changes: readonly OutputChange[];
}
/** A map's output appeared (`holder` says where) or, without `holder`, is gone. */
export interface OutputChange {
  readonly attempt: AttemptId;
  readonly digest: string;
  readonly holder?: NodeId;
}
/** The job has ended: drop everything of it. */
export interface JobEnded {
  readonly type: 'job.ended';
  readonly epoch: Epoch;
  readonly incarnation: number;
  readonly job: JobId;
}

export type MasterToWorker =
  | MasterWelcome
  | MasterNotLeading
  | MasterBeat
  | AttemptAssign
  | AttemptRevoke
  | AttemptAnswer
  | OutputsChanged
  | JobEnded;

// ---- client and master ------------------------------------------------------------------------------------------

/** Submit, or follow what was submitted: idempotent by `requestId`, and the client's beat. */
export interface JobSubmit {
  readonly type: 'job.submit';
  readonly requestId: string;
  readonly spec: JobSpec;
  /** The journal slot at which the client knows the job accepted; 0 before. */
  readonly acceptedSlot: number;
}
/** Finish what runs, give out nothing more. */
export interface DrainRequest {
  readonly type: 'drain.request';
  /** Of the job that the client follows: its status is the answer. */
  readonly requestId: string;
}
export type ClientMessage = JobSubmit | DrainRequest;

/**
 * How the job stands; the answer to a submit, sent again whenever it changes and with each beat of the client. That a job
 * has ended, masters say as well that do not lead; they know of no workers, and of no attempts.
 */
export interface JobStatus {
  readonly type: 'job.status';
  readonly epoch: Epoch;
  readonly requestId: string;
  /** The journal slot this is true of. */
  readonly slot: number;
  readonly job: JobId;
  readonly phase: JobPhase;
  readonly maps: PhaseStatus;
  readonly reduces: PhaseStatus;
  readonly workers: number;
  /** Failures so far of tasks that were counted, newest last, at most 8. */
  readonly failures: readonly {
    readonly attempt: AttemptId;
    readonly node: NodeId;
    readonly failure: Failure;
  }[];
  /** Nothing more is begun, and no attempt runs but those that are counted. */
  readonly draining: boolean;
  /** Sums over committed tasks; complete when the job is published. */
  readonly counters: Counters;
  /** For a failed job. */
  readonly failure?: JobFailure;
}
export type JobPhase = 'map' | 'reduce' | 'publishing' | 'published' | 'failed';
/** Counts of tasks (`total`, `done`, `running`) and of attempts. `bytes` is progress in bytes of input. */
export interface PhaseStatus {
  readonly total: number;
  readonly done: number;
  readonly running: number;
  /** Attempts begun, counted failed, refused as late, speculative; all of this leader's epoch. */
  readonly attempts: number;
  readonly failed: number;
  readonly stale: number;
  readonly speculative: number;
  /** Committed outputs that were lost and made again. */
  readonly invalidated: number;
}
/** The submit is refused; `definite` means: it was not and will not be accepted under this request id. */
export interface JobRefused {
  readonly type: 'job.refused';
  readonly epoch: Epoch;
  readonly requestId: string;
  readonly slot: number;
  readonly reason: 'output-overlaps' | 'limit' | 'gone';
  readonly message: string;
}
export type MasterToClient = MasterNotLeading | JobStatus | JobRefused;

export type MasterMessage = MasterToWorker | MasterToClient;
export type Message = WorkerMessage | ClientMessage | MasterMessage;

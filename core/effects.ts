/**
 * What a machine wants done: imperative, data only. A driver performs a step's effects in the order of the list.
 */
import type { AttemptId, Epoch, JobId, NodeId } from './ids.js';
import type {
  ClientMessage,
  JobRefused,
  JobStatus,
  MasterMessage,
  OutputChange,
  WorkerMessage,
} from './messages.js';
import type { Counters, JournalRecord } from './records.js';

export interface MessageSend<M> {
  readonly type: 'message.send';
  readonly to: NodeId;
  readonly session: number;
  readonly message: M;
}
/** Open a session to a master; the answer is `peer.connected` or `peer.lost` with this session's number. */
export interface PeerConnect {
  readonly type: 'peer.connect';
  readonly peer: NodeId;
  readonly session: number;
}
export interface PeerDisconnect {
  readonly type: 'peer.disconnect';
  readonly peer: NodeId;
  readonly session: number;
}
/** A named decision with the facts it compared: the "why" of the trace. Performing it is writing it down. */
export interface Decide {
  readonly type: 'decide';
  readonly decision: Decision;
  readonly attempt?: AttemptId;
  readonly job?: JobId;
  readonly node?: NodeId;
  readonly epoch?: Epoch;
  /** What was compared, as text and numbers. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

export type DecisionFacts = NonNullable<Decide['facts']>;

/** Every named decision. Scenario triggers and `exercised` goals speak of these. */
export type Decision =
  // leadership
  | 'lease-expired' // the master's own lease ran out
  | 'leader-began'
  | 'leader-fenced' // found a higher epoch in the journal
  | 'leader-resigned'
  | 'append-retried' // an append of unknown outcome is sent again, unchanged
  | 'snapshot-written' // the whole durable state is in the journal once more
  | 'snapshot-loaded' // what was to be read is trimmed: the state comes from a snapshot
  | 'store-went-back' // the store has lost what it had acknowledged
  | 'intent-dropped' // answered instead of appended, when its batch was formed
  // workers
  | 'worker-joined'
  | 'worker-lease-expired'
  | 'worker-lost'
  | 'worker-rejoined'
  | 'worker-excluded' // it failed too many tasks of a job
  | 'worker-readmitted' // and may try again
  | 'order-refused' // a worker got an order of a lower epoch or for another life
  // tasks
  | 'attempt-assigned'
  | 'attempt-adopted'
  | 'attempt-speculated'
  | 'attempt-revoked'
  | 'attempt-preempted' // a waiting reduce has to make room for a map
  | 'attempt-timed-out'
  | 'attempt-failed'
  | 'task-committed'
  | 'task-invalidated'
  | 'late-report-accepted'
  | 'late-report-refused'
  | 'duplicate-report'
  | 'nondeterminism-seen'
  | 'input-reported-unreadable'
  | 'record-skipped' // two attempts failed at the same record: later ones leave it out
  // jobs
  | 'job-accepted'
  | 'job-refused'
  | 'maps-done'
  | 'reduces-done'
  | 'job-publishing'
  | 'job-published'
  | 'job-failed'
  | 'draining';

// ---- master -----------------------------------------------------------------------------------------------------

/** Ask for the leader's lease, or for more of it. `request` counts up; its answer carries it back. */
export interface LeaseCampaign {
  readonly type: 'lease.campaign';
  readonly request: number;
  readonly ttlUs: number;
}
export interface LeaseResign {
  readonly type: 'lease.resign';
}
/** Create slot `slot`, if nobody has and the slot before holds the entry with nonce `after`. */
export interface JournalAppend {
  readonly type: 'journal.append';
  readonly slot: number;
  readonly nonce: string;
  readonly after: string;
  readonly records: readonly JournalRecord[];
}
/** Read from slot `from` on; the answer is `journal.entries` or `journal.trimmed`. */
export interface JournalRead {
  readonly type: 'journal.read';
  readonly from: number;
}
/**
 * Drop the slots below `first`, if that slot holds the entry with nonce `nonce`: the beginning of a snapshot. Whoever
 * asks, and however late, is right; there is no answer, and nobody waits for one.
 */
export interface JournalTrim {
  readonly type: 'journal.trim';
  readonly first: number;
  readonly nonce: string;
}
/** Link the committed reduce attempts into place. Idempotent, and harmless when it comes late. */
export interface OutputPublish {
  readonly type: 'output.publish';
  readonly job: JobId;
  readonly requestId: string;
  readonly work: string;
  readonly output: string;
  /** Sums over the committed attempts of all tasks. */
  readonly counters: Counters;
  /** The committed reduce attempts, in order of their partitions. */
  readonly parts: readonly { readonly attempt: AttemptId; readonly digest: string; readonly bytes: number }[];
}

export type MasterEffect =
  | MessageSend<MasterMessage>
  | PeerDisconnect
  | Decide
  | LeaseCampaign
  | LeaseResign
  | JournalAppend
  | JournalRead
  | JournalTrim
  | OutputPublish;

// ---- worker -----------------------------------------------------------------------------------------------------

/** Run user code for this attempt, in private files. Ends in one of `attempt.finished/broke/starved/aborted`. */
export interface AttemptRun {
  readonly type: 'attempt.run';
  readonly attempt: AttemptId;
  readonly work: string;
  readonly maps: number;
  readonly reduces: number;
  readonly output: string;
  readonly outputsVersion: number;
  readonly skip?: readonly string[];
}
export interface AttemptAbort {
  readonly type: 'attempt.abort';
  readonly attempt: AttemptId;
}
/** Remember where map outputs lie: changes number `from` … of the job's list. `from` 0 begins the list anew. */
export interface OutputsLearn {
  readonly type: 'outputs.learn';
  readonly job: JobId;
  readonly from: number;
  readonly changes: readonly OutputChange[];
}
/** Delete the files of a finished attempt that nobody will ever need. */
export interface OutputDiscard {
  readonly type: 'output.discard';
  readonly attempt: AttemptId;
  readonly maps: number;
}
/** Forget everything held for a job. */
export interface JobDiscard {
  readonly type: 'job.discard';
  readonly job: JobId;
}

export type WorkerEffect =
  | MessageSend<WorkerMessage>
  | PeerConnect
  | PeerDisconnect
  | Decide
  | AttemptRun
  | AttemptAbort
  | OutputsLearn
  | OutputDiscard
  | JobDiscard;

// ---- client -----------------------------------------------------------------------------------------------------

/** Tell the user how it goes. */
export interface JobReport {
  readonly type: 'job.report';
  readonly status: JobStatus;
}
/** The job has its final answer: published or failed (`status`), or refused. */
export interface JobConclude {
  readonly type: 'job.conclude';
  readonly status?: JobStatus;
  readonly refused?: JobRefused;
}
/** Every running attempt has ended after a drain. */
export interface DrainConclude {
  readonly type: 'drain.conclude';
}

export type ClientEffect =
  | MessageSend<ClientMessage>
  | PeerConnect
  | PeerDisconnect
  | Decide
  | JobReport
  | JobConclude
  | DrainConclude;

export type Effect = MasterEffect | WorkerEffect | ClientEffect;

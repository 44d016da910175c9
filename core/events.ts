/**
 * What happens to a machine: past tense, data only. A driver hands one event at a time to `step`.
 */
import type { Deadline } from './deadlines.js';
import type { AttemptId, JobId, NodeId } from './ids.js';
import type { ClientMessage, MasterToClient, MasterToWorker, WorkerMessage } from './messages.js';
import type { Counters, Failure, InvalidationReason, JobSpec, JournalEntry, Output } from './records.js';

/** The node is up; first event of every life. */
export interface NodeStarted {
  readonly type: 'node.started';
}
/** An armed deadline has come. */
export interface ClockReached {
  readonly type: 'clock.reached';
  readonly deadline: Deadline;
}
/** A session is open. `session` numbers a node's sessions, so that a late word of an old one is known as such. */
export interface PeerConnected {
  readonly type: 'peer.connected';
  readonly peer: NodeId;
  readonly session: number;
}
/** A session broke, or could not be opened. */
export interface PeerLost {
  readonly type: 'peer.lost';
  readonly peer: NodeId;
  readonly session: number;
}
export interface MessageReceived<M> {
  readonly type: 'message.received';
  readonly from: NodeId;
  readonly session: number;
  readonly message: M;
}

// ---- master -----------------------------------------------------------------------------------------------------

/** The answer to `lease.campaign` number `request`. */
export interface LeaseGranted {
  readonly type: 'lease.granted';
  readonly request: number;
}
/** Somebody else holds the lease now. */
export interface LeaseLost {
  readonly type: 'lease.lost';
}
/** The append of this slot is durable; `entry` is what the store holds. */
export interface JournalAppended {
  readonly type: 'journal.appended';
  readonly entry: JournalEntry;
}
/** The slot was taken before; `entry` is what the store holds there, when it could say. */
export interface JournalTaken {
  readonly type: 'journal.taken';
  readonly slot: number;
  readonly entry?: JournalEntry;
}
/** Nobody knows whether the append happened. */
export interface JournalUnknown {
  readonly type: 'journal.unknown';
  readonly slot: number;
  readonly reason: string;
}
/** Answer to `journal.read`: the entries from slot `from` on; `end` when there was nothing after them. */
export interface JournalEntries {
  readonly type: 'journal.entries';
  readonly from: number;
  readonly entries: readonly JournalEntry[];
  readonly end: boolean;
}
/** Answer to `journal.read`: what was asked for is trimmed. The first slot left is `first`, and a snapshot begins there. */
export interface JournalTrimmed {
  readonly type: 'journal.trimmed';
  readonly from: number;
  readonly first: number;
}
/** The output is in place, by this master or by another. */
export interface OutputPublished {
  readonly type: 'output.published';
  readonly job: JobId;
}
/** The output is not in place, and what was staged is void: nobody can publish it any more. */
export interface OutputRefused {
  readonly type: 'output.refused';
  readonly job: JobId;
  readonly message: string;
}

export type MasterEvent =
  | NodeStarted
  | ClockReached
  | PeerConnected
  | PeerLost
  | MessageReceived<WorkerMessage | ClientMessage>
  | LeaseGranted
  | LeaseLost
  | JournalAppended
  | JournalTaken
  | JournalUnknown
  | JournalEntries
  | JournalTrimmed
  | OutputPublished
  | OutputRefused;

// ---- worker -----------------------------------------------------------------------------------------------------

/** Counters of a running attempt, read by the driver about once a beat. */
export interface AttemptProgressed {
  readonly type: 'attempt.progressed';
  readonly attempt: AttemptId;
  readonly done: number;
  readonly total: number;
  /** A reduce that can do no more until the list of map outputs tells of another. */
  readonly waiting: boolean;
}
/** The attempt's file is whole and has its name; that of a reduce is synced. */
export interface AttemptFinished {
  readonly type: 'attempt.finished';
  readonly attempt: AttemptId;
  readonly output: Output;
  readonly counters: Counters;
  /** For a reduce: its key with the most records, cut to a bounded length. Only for people who read the trace. */
  readonly heaviest?: { readonly key: string; readonly records: number };
}
export interface AttemptBroke {
  readonly type: 'attempt.broke';
  readonly attempt: AttemptId;
  readonly failure: Failure;
}
/** A reduce could not read the output of a map attempt. */
export interface AttemptStarved {
  readonly type: 'attempt.starved';
  readonly attempt: AttemptId;
  readonly source: AttemptId;
  readonly reason: InvalidationReason;
}
/** An aborted attempt is gone and left nothing. */
export interface AttemptAborted {
  readonly type: 'attempt.aborted';
  readonly attempt: AttemptId;
}

export type WorkerEvent =
  | NodeStarted
  | ClockReached
  | PeerConnected
  | PeerLost
  | MessageReceived<MasterToWorker>
  | AttemptProgressed
  | AttemptFinished
  | AttemptBroke
  | AttemptStarved
  | AttemptAborted;

// ---- client -----------------------------------------------------------------------------------------------------

/** The user wants this job run. `requestId` makes it one job for ever, however often it is asked. */
export interface JobRequested {
  readonly type: 'job.requested';
  readonly requestId: string;
  readonly spec: JobSpec;
}
/** The user wants running attempts to finish and nothing more to begin. */
export interface DrainRequested {
  readonly type: 'drain.requested';
}

export type ClientEvent =
  | NodeStarted
  | ClockReached
  | PeerConnected
  | PeerLost
  | MessageReceived<MasterToClient>
  | JobRequested
  | DrainRequested;

export type MachineEvent = MasterEvent | WorkerEvent | ClientEvent;

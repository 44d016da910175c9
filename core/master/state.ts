/**
 * The master's state: what it has read of the journal, the append under way, its lease, its sessions, and, while it
 * leads, everything volatile that a new leader learns anew from the workers' hellos.
 */
import type { ClusterConfig } from '../config.js';
import { type Deadlines, noDeadlines } from '../deadlines.js';
import { type DurableState, emptyDurable } from '../durable/state.js';
import type { MasterEffect } from '../effects.js';
import type { Histogram } from '../histogram.js';
import type { AttemptId, Epoch, JobId, NodeId, NodeLife, TaskIndex } from '../ids.js';
import type { IntHeap } from '../int-heap.js';
import type { OutputChange } from '../messages.js';
import type { JournalEntry, JournalRecord } from '../records.js';
import type { Intent } from './intents.js';

export interface MasterSetup {
  readonly life: NodeLife;
  /** What was durable in the last epoch of which masters of former starts have left a record; absent at a first start. */
  readonly formerly?: EpochPlace;
}

/** A slot that was durable while this epoch was the last. */
export interface EpochPlace {
  readonly epoch: Epoch;
  readonly slot: number;
}

export interface MasterState {
  readonly config: ClusterConfig;
  readonly life: NodeLife;
  readonly deadlines: Deadlines;
  readonly durable: DurableState;
  /** `campaigning` holds the lease and reads the journal to its end, to begin an epoch there. */
  role: 'standby' | 'campaigning' | 'leader';
  readonly journal: JournalView;
  readonly lease: LeaseView;
  /** Highest epoch of a history that the store has lost: the next epoch begins above it. */
  epochLost: Epoch;
  /** See `MasterSetup`. */
  readonly formerly?: EpochPlace;
  /** Open sessions by number. */
  readonly sessions: Map<number, NodeId>;
  /** Present exactly while `role` is `leader`. */
  leading: Leading | undefined;
}

export interface JournalView {
  /** A `journal.read` has no answer yet. */
  reading: boolean;
  /** What was applied when the last read was asked for: this slot it must find, and none after it. */
  readSlot: number;
  /** Another read is wanted, begun after the one under way. */
  readAgain: boolean;
  /** Waiting to be appended, in order; only a leader or campaigner has any. */
  intents: Intent[];
  /** The frozen batch whose fate is not known yet; kept across changes of role. */
  pending: PendingAppend | undefined;
  /** Appends begun in this life; makes the nonces unique. */
  appends: number;
  /** A snapshot that this leader is writing: its texts, and how many of them are durable. */
  writing: { readonly parts: readonly string[]; written: number } | undefined;
  /** Bytes of records since the end of the last snapshot, roughly; 0 while that is a small one. */
  tailBytes: number;
  /** The snapshot from which this master is starting, because what it wanted to read is trimmed. */
  loading: LoadingSnapshot | undefined;
}

export interface LoadingSnapshot {
  /** The slot to be read next. */
  next: number;
  readonly parts: JournalEntry[];
}

export interface PendingAppend {
  readonly slot: number;
  readonly nonce: string;
  /** Nonce of the entry that it follows. */
  readonly after: string;
  readonly records: readonly JournalRecord[];
  /** An answer is under way; else the outcome is unknown and a retry is armed. */
  inFlight: boolean;
  /** When its outcome was first unknown. */
  doubtedAt: number | undefined;
}

export interface LeaseView {
  /** Number of the last `lease.campaign`. */
  request: number;
  /** When it left: a lease counts from here. */
  askedAt: number;
  /** End of what was granted; 0 without a lease. */
  until: number;
}

export interface Leading {
  readonly epoch: Epoch;
  /** When its `leader.began` was durable. */
  readonly beganAt: number;
  readonly workers: Map<NodeId, WorkerView>;
  /** Workers with unused credit and a free slot, who has waited longest first. */
  readonly ready: Set<NodeId>;
  /** Workers with unused credit and no free slot: they take short tasks ahead of time. Likewise in order. */
  readonly ahead: Set<NodeId>;
  /** How many workers have an open session. */
  open: number;
  /** Reduces that wait for outputs of maps, with their workers: what an idle map may take the slot of. */
  readonly waiting: Map<string, NodeId>;
  /** Attempts that were told to make room for a map and still hold their slots, with their workers. */
  readonly preempting: Map<string, NodeId>;
  readonly jobs: Map<JobId, JobView>;
  /** Holders named by the journal that have not said hello to this leader yet. */
  readonly awaited: Set<NodeId>;
  /** What silent workers ran when they were given up, until they say hello again: only then is it known whether they died. */
  readonly lost: Map<NodeId, LostWorker>;
  /** Who asked for a job that is on its way to the journal: sessions by request id. */
  readonly submitters: Map<string, number>;
  /** Submits judged negatively: they wait until the journal was read to its end. */
  readonly refusals: (Intent & { type: 'accept' })[];
  /** Highest of what others say was durable, and this journal knows nothing of; waits until it was read to its end. */
  rumour: EpochPlace | undefined;
  /** Who asks for a job that was accepted once and is not in this journal: sessions by request id. They wait likewise. */
  readonly missing: Map<string, { readonly session: number; readonly slot: number }>;
  draining: boolean;
}

export interface WorkerView {
  readonly life: NodeLife;
  readonly slots: number;
  /** 0 while its session is broken and it may come back. */
  session: number;
  /** Assignments the session allows, and has had, in total. */
  credit: number;
  assigned: number;
  readonly live: Map<string, LiveAttempt>;
  /** How much of each job's list of outputs this session has been told. */
  readonly outputsSent: Map<JobId, number>;
}

export interface LostWorker {
  readonly life: NodeLife;
  /** Those that had begun, as far as is known. */
  readonly attempts: readonly LiveAttempt[];
}

export interface LiveAttempt {
  readonly id: AttemptId;
  readonly node: NodeId;
  /** Made as a copy of another attempt that still lives: one that is left alone is the task's only attempt, and no copy. */
  speculative: boolean;
  readonly assignedAt: number;
  /** It ran already when this leader heard of it. */
  readonly adopted: boolean;
  /** Given ahead of time and, as far as is known, still in its worker's queue. */
  queued: boolean;
  /** Since when it has run, with all that it waits for. */
  workingSince: number;
  /** A reduce that can do no more until other maps are committed. */
  waiting: boolean;
  readonly limitUs: number;
  done: number;
  total: number;
}

export interface JobView {
  readonly job: JobId;
  readonly idleMaps: IntHeap;
  readonly idleReduces: IntHeap;
  /** Tasks with live attempts, or a record under way. */
  readonly active: Map<TaskIndex, ActiveTask>;
  /** Live attempts of all its tasks. */
  live: number;
  /** The last attempt number given per task in this epoch. */
  readonly attempts: Map<TaskIndex, number>;
  /** The list that `outputs.changed` tells in pieces. */
  readonly outputs: OutputChange[];
  /** How much of it workers may be told by now. */
  tellable: number;
  readonly maps: PhaseView;
  readonly reduces: PhaseView;
  /** Workers that failed tasks of this job (exclusion.ts). */
  readonly conduct: Map<NodeId, Conduct>;
  /** Holders of map outputs that did not answer, and the readers they did not answer. */
  readonly unreadable: Map<NodeId, NodeId[]>;
  /** Holders that were given up: no map is run there while another worker is left. */
  readonly shunned: Set<NodeId>;
  /** Maps that each node was the holder of, at some time: who holds an output now, its commit says. */
  readonly held: Map<NodeId, Set<TaskIndex>>;
  /** Outputs that are lost and not made again yet. */
  readonly lost: Map<TaskIndex, OutputChange>;
  /** What the last commit of a map left out, where it left out something. */
  readonly skips: Map<TaskIndex, readonly string[]>;
  /** Sessions of clients that follow the job. */
  readonly followers: Set<number>;
  /** Invalidations on their way to the journal: until they are there, a reduce would only read what is lost. */
  doubts: number;
  /** `output.publish` was asked for by this leader. */
  publishing: boolean;
  /** A terminal record is queued. */
  ending: boolean;
}

export interface Conduct {
  /** Tasks that failed on this worker and nowhere else. */
  failed: TaskIndex[];
  /** How often it was excluded: each time doubles the next. */
  exclusions: number;
  /** Beginning and end of its exclusion; the end is 0 when it is not excluded. */
  sinceUs: number;
  untilUs: number;
  /** It was excluded before and has not shown since that it can do better. */
  probation: boolean;
}

export interface ActiveTask {
  readonly live: LiveAttempt[];
  /** The first completion that was proposed as the task's commit. */
  committing: AttemptId | undefined;
  /** Commits and failures of this task on their way to the journal: until they are there, the task is not given out. */
  recording: number;
}

export interface PhaseView {
  attempts: number;
  stale: number;
  speculative: number;
  /** Of the attempts that were committed, from assignment to report. */
  readonly durations: Histogram;
  /** All tasks were committed, and that was said: again only after one was lost. */
  done: boolean;
}

/** One step under way: its time, and the effects so far. */
export interface Turn {
  readonly now: number;
  readonly out: MasterEffect[];
}

export function initMaster(config: ClusterConfig, life: NodeLife, formerly?: EpochPlace): MasterState {
  return {
    config,
    life,
    deadlines: noDeadlines(),
    durable: emptyDurable(),
    role: 'standby',
    journal: {
      reading: false,
      readSlot: 0,
      readAgain: false,
      intents: [],
      pending: undefined,
      appends: 0,
      writing: undefined,
      tailBytes: 0,
      loading: undefined,
    },
    lease: { request: 0, askedAt: 0, until: 0 },
    epochLost: 0,
    ...(formerly ? { formerly } : {}),
    sessions: new Map(),
    leading: undefined,
  };
}

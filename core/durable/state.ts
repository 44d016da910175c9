/**
 * The durable state: what folding the journal gives. Every master, leader or standby, holds the same one up to the
 * slot it has read to. Only durable/apply.ts changes it.
 */
import type { Generation } from '../generation.js';
import {
  type AttemptId,
  type Epoch,
  type JobId,
  type NodeId,
  type NodeLife,
  sameLife,
  type TaskIndex,
} from '../ids.js';
import type { Counters, Failure, JobFailure, JobSpec, Output } from '../records.js';

export interface DurableState {
  /** The last slot applied; 0 before the first. */
  slot: number;
  /** Nonce of that slot's entry; '' before the first. */
  nonce: string;
  epoch: Epoch;
  /** In which slots the last few epochs began, oldest first: what a slot can have been in which epoch. */
  eras: Era[];
  snapshots: Snapshots;
  leader: NodeLife | undefined;
  /** In the order of acceptance: job n is at index n - 1. */
  jobs: DurableJob[];
  /** One job per request id for ever. */
  jobByRequest: Map<string, JobId>;
}

export interface Era {
  readonly epoch: Epoch;
  readonly slot: number;
  readonly leader: NodeLife;
}

/** Where snapshots lie in the journal: what may be trimmed, and when the next is due. */
export interface Snapshots {
  /** The last one that is whole. */
  last: SnapshotPlace | undefined;
  /** The one behind it, which is kept as well: everything below may be trimmed. */
  behind: SnapshotPlace | undefined;
  /** One of which some parts are there, and nothing after them. */
  open: SnapshotPlace | undefined;
}

/** The first part's slot and nonce, and how many parts there are. */
export interface SnapshotPlace {
  readonly slot: number;
  readonly nonce: string;
  readonly parts: number;
}

export interface DurableJob {
  readonly job: JobId;
  /** In which it was accepted: no attempt of it is older. */
  readonly epoch: Epoch;
  readonly requestId: string;
  readonly spec: JobSpec;
  /** `open` until the point of no return; the last two are terminal. */
  phase: 'open' | 'publishing' | 'published' | 'failed';
  failure: JobFailure | undefined;
  /** By task index; sparse until committed. */
  commits: (Commit | undefined)[];
  /** Committed and not invalidated. */
  mapsCommitted: number;
  reducesCommitted: number;
  /** Over the last known digest of every map: what a reduce must have read to be committed. */
  generation: Generation;
  /** Only tasks to which something bad has happened. */
  troubles: Map<TaskIndex, Trouble>;
  /** The last few counted failures, for people. */
  failures: { attempt: AttemptId; node: NodeId; failure: Failure }[];
}

/** A task's committed result. With `valid` false its file is lost, and digest and counters wait for a replacement. */
export interface Commit {
  readonly attempt: AttemptId;
  readonly holder: NodeLife;
  readonly output: Output;
  readonly counters: Counters;
  /** The bad records it left out, sorted. */
  readonly skipped: readonly string[];
  valid: boolean;
}

export interface Trouble {
  /** Counted failures. */
  failed: number;
  /** Counted failures that were time-outs: each doubles the next limit. */
  timedOut: number;
  /** The last counted failure. */
  last: Failure | undefined;
  /** Deaths of whole processes while they ran this task. */
  deaths: number;
  /** Where it failed: never tried there again while another worker lives. */
  nodes: NodeId[];
  /** Attempts that can never be committed: failed, died or invalidated. */
  dead: AttemptId[];
  invalidated: number;
  /** Records at which user code failed, and how often; only where the job skips such records (durable/skips.ts). */
  badRecords: BadRecord[];
}

export interface BadRecord {
  readonly record: string;
  times: number;
}

/** Failures kept for people. */
export const failuresKept = 8;

/** Epochs whose beginnings are remembered. */
export const erasKept = 16;

export function emptyDurable(): DurableState {
  return {
    slot: 0,
    nonce: '',
    epoch: 0,
    eras: [],
    snapshots: { last: undefined, behind: undefined, open: undefined },
    leader: undefined,
    jobs: [],
    jobByRequest: new Map(),
  };
}

/** Whether a state of more slots is one of the same history, as far as both remember: who began which epoch, and where. */
export function isContinuedBy(known: DurableState, later: DurableState): boolean {
  const firstKept = later.eras[0]?.epoch ?? 0;
  const agree = known.eras.every(({ epoch, slot, leader }) => {
    const same = later.eras.find((era) => era.epoch === epoch);
    return epoch < firstKept || (same?.slot === slot && sameLife(same.leader, leader));
  });
  return agree && mayHaveBeen(later, known.epoch, known.slot);
}

/** Whether slot `slot` can have been durable while epoch `epoch` was the last, as this journal tells its history. */
export function mayHaveBeen(state: DurableState, epoch: Epoch, slot: number): boolean {
  const next = state.eras.find((era) => era.epoch > epoch);
  return next ? slot < next.slot : epoch <= state.epoch && slot <= state.slot;
}

export function findJob(state: DurableState, job: JobId): DurableJob | undefined {
  return state.jobs[job - 1];
}

/**
 * The job that an attempt is one of. Not by its number alone: a store that has lost a job gives the number again, and
 * attempts of the lost one may still run.
 */
export function jobOf(state: DurableState, attempt: AttemptId): DurableJob | undefined {
  const job = findJob(state, attempt.job);
  return job && attempt.epoch >= job.epoch ? job : undefined;
}

export function isTerminal(job: DurableJob): boolean {
  return job.phase === 'published' || job.phase === 'failed';
}

export function isMap(job: DurableJob, task: TaskIndex): boolean {
  return task < job.spec.maps;
}

export function validCommit(job: DurableJob, task: TaskIndex): Commit | undefined {
  const commit = job.commits[task];
  return commit?.valid ? commit : undefined;
}

export function isDead(job: DurableJob, attempt: AttemptId): boolean {
  const dead = job.troubles.get(attempt.task)?.dead;
  return dead?.some((other) => other.epoch === attempt.epoch && other.n === attempt.n) ?? false;
}

/** Counters of committed attempts only: each task counts once, however often it ran. Sorted by name. */
export function sumCounters(job: DurableJob): Counters {
  const names: string[] = [];
  const sums: number[] = [];
  const places = new Map<string, number>();
  for (const commit of job.commits) {
    if (!commit?.valid) continue;
    // Nearly all tasks count the same things in the same order: the next name is at the next place.
    let next = 0;
    for (const [name, value] of commit.counters) {
      let place = names[next] === name ? next : places.get(name);
      if (place === undefined) places.set(name, (place = names.push(name) - 1));
      sums[place] = (sums[place] ?? 0) + value;
      next = place + 1;
    }
  }
  const counters = names.map((name, place) => [name, sums[place]!] as const);
  return counters.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

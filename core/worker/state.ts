/**
 * The worker's state: which master it talks to, what it runs, and what it finished without an answer.
 */
import type { ClusterConfig } from '../config.js';
import { type Deadlines, noDeadlines } from '../deadlines.js';
import type { WorkerEffect } from '../effects.js';
import type { AttemptId, Epoch, JobId, NodeLife, TaskIndex } from '../ids.js';
import { type MasterLink, newLink } from '../link.js';
import type {
  AttemptAssign,
  BrokenAttempt,
  FinishedAttempt,
  StarvedAttempt,
  WorkerHello,
} from '../messages.js';

export interface WorkerState {
  readonly config: ClusterConfig;
  readonly life: NodeLife;
  readonly slots: number;
  /** What the supervisor knows of the life before this one. */
  readonly previous: WorkerHello['previous'];
  readonly deadlines: Deadlines;
  readonly link: MasterLink;
  /** Highest (epoch, slot) heard of: orders of a lower epoch are refused. The slot was durable in that epoch. */
  epochSeen: Epoch;
  slotSeen: number;
  /** Assignments that the present session allows, in total. */
  credit: number;
  /** How many of them have been given. */
  assigned: number;
  /** By attempt key. */
  readonly running: Map<string, RunningAttempt>;
  /** Given ahead of time, and not begun: the next to run first, by attempt key. */
  readonly queued: Map<string, AttemptAssign>;
  /** How long attempts take of late, in microseconds: a running average; 0 while nothing is known. */
  typicalUs: number;
  /** Finished, and kept until the answer says what may be done with its files. */
  readonly finished: Map<string, FinishedAttempt & { readonly maps: number }>;
  /** Reduces given back because of an input, until the master has said that it knows. */
  readonly starved: Map<string, StarvedAttempt>;
  /** Failed, and kept until the master has said that it knows. */
  readonly broken: Map<string, BrokenAttempt>;
  /** By job of which this life may hold something, until the job ends: the last attempt that it has begun of each task. */
  readonly begun: Map<JobId, Map<TaskIndex, AttemptId>>;
  /** Length of each job's list of map outputs, as learned from the present master. */
  readonly outputs: Map<JobId, number>;
}

export interface RunningAttempt {
  readonly attempt: AttemptId;
  readonly maps: number;
  /** What it was told to leave out; absent when nothing. */
  readonly skip: readonly string[] | undefined;
  readonly startedAt: number;
  done: number;
  total: number;
  waiting: boolean;
  /** `aborting` waits for the executor to let go. */
  state: 'running' | 'aborting';
}

export interface WorkerTurn {
  readonly now: number;
  readonly out: WorkerEffect[];
}

export interface WorkerSetup {
  readonly life: NodeLife;
  readonly slots: number;
  readonly previous?: NonNullable<WorkerHello['previous']>;
}

export function initWorker(config: ClusterConfig, setup: WorkerSetup): WorkerState {
  return {
    config,
    life: setup.life,
    slots: setup.slots,
    previous: setup.previous,
    deadlines: noDeadlines(),
    link: newLink(),
    epochSeen: 0,
    slotSeen: 0,
    credit: 0,
    assigned: 0,
    running: new Map(),
    queued: new Map(),
    typicalUs: 0,
    finished: new Map(),
    starved: new Map(),
    broken: new Map(),
    begun: new Map(),
    outputs: new Map(),
  };
}

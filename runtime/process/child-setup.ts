/**
 * What a supervisor gives a child process to start with, and what the two say to each other afterwards, over the
 * channel that Node opens between them. When that channel closes, the parent is gone, and the child goes too.
 */
import type { ClusterConfig } from '../../core/config.js';
import type { DecisionFacts, Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import type { AttemptId, NodeId, NodeLife } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import type { WorkerHello } from '../../core/messages.js';
import type { CrashPoint, ReachedFor } from '../node/crash-points.js';
import type { PublishTrouble } from '../node/master-node.js';

export interface ChildSetup {
  readonly role: 'master' | 'worker';
  readonly life: NodeLife;
  readonly config: ClusterConfig;
  /** Of a master: what those of former starts have left a record of. */
  readonly formerly?: EpochPlace;
  readonly dataDirectory: string;
  readonly runId: string;
  /** Sockets of all masters. */
  readonly addresses: readonly (readonly [NodeId, string])[];
  /** Folder of the sockets through which workers read each other's map outputs; absent when these are shared. */
  readonly shuffleDirectory?: string;
  readonly slots: number;
  readonly heapMiB: number;
  readonly previous?: NonNullable<WorkerHello['previous']>;
  readonly points: readonly CrashPoint[];
  /** Send every step to the parent: a rehearsal's triggers need them. */
  readonly watched: boolean;
  /** A rehearsal's faults name single attempts: the worker asks which of its task's each one is before it begins it. */
  readonly asksOrdinals: boolean;
}

export type ToParent =
  /** It is a node from here on, and what ends it now is no refused start. */
  | { readonly type: 'began' }
  | { readonly type: 'step'; readonly event: MachineEvent; readonly effects: readonly Effect[] }
  /** The process is about to be hit. */
  | { readonly type: 'point'; readonly point: CrashPoint; readonly on: ReachedFor }
  /** Which of its task's attempts is this one? */
  | { readonly type: 'ordinal-wanted'; readonly attempt: AttemptId }
  /** The disk takes no more of the trace: the node goes on without. */
  | { readonly type: 'untraced'; readonly message: string }
  /** The store has lost what it had acknowledged: a master goes on above that. */
  | { readonly type: 'went-back'; readonly facts: DecisionFacts }
  /** The output does not come to its place, at least not yet. */
  | ({ readonly type: 'unpublished' } & PublishTrouble)
  | {
      readonly type: 'failed';
      readonly name: string;
      readonly message: string;
      readonly stack: string;
      /** If it was a system call that failed. */
      readonly call?: { readonly code: string; readonly syscall: string; readonly path?: string };
    };

/** What is for whoever watches the processes: the rest the supervisor answers itself. */
export type Said = Exclude<ToParent, { readonly type: 'began' | 'ordinal-wanted' }>;

export type ToChild =
  /** The first message, and what the process is for. */
  | { readonly type: 'setup'; readonly setup: ChildSetup }
  /** There is a master to dial: who dials before is sent away, and comes back only a while later. */
  | { readonly type: 'dial' }
  /** The run is coming to its end, and with it, when the parent says so, this process: not before, whoever else wants it. */
  | { readonly type: 'stay' }
  | { readonly type: 'slow'; readonly factor: number }
  /** From now on these crash points count, and no others. */
  | { readonly type: 'points'; readonly points: readonly CrashPoint[] }
  /** The answer to `ordinal-wanted`. */
  | { readonly type: 'ordinal'; readonly attempt: AttemptId; readonly ordinal: number };

/**
 * A scenario after loading: a cluster, jobs, faults and what is expected, with every default filled in and every
 * duration in microseconds. Both drivers work from this; nothing here knows which one.
 */

import type { JobPolicy } from '../../core/records.js';
import type { Poison } from '../../jobs/poison.js';
import type { Job } from '../../jobs/types.js';
import type { Bounds } from '../explore/cluster/bounds.js';
import type { Range } from '../random.js';
import type { FactName, MessageType } from './fact-names.js';

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly file: string;
  readonly seed: string;
  /** What the placeholders of `vary` stand for in this variant. */
  readonly variant: Readonly<Record<string, string>>;
  /** The time of day at which it begins, for people: microseconds since midnight. Without one, times count from 0. */
  readonly startsUs?: number;
  readonly cluster: ScenarioCluster;
  /** One after another, each submitted when the one before has concluded; or at a time of its own. */
  readonly jobs: readonly ScenarioJob[];
  readonly faults: readonly Fault[];
  readonly heal?: Healing;
  /** For the explorer: how many of each fault a run may have. */
  readonly explore?: Partial<Bounds>;
  readonly expect: Expectation;
}

/**
 * From this time on these nodes and all clients are up, at full speed, with their disks, and reach each other and the
 * store, whatever the faults say; the rest stays as broken as it is. Then the jobs must end.
 */
export interface Healing {
  readonly atUs: number;
  /** By name: at least one master and one worker. */
  readonly nodes: readonly string[];
}

export interface ScenarioCluster {
  readonly masters: number;
  readonly workers: number;
  /** Of each worker. */
  readonly slots: number;
  readonly mapOutputs: 'shared' | 'worker';
  /** One way, per message. */
  readonly latencyUs: Range;
  readonly beatUs: number;
  readonly suspectUs: number;
  readonly workerLeaseUs: number;
  readonly reconnectUs: number;
  readonly masterLeaseUs: number;
  /** Nodes that keep the journal and the lease; a majority of them is enough. */
  readonly stores: number;
  /** Slots between two snapshots of the journal. */
  readonly snapshotSlots: number;
  /** Which of several jobs gets the next slot. */
  readonly sharing: 'fair' | 'fifo';
  /** How long a worker that fails too much is excluded from a job: the first time, and at most. */
  readonly exclusionUs: number;
  readonly exclusionMaxUs: number;
  /** What each node's clock shows at the start, and how many percent it runs fast or slow at most; drawn per node. */
  readonly clockOffsetUs: Range;
  readonly clockDriftPercent: number;
}

/** What modelled work costs (sim/cost-model.ts). Rates are bytes per second of one attempt. */
export interface ScenarioCost {
  /** So many files of so many bytes each, in order. */
  readonly inputs: readonly { readonly count: number; readonly bytes: number }[];
  readonly splitBytes: number;
  readonly startupUs: Range;
  readonly scanRate: number;
  readonly writeRate: number;
  readonly networkRate: number;
  /** Bytes that maps write for each byte that they read. */
  readonly intermediate: number;
  /** Bytes that reduces write for each byte that they read. */
  readonly output: number;
  /** So many percent of the workers take so many times as long. */
  readonly stragglers: { readonly percent: number; readonly by: Range };
}

/** A job of the user's own. */
export interface OwnJob {
  readonly job: Job;
  /** The same as one module, for whoever runs it in processes of their own; nothing in virtual time does. */
  readonly module: { readonly code: string; readonly hash: string };
}

export interface ScenarioJob {
  /** When it is submitted, whatever the others do. Without one: when the job before it has concluded. */
  readonly atUs?: number;
  /** A built-in job by name, or the file of one's own, relative to the scenario's. */
  readonly run: string;
  /** What is in that file. */
  readonly own?: OwnJob;
  readonly parameters: Readonly<Record<string, string>>;
  /** Texts of the input files, in order. */
  readonly input: readonly string[];
  readonly maps: number;
  readonly reduces: number;
  /** How long an attempt works, drawn per attempt. */
  readonly mapTimeUs: Range;
  readonly reduceTimeUs: Range;
  /** Of single tasks and attempts, in place of these: the first that fits holds. Single attempts come first. */
  readonly times?: readonly TaskTime[];
  /** Instead of drawn times: what attempts cost. Their content is then made up, and the times above are its bounds. */
  readonly cost?: ScenarioCost;
  readonly output: string;
  readonly overwrite: boolean;
  readonly policy: JobPolicy;
  readonly misbehaviours: readonly Misbehaviour[];
  /** What user code cannot stand, in any attempt: `map` throws at these lines, `reduce` at these keys. */
  readonly poison: Poison;
}

/** A task, or one of its attempts by `ordinal`: 1 is the first that any leader ever gave out. */
export interface TaskPattern {
  readonly kind: 'map' | 'reduce';
  /** Among the tasks of its kind. */
  readonly index: number;
  readonly ordinal?: number;
}

/** How long these attempts work. */
export interface TaskTime {
  readonly task: TaskPattern;
  readonly timeUs: Range;
}

/** User code that does not do what it should, in these attempts. */
export interface Misbehaviour {
  readonly task: TaskPattern;
  readonly how: MisbehaviourKind;
}

/**
 * It throws at the end of its work; never ends; answers differently in each attempt; eats memory until its whole process
 * dies; ends its thread.
 */
export type MisbehaviourKind = 'throws' | 'hangs' | 'differs' | 'scatters' | 'exhausts' | 'exits';

/** What a trigger waits for. All that is given must match. */
export interface FactPattern {
  readonly name: FactName;
  readonly job?: number;
  readonly task?: TaskPattern;
  readonly node?: string;
  /** The whole pattern as it was written. */
  readonly text: string;
}

export type Trigger =
  | { readonly kind: 'at'; readonly atUs: number }
  | { readonly kind: 'when'; readonly pattern: FactPattern }
  /** A named place in the code of a driver. */
  | {
      readonly kind: 'point';
      readonly point: string;
      readonly job?: number;
      readonly task?: TaskPattern;
      readonly on?: NodeTarget;
    };

/** A node by name or by its role at the moment when the fault begins. */
export type NodeTarget =
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'leader' }
  /** The node of the triggering fact: at which the point was reached, or which saw it. */
  | { readonly kind: 'it' }
  /** The worker that runs, or ran, the attempt of the triggering fact. */
  | { readonly kind: 'its-worker' }
  | { readonly kind: 'any'; readonly of: 'standby' | 'master' | 'worker' };

/** One node, or all of a kind: an end of links. */
export type EndTarget =
  | NodeTarget
  | { readonly kind: 'all'; readonly of: 'master' | 'worker' | 'client' | 'node' };

/** Every link from a node of the one end to a node of the other; and back, unless it is one-way. */
export interface LinkTarget {
  readonly from: EndTarget;
  readonly to: EndTarget;
  readonly oneWay: boolean;
}

export type FilesTarget =
  | { readonly kind: 'its-output' }
  | { readonly kind: 'attempt'; readonly task: TaskPattern }
  | { readonly kind: 'outputs-of'; readonly worker: NodeTarget };

/** The running attempt that a fault of user code hits. */
export type AttemptTarget =
  | { readonly kind: 'its-attempt' }
  | { readonly kind: 'attempt'; readonly task: TaskPattern };

/** Faults of processes, machines and their clocks. */
export type NodeFault =
  | { readonly kind: 'crash'; readonly target: NodeTarget; readonly restartAfterUs?: number }
  | { readonly kind: 'restart'; readonly target: NodeTarget }
  | { readonly kind: 'pause'; readonly target: NodeTarget }
  | { readonly kind: 'slow'; readonly target: NodeTarget; readonly by: number }
  /** The machine loses power: what it had not synced is lost or, `torn`, half there. */
  | {
      readonly kind: 'blackout';
      readonly target: NodeTarget;
      readonly torn: boolean;
      readonly restartAfterUs?: number;
    }
  /** The node's clock leaps ahead; it never goes back. */
  | { readonly kind: 'jump'; readonly target: NodeTarget; readonly aheadUs: number }
  /** The node's clock runs `by` times as fast. */
  | { readonly kind: 'drift'; readonly target: NodeTarget; readonly by: number };

/** Faults of files and disks. */
export type FileFault =
  | { readonly kind: 'lose' | 'corrupt'; readonly files: FilesTarget }
  /** The worker's disk is full: whatever it writes fails. */
  | { readonly kind: 'fill'; readonly target: NodeTarget };

/** Faults of the network. A percentage is drawn for each message on its own. */
export type LinkFault =
  /** Breaks every session of the node, once or again and again. */
  | { readonly kind: 'drop'; readonly target: NodeTarget }
  | { readonly kind: 'flap'; readonly target: NodeTarget; readonly everyUs: number }
  /** Holds everything up until it heals. */
  | { readonly kind: 'partition'; readonly link: LinkTarget }
  | { readonly kind: 'delay'; readonly link: LinkTarget; readonly extraUs: Range }
  /** A message that is lost takes its session with it, as a stream cannot go on with a hole. */
  | { readonly kind: 'loss'; readonly link: LinkTarget; readonly percent: number }
  /** The message comes twice in a row, as after a sender that repeats itself. */
  | { readonly kind: 'duplicate'; readonly link: LinkTarget; readonly percent: number }
  /** A session that breaks does not take along what is under way: it comes later, perhaps after the next session. */
  | { readonly kind: 'reorder'; readonly link: LinkTarget; readonly extraUs: Range }
  /** The next message (of this type) waits for the end of the fault, and what is behind it in its session as well. */
  | { readonly kind: 'hold'; readonly link: LinkTarget; readonly message?: MessageType }
  /** Messages pass one at a time, with this gap between them. */
  | { readonly kind: 'clog'; readonly link: LinkTarget; readonly gapUs: number };

/** User code that begins to misbehave while it runs. */
export type CodeFault = {
  readonly kind: 'misbehave';
  readonly attempt: AttemptTarget;
  readonly how: MisbehaviourKind;
};

/** Appends of which nobody can say what became of them. */
export interface Blur {
  /** How many of all. */
  readonly percent: number;
  /** How many percent of these happen all the same; the others never do. */
  readonly happen: number;
}

/** Faults of the stores. */
export type StoreFault =
  /** The answer to the node's next append is lost: it happened, and the node cannot know. */
  | { readonly kind: 'obscure'; readonly target: NodeTarget }
  /** The lease service forgets its holder, who does not know, and grants to whoever waits. */
  | { readonly kind: 'expire' }
  /** Journal and lease take these masters `by` times as long. */
  | { readonly kind: 'lag'; readonly masters: EndTarget; readonly by: number }
  /** These masters cannot reach journal and lease. */
  | { readonly kind: 'sever'; readonly masters: EndTarget }
  /** Of some appends nobody can say what became of them. */
  | { readonly kind: 'blur'; readonly masters: EndTarget; readonly blur: Blur }
  /**
   * Nodes of the store die: once, and stay down while the fault lasts; or every so often, to come back after a while.
   * With fewer than a majority up, nobody reaches the store.
   */
  | {
      readonly kind: 'halt';
      readonly stores: StoreTarget;
      readonly every?: { readonly periodUs: number; readonly downUs: number };
    }
  /** The journal is restored from a copy that is older by so many slots. */
  | { readonly kind: 'rewind'; readonly slots: number }
  /** The store fails over to a replica that lags: up to so many of the last confirmed slots are lost. */
  | { readonly kind: 'forget'; readonly slots: number }
  /** The master's next sync of the journal fails, and its process ends. */
  | { readonly kind: 'failSync'; readonly target: NodeTarget; readonly restartAfterUs?: number };

/** One node of the store, from 1, or all. */
export type StoreTarget = { readonly kind: 'store'; readonly node: number } | { readonly kind: 'all-stores' };

/** No fault of anybody's: the user wants the run to wind down. No later job is asked for. */
export type UserFault = { readonly kind: 'drain' };

export type FaultAction = NodeFault | FileFault | LinkFault | CodeFault | StoreFault | UserFault;

export type FaultKind = FaultAction['kind'];

export interface Fault {
  /** Place in the scenario's list, from 0. */
  readonly index: number;
  /** For people. */
  readonly text: string;
  readonly trigger: Trigger;
  /** The trigger counts only once this has happened. */
  readonly after?: FactPattern;
  readonly action: FaultAction;
  /** What ends a lasting fault: a fact, or a time after its beginning. Without either it lasts to the end. */
  readonly until?: FactPattern;
  readonly forUs?: number;
}

export interface Expectation {
  /** Per job, in their order. */
  readonly jobs: readonly ExpectedJob[];
  readonly output: 'same-as-sequential' | 'some-sequential' | 'any';
  /** How many commits, and how many attempts, the first job's tasks have had. */
  readonly commits: readonly { readonly task: TaskPattern; readonly count: number }[];
  readonly attempts: readonly { readonly task: TaskPattern; readonly count: number }[];
  /** Each must have occurred, else the scenario tested nothing. */
  readonly exercised: readonly FactName[];
  /** None may have occurred. */
  readonly not: readonly FactName[];
  /** All jobs concluded by then. */
  readonly withinUs: number;
}

export interface ExpectedJob {
  /** `any`: only the invariants judge. */
  readonly outcome: 'succeeded' | 'failed' | 'refused' | 'drained' | 'any';
  readonly reason?: string;
}

/** `map-0`, `reduce-3@2`. */
export function taskPatternText(task: TaskPattern): string {
  return `${task.kind}-${task.index}${task.ordinal === undefined ? '' : `@${task.ordinal}`}`;
}

/** The names of a scenario's nodes; both drivers use the same. */
export function masterNames(cluster: ScenarioCluster): string[] {
  return Array.from({ length: cluster.masters }, (_, index) => `master-${index + 1}`);
}
export function workerNames(cluster: ScenarioCluster): string[] {
  return Array.from({ length: cluster.workers }, (_, index) => `worker-${index + 1}`);
}
/** Whether some job is submitted without waiting for the one before it. */
export function hasJobsAtOnce({ jobs }: Pick<Scenario, 'jobs'>): boolean {
  return jobs.length > 1 && jobs.some(({ atUs }) => atUs !== undefined);
}
/** One client per job, in their order. */
export function clientName(jobIndex: number): string {
  return `client-${jobIndex + 1}`;
}

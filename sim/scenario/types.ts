/**
 * A scenario after loading: a cluster, jobs, faults and what is expected, with every default filled in and every
 * duration in microseconds. Both drivers work from this; nothing here knows which one.
 */
import type { JobPolicy } from '../../core/records.js';
import type { Range } from '../random.js';
import type { FactName } from './fact-names.js';

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly file: string;
  readonly seed: string;
  /** What the placeholders of `vary` stand for in this variant. */
  readonly variant: Readonly<Record<string, string>>;
  readonly cluster: ScenarioCluster;
  /** One after another: each is submitted when the one before has concluded. */
  readonly jobs: readonly ScenarioJob[];
  readonly faults: readonly Fault[];
  readonly expect: Expectation;
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
}

export interface ScenarioJob {
  /** A built-in job by name. */
  readonly run: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Texts of the input files, in order. */
  readonly input: readonly string[];
  readonly maps: number;
  readonly reduces: number;
  /** How long an attempt works, drawn per attempt. */
  readonly mapTimeUs: Range;
  readonly reduceTimeUs: Range;
  readonly output: string;
  readonly overwrite: boolean;
  readonly policy: JobPolicy;
  readonly misbehaviours: readonly Misbehaviour[];
}

/** A task, or one of its attempts by `ordinal`: 1 is the first that ever started, whoever led then. */
export interface TaskPattern {
  readonly kind: 'map' | 'reduce';
  /** Among the tasks of its kind. */
  readonly index: number;
  readonly ordinal?: number;
}

/** User code that does not do what it should: in these attempts it throws, never ends, or answers differently each time. */
export interface Misbehaviour {
  readonly task: TaskPattern;
  readonly how: 'throws' | 'hangs' | 'differs';
}

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

export type FilesTarget =
  | { readonly kind: 'its-output' }
  | { readonly kind: 'attempt'; readonly task: TaskPattern }
  | { readonly kind: 'outputs-of'; readonly worker: NodeTarget };

export type FaultAction =
  | { readonly kind: 'crash'; readonly target: NodeTarget; readonly restartAfterUs?: number }
  | { readonly kind: 'restart'; readonly target: NodeTarget }
  | { readonly kind: 'pause'; readonly target: NodeTarget }
  | { readonly kind: 'slow'; readonly target: NodeTarget; readonly by: number }
  | { readonly kind: 'lose' | 'corrupt'; readonly files: FilesTarget }
  /** Breaks every session of the node. */
  | { readonly kind: 'drop'; readonly target: NodeTarget }
  | {
      readonly kind: 'partition';
      readonly from: NodeTarget;
      readonly to: NodeTarget;
      /** Only what goes `from` → `to` is held up. */
      readonly oneWay: boolean;
    }
  /** The answer to the node's next append is lost: it happened, and the node cannot know. */
  | { readonly kind: 'obscure'; readonly target: NodeTarget }
  /** The lease service forgets its holder, who does not know, and grants to whoever waits. */
  | { readonly kind: 'expire' };

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
  readonly outcome: 'succeeded' | 'failed';
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
/** One client per job, in their order. */
export function clientName(jobIndex: number): string {
  return `client-${jobIndex + 1}`;
}

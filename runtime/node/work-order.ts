/**
 * What a job is made of, in one document that lies in Files by its hash: code, parameters, inputs, splits, budgets.
 * The core carries only the hash; a worker that runs an attempt reads the document once per job.
 */

import { frozen } from '../../jobs/params.js';
import type { Poison } from '../../jobs/poison.js';
import type { ParamValues } from '../../jobs/types.js';
import type { Commands } from '../commands/command-job.js';
import type { InputFile } from '../data/input-file.js';
import type { SplitRange } from '../data/plan.js';
import { sha256 } from '../sha256.js';
import { StoreDamagedError } from '../store/damage.js';
import type { Files } from '../store/ports.js';

export interface WorkOrder {
  /** Names the workspace beside the output. */
  readonly runId: string;
  readonly code: JobCode;
  /** What the program is called with: the params given, or what a pipeline's own schema made of them. */
  readonly params: ParamValues;
  /** What the job's own schema made of those, where it has one. */
  readonly jobParams?: ParamValues | undefined;
  /** Keys what `ctx.random()` gives. */
  readonly seed: string;
  /** Counted bytes a map attempt gathers before it cuts a sorted run. Part of the spec: it decides where combining stops. */
  readonly budgetBytes: number;
  /** The job has no reduce: its tasks write the output, and count as reduces without maps. */
  readonly mapOnly?: boolean;
  /** For a job that partitions by range: the first key of every partition but the first. */
  readonly boundaries?: readonly string[];
  readonly overwrite: boolean;
  /** Reduces that fetch map outputs from other workers get them packed. */
  readonly packShuffle?: boolean;
  readonly files: readonly InputFile[];
  readonly splits: readonly (readonly SplitRange[])[];
  /** Modelled work: attempts take at least so long. Drawn per task and attempt by `seed`. Microseconds. */
  readonly pace?: Pace;
  /** For a rehearsal: user code that does not do what it should, by task index and, where given, ordinal of the attempt. */
  readonly misbehaviours?: readonly Misbehaviour[];
  /** For a rehearsal: lines and keys at which user code throws, in any attempt. */
  readonly poison?: Poison;
}

/** From, to. */
type TimeUs = readonly [number, number];

export interface Pace {
  readonly mapUs: TimeUs;
  readonly reduceUs: TimeUs;
  /** Of single tasks and, where `ordinal` is given, attempts: the first that fits holds. */
  readonly tasks?: readonly { readonly task: number; readonly ordinal?: number; readonly us: TimeUs }[];
}

export interface Misbehaviour {
  readonly task: number;
  readonly ordinal?: number;
  readonly how: 'throws' | 'hangs' | 'differs' | 'scatters' | 'exhausts' | 'exits';
}

/** A built-in by name, a bundle in Files by its hash, or programs; of a pipeline one stage, counted from 0. */
export type JobCode =
  | { readonly kind: 'commands'; readonly name: string; readonly commands: Commands }
  | { readonly kind: 'builtin'; readonly name: string; readonly stage?: number }
  | { readonly kind: 'bundle'; readonly name: string; readonly hash: string; readonly stage?: number };

/** What the job's functions find as `ctx.params`. */
export function paramsOfTasks({ params, jobParams }: Pick<WorkOrder, 'params' | 'jobParams'>): ParamValues {
  return jobParams ?? params;
}

/** Map tasks as the core counts them. */
export function mapsOf(order: Pick<WorkOrder, 'splits' | 'mapOnly'>): number {
  return order.mapOnly ? 0 : order.splits.length;
}

/** What a worker needs to know itself: the rest is long, and for its executors. */
export type WorkOrderHead = Omit<WorkOrder, 'files' | 'splits'>;

/** Stores the order, its head on a line of its own; its hash is what the journal records. */
export async function storeWorkOrder(files: Files, order: WorkOrder): Promise<string> {
  const { files: inputs, splits, ...head } = order;
  const bytes = Buffer.from(`${JSON.stringify(head)}\n${JSON.stringify({ files: inputs, splits })}`);
  const hash = sha256(bytes);
  await files.putIfAbsent(hash, bytes);
  return hash;
}

/** Orders of 0.1.0 are on one line. */
export async function loadWorkOrder(files: Files, hash: string): Promise<WorkOrder> {
  const lines = (await bytesOf(files, hash)).toString().split('\n');
  const order = Object.assign({}, ...lines.map((line) => JSON.parse(line))) as WorkOrder;
  frozen(order.params);
  if (order.jobParams) frozen(order.jobParams);
  return order;
}

export async function loadWorkOrderHead(files: Files, hash: string): Promise<WorkOrderHead> {
  const bytes = await bytesOf(files, hash);
  const end = bytes.indexOf('\n');
  return JSON.parse(bytes.toString('utf8', 0, end < 0 ? bytes.length : end)) as WorkOrderHead;
}

async function bytesOf(files: Files, hash: string): Promise<Buffer> {
  const bytes = await files.get(hash);
  if (!bytes) throw new StoreDamagedError(`the work order ${hash} is not in the store`);
  return bytes;
}

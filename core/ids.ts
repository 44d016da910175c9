/**
 * What things are called. Every id is plain data: it can be compared, hashed, put in a trace and said aloud.
 */

/** A node's name, unique in a cluster and stable over restarts: `master-1`, `worker-2`, `client-1`. */
export type NodeId = string;

/** One life of a node: `incarnation` grows with every start of the same node, so that an old life is told from a new one. */
export interface NodeLife {
  readonly node: NodeId;
  readonly incarnation: number;
}

/** A leader's term. Grows by one with every `leader.began` in the journal; 0 means "no leader yet". */
export type Epoch = number;

/** A job's number: 1, 2, 3 … in the order in which the journal accepted them. */
export type JobId = number;

/** A task's index within its job: 0 … maps-1 are the maps, maps … maps+reduces-1 the reduces. */
export type TaskIndex = number;

/**
 * One try at a task. (epoch, job, task, n) is never reused: the leader of an epoch counts `n` up from 1 for each
 * task, and no two leaders share an epoch.
 */
export interface AttemptId {
  readonly job: JobId;
  readonly task: TaskIndex;
  readonly epoch: Epoch;
  readonly n: number;
}

export function sameAttempt(a: AttemptId, b: AttemptId): boolean {
  return a.n === b.n && a.task === b.task && a.epoch === b.epoch && a.job === b.job;
}

/** Total order of a task's attempts: later epochs first win, then later numbers. Negative when `a` is older. */
export function compareAttempts(a: AttemptId, b: AttemptId): number {
  return a.epoch - b.epoch || a.n - b.n;
}

export function sameLife(a: NodeLife, b: NodeLife): boolean {
  return a.node === b.node && a.incarnation === b.incarnation;
}

/** `worker-1.2`: unique in a cluster, and what its trace file is called. */
export function lifeName({ node, incarnation }: NodeLife): string {
  return `${node}.${incarnation}`;
}

/** The name people use for a task: `map-0`, `reduce-3`. Where nothing is mapped before, the tasks are the maps. */
export function taskName(task: TaskIndex, maps: number): string {
  return task < maps || maps === 0 ? `map-${task}` : `reduce-${task - maps}`;
}

interface KnownKey extends AttemptId {
  readonly key: string;
}

/** Keys made before, each at a place that its id gives; one is asked for again as long as its attempt lives. */
const knownKeys: (KnownKey | undefined)[] = new Array(4096).fill(undefined);

/** A key for maps and files; unique for ever within one cluster. */
export function attemptKey({ job, task, epoch, n }: AttemptId): string {
  const place = (task ^ (n << 10) ^ (epoch << 8) ^ (job << 6)) & 4095;
  const known = knownKeys[place];
  if (known?.task === task && known.n === n && known.epoch === epoch && known.job === job) return known.key;
  const key = `${job}.${task}.${epoch}.${n}`;
  knownKeys[place] = { job, task, epoch, n, key };
  return key;
}

/** A key for a task within a cluster. */
export function taskKey(job: JobId, task: TaskIndex): string {
  return `${job}.${task}`;
}

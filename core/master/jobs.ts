/**
 * The leader's view of a job: which tasks wait, which run, and what the job's next step is.
 */
import {
  type Commit,
  type DurableJob,
  findJob,
  isMap,
  sumCounters,
  type Trouble,
  validCommit,
} from '../durable/state.js';
import { newHistogram } from '../histogram.js';
import { type AttemptId, type JobId, type NodeId, type TaskIndex, taskName } from '../ids.js';
import { type IntHeap, popInt, pushInt } from '../int-heap.js';
import { invariant } from '../invariant-error.js';
import type { InvalidationReason, JobFailure } from '../records.js';
import { isComplete } from './intents.js';
import { propose } from './journal.js';
import type { ActiveTask, JobView, MasterState, PhaseView, Turn } from './state.js';

export function openJobView(job: DurableJob): JobView {
  const view: JobView = {
    job: job.job,
    idleMaps: [],
    idleReduces: [],
    active: new Map(),
    live: 0,
    attempts: new Map(),
    outputs: [],
    tellable: 0,
    maps: newPhase(job.mapsCommitted === job.spec.maps),
    reduces: newPhase(job.reducesCommitted === job.spec.reduces),
    conduct: new Map(),
    unreadable: new Map(),
    shunned: new Set(),
    held: new Map(),
    lost: new Map(),
    skips: new Map(),
    followers: new Set(),
    doubts: 0,
    publishing: false,
    ending: false,
  };
  for (let task = 0; task < job.commits.length; task++) {
    const commit = validCommit(job, task);
    const last = job.commits[task];
    if (last && last.skipped.length > 0) view.skips.set(task, last.skipped);
    if (last && !commit && isMap(job, task))
      view.lost.set(task, { attempt: last.attempt, digest: last.output.digest });
    if (!commit) makeIdle(view, job, task);
    else if (isMap(job, task)) {
      noteHolder(view, task, commit.holder.node);
      view.outputs.push({
        attempt: commit.attempt,
        digest: commit.output.digest,
        holder: commit.holder.node,
      });
    }
  }
  view.tellable = view.outputs.length;
  return view;
}

function newPhase(done: boolean): PhaseView {
  return { attempts: 0, stale: 0, speculative: 0, durations: newHistogram(), done };
}

/** The task waits for a worker. Queuing it twice is harmless: whoever takes it looks again whether it is needed. */
export function makeIdle(view: JobView, job: DurableJob, task: TaskIndex): void {
  pushInt(isMap(job, task) ? view.idleMaps : view.idleReduces, task);
}

/** Whether the task has neither a result, nor one under way, nor a live attempt. */
export function isIdle(view: JobView, job: DurableJob, task: TaskIndex): boolean {
  const active = view.active.get(task);
  return (
    validCommit(job, task) === undefined && (!active || (active.live.length === 0 && active.recording === 0))
  );
}

/** Takes the lowest task that waits for a worker, or undefined. */
export function popIdle(heap: IntHeap, view: JobView, job: DurableJob): TaskIndex | undefined {
  for (let task = popInt(heap); task !== undefined; task = popInt(heap)) {
    if (isIdle(view, job, task)) return task;
  }
  return undefined;
}

export function activeTask(view: JobView, task: TaskIndex): ActiveTask {
  let active = view.active.get(task);
  if (!active) {
    active = { live: [], committing: undefined, recording: 0 };
    view.active.set(task, active);
  }
  return active;
}

/** Forgets a task that nobody runs, and queues it when it still needs a result. */
export function settleTask(view: JobView, job: DurableJob, task: TaskIndex): void {
  const active = view.active.get(task);
  if (active && (active.live.length > 0 || active.recording > 0)) return;
  view.active.delete(task);
  if (job.phase === 'open' && validCommit(job, task) === undefined) makeIdle(view, job, task);
}

/** A record about the task is on its way to the journal. Undone by `recorded`. */
export function recording(view: JobView, task: TaskIndex): ActiveTask {
  const active = activeTask(view, task);
  active.recording++;
  return active;
}

/** The record is durable, or was dropped. */
export function recorded(view: JobView, job: DurableJob, task: TaskIndex): void {
  const active = view.active.get(task);
  if (!active) return;
  active.recording--;
  if (active.recording === 0) active.committing = undefined;
  settleTask(view, job, task);
}

export function noteHolder(view: JobView, map: TaskIndex, node: NodeId): void {
  const maps = view.held.get(node);
  if (maps) maps.add(map);
  else view.held.set(node, new Set([map]));
}

/** The valid commits of maps whose outputs this node holds, lowest first. O(maps that it has run). */
export function heldBy(view: JobView, job: DurableJob, node: NodeId): Commit[] {
  const commits: Commit[] = [];
  for (const map of [...(view.held.get(node) ?? [])].sort((a, b) => a - b)) {
    const commit = validCommit(job, map);
    if (commit?.holder.node === node) commits.push(commit);
  }
  return commits;
}

/** Proposes that a committed map's output is lost. */
export function doubt(
  state: MasterState,
  view: JobView,
  attempt: AttemptId,
  reason: InvalidationReason,
): void {
  view.doubts++;
  propose(state, { type: 'invalidate', attempt, reason });
}

export function phaseOf(view: JobView, job: DurableJob, task: TaskIndex): PhaseView {
  return isMap(job, task) ? view.maps : view.reduces;
}

/** Looks at what the journal says of a job, and begins whatever follows from it. Safe to call at any time. */
export function reviewJob(state: MasterState, turn: Turn, id: JobId): void {
  const job = findJob(state.durable, id);
  const view = state.leading?.jobs.get(id);
  if (!job || !view) return;
  if (job.phase === 'publishing') {
    publish(turn, job, view);
    return;
  }
  if (job.phase !== 'open' || view.ending) return;
  const failure = whyFailed(state, job);
  if (failure) {
    view.ending = true;
    propose(state, { type: 'fail-job', job: id, failure });
  } else if (isComplete(job)) {
    view.ending = true;
    propose(state, { type: 'publishing', job: id });
  }
}

function publish(turn: Turn, job: DurableJob, view: JobView): void {
  if (view.publishing) return;
  view.publishing = true;
  const { maps, work, output } = job.spec;
  const parts = job.commits.slice(maps).map((commit) => {
    invariant(commit?.valid === true, 'M2', `job ${job.job} publishes an output that is not committed`);
    return { attempt: commit.attempt, digest: commit.output.digest, bytes: commit.output.bytes };
  });
  const counters = sumCounters(job);
  turn.out.push({
    type: 'output.publish',
    job: job.job,
    requestId: job.requestId,
    work,
    output,
    counters,
    parts,
  });
}

/** The first task, if any, that has failed for good. */
function whyFailed(state: MasterState, job: DurableJob): JobFailure | undefined {
  for (const [task, trouble] of job.troubles) {
    const failure = whyTaskFailed(state, job, task, trouble);
    if (failure) return failure;
  }
  return undefined;
}

function whyTaskFailed(
  state: MasterState,
  job: DurableJob,
  task: TaskIndex,
  trouble: Trouble,
): JobFailure | undefined {
  const name = taskName(task, job.spec.maps);
  const { last } = trouble;
  const failure = last ? { failure: last } : {};
  if (last?.kind === 'input-changed') {
    return { reason: 'input-changed', message: last.message, task, ...failure };
  }
  if (trouble.failed >= job.spec.policy.maxAttempts) {
    const message = `${name} failed ${trouble.failed} times; the limit is ${job.spec.policy.maxAttempts}`;
    return { reason: last?.kind === 'disk' ? 'disk' : 'task-failed', message, task, ...failure };
  }
  if (trouble.deaths >= state.config.workerDeathsMax) {
    const message = `${trouble.deaths} worker processes died while running ${name}`;
    return { reason: 'workers-died', message, task, ...failure };
  }
  return undefined;
}

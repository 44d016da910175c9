import { type DurableJob, findJob, isMap } from '../durable/state.js';
import { type NodeId, type TaskIndex, taskName } from '../ids.js';
import { type IntHeap, popInt, pushInt } from '../int-heap.js';
import { isIdle, phaseOf } from './jobs.js';
import { track } from './live.js';
import type { JobView, Leading, LiveAttempt, MasterState, Turn, WorkerView } from './state.js';

/** Hands out tasks until no worker has credit or no task may go to one that has. */
export function assignAll(state: MasterState, turn: Turn): void {
  const { leading } = state;
  if (!leading || leading.draining || leading.ready.size === 0 || leading.awaited.size > 0) return;
  for (let given = true; given && leading.ready.size > 0; ) {
    given = false;
    for (const node of [...leading.ready]) {
      const worker = leading.workers.get(node)!;
      if (assignOne(state, turn, leading, worker)) given = true;
    }
  }
}

function assignOne(state: MasterState, turn: Turn, leading: Leading, worker: WorkerView): boolean {
  for (const view of leading.jobs.values()) {
    const job = findJob(state.durable, view.job)!;
    if (job.phase !== 'open' || view.ending) continue;
    const mapping = job.mapsCommitted < job.spec.maps;
    if (!mapping && view.doubts > 0) continue;
    const heap = mapping ? view.idleMaps : view.idleReduces;
    const task = takeIdle(heap, view, job, worker.life.node, leading);
    if (task === undefined) continue;
    assign(state, turn, { job, view, task, worker, speculative: false });
    return true;
  }
  return false;
}

/** Takes the lowest waiting task that this node may run; those it may not stay queued. */
function takeIdle(
  heap: IntHeap,
  view: JobView,
  job: DurableJob,
  node: NodeId,
  leading: Leading,
): TaskIndex | undefined {
  const refused: TaskIndex[] = [];
  let found: TaskIndex | undefined;
  for (let task = popInt(heap); task !== undefined; task = popInt(heap)) {
    if (!isIdle(view, job, task)) continue;
    if (mayRun(leading, job, task, node)) {
      found = task;
      break;
    }
    refused.push(task);
  }
  for (const task of refused) pushInt(heap, task);
  return found;
}

/** Not where it failed before, while some other worker lives where it has not. */
function mayRun(leading: Leading, job: DurableJob, task: TaskIndex, node: NodeId): boolean {
  const failedOn = job.troubles.get(task)?.nodes;
  if (!failedOn?.includes(node)) return true;
  for (const worker of leading.workers.values()) {
    if (worker.session !== 0 && !failedOn.includes(worker.life.node)) return false;
  }
  return true;
}

interface Assignment {
  readonly job: DurableJob;
  readonly view: JobView;
  readonly task: TaskIndex;
  readonly worker: WorkerView;
  readonly speculative: boolean;
}

/** Begins a new attempt of the task on the worker. */
export function assign(state: MasterState, turn: Turn, assignment: Assignment): void {
  const { job, view, task, worker, speculative } = assignment;
  const leading = state.leading!;
  const n = (view.attempts.get(task) ?? 0) + 1;
  view.attempts.set(task, n);
  const attempt: LiveAttempt = {
    id: { job: job.job, task, epoch: leading.epoch, n },
    node: worker.life.node,
    speculative,
    assignedAt: turn.now,
    limitUs: limitOf(job, task),
    progressedAt: turn.now,
    done: 0,
    total: 0,
  };
  track(state, turn, view, worker, attempt);
  worker.assigned++;
  if (worker.assigned >= worker.credit) leading.ready.delete(worker.life.node);
  const phase = phaseOf(view, job, task);
  phase.attempts++;
  if (speculative) phase.speculative++;
  if (!isMap(job, task)) tellOutputs(state, turn, view, worker);
  const { work, maps, reduces, output } = job.spec;
  turn.out.push({
    type: 'decide',
    decision: 'attempt-assigned',
    attempt: attempt.id,
    node: worker.life.node,
    facts: { task: taskName(task, maps), speculative },
  });
  turn.out.push({
    type: 'message.send',
    to: worker.life.node,
    session: worker.session,
    message: {
      type: 'attempt.assign',
      epoch: leading.epoch,
      incarnation: worker.life.incarnation,
      attempt: attempt.id,
      work,
      maps,
      reduces,
      output,
      outputsVersion: isMap(job, task) ? 0 : view.outputs.length,
    },
  });
}

/** How long an attempt of the task may stand still, in microseconds: twice as long after each time-out. */
export function limitOf(job: DurableJob, task: TaskIndex): number {
  return job.spec.policy.taskTimeoutUs * 2 ** Math.min(20, job.troubles.get(task)?.timedOut ?? 0);
}

/** Sends what this session has not heard yet of the job's map outputs. */
function tellOutputs(state: MasterState, turn: Turn, view: JobView, worker: WorkerView): void {
  const from = worker.outputsSent.get(view.job) ?? 0;
  if (from === view.outputs.length) return;
  worker.outputsSent.set(view.job, view.outputs.length);
  for (let start = from; start < view.outputs.length; start += changesPerMessage) {
    turn.out.push({
      type: 'message.send',
      to: worker.life.node,
      session: worker.session,
      message: {
        type: 'outputs.changed',
        epoch: state.leading!.epoch,
        incarnation: worker.life.incarnation,
        job: view.job,
        from: start,
        changes: view.outputs.slice(start, start + changesPerMessage),
      },
    });
  }
}

/** Keeps a message well below a megabyte. */
const changesPerMessage = 4096;

/**
 * The books of live attempts: each stands with its worker and with its task, in step (rule M5), and has a time-out armed
 * from when it begins.
 */
import { arm, clear } from '../deadlines.js';
import { findJob } from '../durable/state.js';
import { type AttemptId, attemptKey, sameAttempt } from '../ids.js';
import type { RevokeReason } from '../messages.js';
import { activeTask, settleTask } from './jobs.js';
import { order } from './orders.js';
import type { JobView, Leading, LiveAttempt, MasterState, Turn, WorkerView } from './state.js';

/** Counts the attempt as live on the worker, and watches its progress if it begins at once. */
export function track(
  state: MasterState,
  turn: Turn,
  view: JobView,
  worker: WorkerView,
  attempt: LiveAttempt,
): void {
  activeTask(view, attempt.id.task).live.push(attempt);
  view.live++;
  worker.live.set(attemptKey(attempt.id), attempt);
  if (attempt.waiting) state.leading!.waiting.set(attemptKey(attempt.id), attempt.node);
  if (!attempt.queued) watch(state, turn, attempt);
}

function watch(state: MasterState, turn: Turn, attempt: LiveAttempt): void {
  arm(state.deadlines, 'attempt-timeout', attemptKey(attempt.id), turn.now + attempt.limitUs);
}

/** It runs, and its time counts from now: time in a queue is nobody's fault. */
export function noteBegun(state: MasterState, turn: Turn, attempt: LiveAttempt): void {
  if (!attempt.queued) return;
  attempt.queued = false;
  attempt.workingSince = turn.now;
  watch(state, turn, attempt);
}

/**
 * The worker has spoken, perhaps of one that is over. Nobody says when an attempt leaves the queue, but it is known: they
 * begin in their order, and as many run as there are slots.
 */
export function noteNext(state: MasterState, turn: Turn, worker: WorkerView): void {
  let running = 0;
  for (const attempt of worker.live.values()) {
    if (++running > worker.slots) return;
    noteBegun(state, turn, attempt);
  }
}

/** Takes the attempt off the books of its worker and task. */
export function untrack(state: MasterState, view: JobView | undefined, attempt: LiveAttempt): void {
  const key = attemptKey(attempt.id);
  clear(state.deadlines, 'attempt-timeout', key);
  state.leading!.waiting.delete(key);
  state.leading!.workers.get(attempt.node)?.live.delete(key);
  const live = view?.active.get(attempt.id.task)?.live;
  const position = live?.findIndex((other) => sameAttempt(other.id, attempt.id)) ?? -1;
  if (position >= 0) {
    live!.splice(position, 1);
    view!.live--;
  }
  if (live?.length === 1) live[0]!.speculative = false;
}

/** The attempt is over without a result: off the books, and its task back to the queue. Uncounted. */
export function dropLive(state: MasterState, turn: Turn, attempt: LiveAttempt, why: string): void {
  const job = findJob(state.durable, attempt.id.job);
  const view = state.leading!.jobs.get(attempt.id.job);
  untrack(state, view, attempt);
  turn.out.push({
    type: 'decide',
    decision: 'attempt-revoked',
    attempt: attempt.id,
    node: attempt.node,
    facts: { why },
  });
  if (job && view) settleTask(view, job, attempt.id.task);
}

/** Orders the worker to stop an attempt. A finished one keeps its files until its report is answered. */
export function revoke(
  state: MasterState,
  turn: Turn,
  worker: WorkerView,
  attempt: AttemptId,
  reason: RevokeReason,
): void {
  order(state, turn, worker, { type: 'attempt.revoke', attempt, reason });
}

/** The worker may be given more, in a slot or ahead of time, or not. */
export function noteRoom(leading: Leading, worker: WorkerView): void {
  const { node } = worker.life;
  const willing = worker.session !== 0 && worker.assigned < worker.credit;
  const free = worker.live.size < worker.slots;
  if (willing && free) leading.ready.add(node);
  else leading.ready.delete(node);
  if (willing && !free) leading.ahead.add(node);
  else leading.ahead.delete(node);
}

/**
 * What a master of a valid epoch may order: run, stop, keep or delete, learn, forget.
 */
import { type AttemptId, attemptKey, compareAttempts, type JobId, type TaskIndex } from '../ids.js';
import type {
  AttemptAnswer,
  AttemptAssign,
  AttemptRevoke,
  MasterToWorker,
  OutputsChanged,
} from '../messages.js';
import { enqueue, unqueue } from './queue.js';
import { sayEnded } from './say.js';
import type { WorkerState, WorkerTurn } from './state.js';

type Order = Exclude<MasterToWorker, { type: 'master.welcome' | 'master.beat' | 'master.notLeading' }>;

export function onOrder(state: WorkerState, turn: WorkerTurn, order: Order): void {
  switch (order.type) {
    case 'attempt.assign':
      return run(state, turn, order);
    case 'attempt.revoke':
      return stop(state, turn, order);
    case 'attempt.answer':
      return settle(state, turn, order);
    case 'outputs.changed':
      return learn(state, turn, order);
    case 'job.ended':
      return forget(state, turn, order.job);
  }
}

/** Saying it twice starts it once, even when it is over by the second time: attempts of a task come in their order. */
function run(state: WorkerState, turn: WorkerTurn, order: AttemptAssign): void {
  const { attempt } = order;
  const begun = begunOf(state, attempt.job);
  const last = begun.get(attempt.task);
  if (last && compareAttempts(attempt, last) <= 0) return;
  begun.set(attempt.task, attempt);
  state.assigned++;
  enqueue(state, turn, order);
}

function begunOf(state: WorkerState, job: JobId): Map<TaskIndex, AttemptId> {
  let begun = state.begun.get(job);
  if (!begun) state.begun.set(job, (begun = new Map()));
  return begun;
}

/** Stops what still runs. A finished attempt keeps its files: only an answer may take them. */
function stop(state: WorkerState, turn: WorkerTurn, order: AttemptRevoke): void {
  const key = attemptKey(order.attempt);
  if (unqueue(state, key)) return sayEnded(state, turn, order.attempt);
  const running = state.running.get(key);
  if (!running || running.state === 'aborting') return;
  running.state = 'aborting';
  turn.out.push({ type: 'attempt.abort', attempt: order.attempt });
}

function settle(state: WorkerState, turn: WorkerTurn, answer: AttemptAnswer): void {
  const key = attemptKey(answer.attempt);
  if (state.starved.delete(key) || state.broken.delete(key)) return;
  const finished = state.finished.get(key);
  if (!finished) return;
  state.finished.delete(key);
  const { verdict, attempt } = answer;
  const keeps = verdict === 'committed' || verdict === 'not-owner' || verdict === 'job-ended';
  // What was complete only after its job's end was not among what that end took away.
  if (keeps && state.begun.has(attempt.job)) return;
  turn.out.push({ type: 'output.discard', attempt, maps: finished.maps });
}

/** The list of a job's map outputs grows; a piece that does not fit on the end is a repetition. */
function learn(state: WorkerState, turn: WorkerTurn, order: OutputsChanged): void {
  const known = state.outputs.get(order.job) ?? 0;
  if (order.from !== known) return;
  begunOf(state, order.job); // it holds something of the job from now on
  state.outputs.set(order.job, known + order.changes.length);
  turn.out.push({ type: 'outputs.learn', job: order.job, from: order.from, changes: order.changes });
}

function forget(state: WorkerState, turn: WorkerTurn, job: number): void {
  for (const [key, { attempt }] of state.queued) {
    if (attempt.job === job && unqueue(state, key)) sayEnded(state, turn, attempt);
  }
  for (const running of state.running.values()) {
    if (running.attempt.job !== job || running.state === 'aborting') continue;
    running.state = 'aborting';
    turn.out.push({ type: 'attempt.abort', attempt: running.attempt });
  }
  for (const [key, finished] of state.finished) {
    if (finished.attempt.job === job) state.finished.delete(key);
  }
  for (const unanswered of [state.starved, state.broken]) {
    for (const [key, { attempt }] of unanswered) if (attempt.job === job) unanswered.delete(key);
  }
  state.begun.delete(job);
  state.outputs.delete(job);
  turn.out.push({ type: 'job.discard', job });
}

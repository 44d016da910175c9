/**
 * Reduces that began early wait for maps, in slots that a map may need: an idle map that finds no slot takes the place
 * of the waiting reduce that is least advanced, whatever job that belongs to. Uncounted; the reduce begins anew later.
 */
import { arm } from '../deadlines.js';
import { type DurableJob, findJob, isMap } from '../durable/state.js';
import { attemptKey, type JobId, type TaskIndex } from '../ids.js';
import { pushInt } from '../int-heap.js';
import { allMapsDone, tellOutputs } from './inputs.js';
import { popIdle } from './jobs.js';
import { dropLive, revoke } from './live.js';
import { mayRun } from './placement.js';
import type { JobView, Leading, LiveAttempt, MasterState, Turn } from './state.js';

/** After everything that could be given out was: frees slots for the maps that are left. */
export function preemptWaiting(state: MasterState, turn: Turn): void {
  const leading = state.leading!;
  if (leading.waiting.size === 0) return;
  let freeing = leading.preempting.size;
  for (const view of leading.jobs.values()) {
    const job = findJob(state.durable, view.job)!;
    if (job.phase !== 'open' || view.ending) continue;
    const seen: TaskIndex[] = [];
    while (leading.waiting.size > 0) {
      const task = popIdle(view.idleMaps, view, job);
      if (task === undefined) break;
      seen.push(task);
      if (freeing > 0) {
        freeing--;
        continue;
      }
      const victim = leastAdvanced(leading, (node) => mayRun(leading, view, job, task, node));
      if (victim) preempt(state, turn, leading, victim, job.job);
      else if (!job.troubles.has(task)) break;
    }
    for (const task of seen) pushInt(view.idleMaps, task);
  }
}

/** While a leader drains no map is begun: a reduce that waits for one which nobody runs would wait for ever. */
export function endVainWaits(state: MasterState, turn: Turn): void {
  const leading = state.leading!;
  if (leading.waiting.size === 0) return;
  const idle = new Set<JobId>();
  for (const view of leading.jobs.values()) {
    const job = findJob(state.durable, view.job)!;
    if (!allMapsDone(job) && !runsMap(view, job)) idle.add(view.job);
  }
  if (idle.size === 0) return;
  for (const [key, node] of [...leading.waiting]) {
    const worker = leading.workers.get(node);
    const attempt = worker?.live.get(key);
    if (!worker || !attempt || !idle.has(attempt.id.job)) continue;
    revoke(state, turn, worker, attempt.id, 'draining');
    dropLive(state, turn, attempt, 'draining');
  }
}

function runsMap({ active }: JobView, job: DurableJob): boolean {
  for (const task of active.keys()) if (isMap(job, task)) return true;
  return false;
}

function preempt(state: MasterState, turn: Turn, leading: Leading, victim: LiveAttempt, forJob: JobId): void {
  turn.out.push({
    type: 'decide',
    decision: 'attempt-preempted',
    attempt: victim.id,
    node: victim.node,
    facts: { done: victim.done, forJob },
  });
  revoke(state, turn, leading.workers.get(victim.node)!, victim.id, 'preempted');
  leading.preempting.set(attemptKey(victim.id), victim.node);
  dropLive(state, turn, victim, 'preempted');
}

/** Of the waiting reduces whose worker could run the map; of equals, the one that was given out last. */
function leastAdvanced(leading: Leading, mayGo: (node: string) => boolean): LiveAttempt | undefined {
  let least: LiveAttempt | undefined;
  for (const [key, node] of leading.waiting) {
    const worker = leading.workers.get(node);
    const attempt = worker?.live.get(key);
    if (!attempt || worker?.session === 0 || !mayGo(node)) continue;
    if (!least || attempt.done <= least.done) least = attempt;
  }
  return least;
}

/** What a reduce says of itself. Time it has spent waiting is nobody's fault. */
export function setWaiting(state: MasterState, turn: Turn, attempt: LiveAttempt, waiting: boolean): void {
  if (attempt.waiting === waiting) return;
  const key = attemptKey(attempt.id);
  attempt.waiting = waiting;
  if (waiting) {
    state.leading!.waiting.set(key, attempt.node);
    return;
  }
  state.leading!.waiting.delete(key);
  attempt.workingSince = turn.now;
  arm(state.deadlines, 'attempt-timeout', key, turn.now + attempt.limitUs);
}

/** The last map is committed: who reads hears at once, and those that waited have their full time from now on. */
export function endWaiting(state: MasterState, turn: Turn, job: DurableJob, view: JobView): void {
  for (const [task, { live }] of view.active) {
    if (isMap(job, task)) continue;
    for (const attempt of live) {
      tellOutputs(state, turn, view, state.leading!.workers.get(attempt.node)!);
      setWaiting(state, turn, attempt, false);
    }
  }
}

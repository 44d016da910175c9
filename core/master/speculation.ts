/**
 * Backup tasks against stragglers (Dean and Ghemawat, OSDI 2004, section 3.6; rates of progress after Zaharia et al.,
 * OSDI 2008): near the end of a phase, when nothing waits any more, the attempt with the longest estimated time left is
 * run a second time elsewhere.
 *
 * It is judged against *finished* tasks of its phase, so that a phase in which only stragglers are left still triggers.
 */
import { arm, armedAt } from '../deadlines.js';
import { type DurableJob, findJob, validCommit } from '../durable/state.js';
import { median } from '../histogram.js';
import type { TaskIndex } from '../ids.js';
import { assign } from './schedule.js';
import type { JobView, Leading, LiveAttempt, MasterState, Turn, WorkerView } from './state.js';

/** Keeps looking while some job allows it. */
export function armSpeculation(state: MasterState, turn: Turn): void {
  if (!state.leading || armedAt(state.deadlines, 'speculate', '') !== undefined) return;
  for (const view of state.leading.jobs.values()) {
    if (!findJob(state.durable, view.job)!.spec.policy.speculation) continue;
    arm(state.deadlines, 'speculate', '', turn.now + state.config.beatUs);
    return;
  }
}

export function speculate(state: MasterState, turn: Turn): void {
  const leading = state.leading!;
  if (!leading.draining) {
    for (const view of leading.jobs.values()) speculateJob(state, turn, leading, view);
  }
  armSpeculation(state, turn);
}

function speculateJob(state: MasterState, turn: Turn, leading: Leading, view: JobView): void {
  const job = findJob(state.durable, view.job)!;
  const { policy, maps } = job.spec;
  const mapping = job.mapsCommitted < maps;
  if (job.phase !== 'open' || !policy.speculation || leading.ready.size === 0) return;
  // Something of this phase still waits for a slot: a copy would only be in its way.
  if ((mapping ? view.idleMaps : view.idleReduces).some((task) => waits(view, job, task))) return;
  const typicalUs = median((mapping ? view.maps : view.reduces).durations);
  if (typicalUs === undefined) return;
  const candidates: { attempt: LiveAttempt; leftUs: number }[] = [];
  let copies = 0;
  for (const [task, active] of view.active) {
    if (active.live.some((one) => one.speculative)) copies++;
    const attempt = active.live[0];
    if (task < maps !== mapping || active.live.length !== 1 || active.recording > 0 || !attempt) continue;
    const ageUs = turn.now - attempt.assignedAt;
    const leftUs = estimateLeft(attempt, ageUs);
    if (ageUs < policy.speculationAgeMinUs || leftUs <= typicalUs) continue;
    candidates.push({ attempt, leftUs });
  }
  candidates.sort((a, b) => b.leftUs - a.leftUs || a.attempt.id.task - b.attempt.id.task);
  for (const { attempt, leftUs } of candidates) {
    if (copies >= copiesMax(leading)) return;
    const worker = pickOther(leading, job, attempt);
    if (!worker) continue;
    copies++;
    turn.out.push({
      type: 'decide',
      decision: 'attempt-speculated',
      attempt: attempt.id,
      node: worker.life.node,
      facts: { leftUs, typicalUs, ageUs: turn.now - attempt.assignedAt },
    });
    assign(state, turn, { job, view, task: attempt.id.task, worker, speculative: true });
  }
}

function waits(view: JobView, job: DurableJob, task: TaskIndex): boolean {
  return !view.active.has(task) && validCommit(job, task) === undefined;
}

/** From its own rate of progress; without any progress, as long as anything. */
function estimateLeft(attempt: LiveAttempt, ageUs: number): number {
  if (attempt.done <= 0 || attempt.total <= 0) return Number.MAX_SAFE_INTEGER;
  return Math.floor((ageUs * Math.max(0, attempt.total - attempt.done)) / attempt.done);
}

/** A tenth of all slots, but at least one. */
function copiesMax(leading: Leading): number {
  let slots = 0;
  for (const worker of leading.workers.values()) slots += worker.slots;
  return Math.max(1, Math.floor(slots / 10));
}

function pickOther(leading: Leading, job: DurableJob, attempt: LiveAttempt): WorkerView | undefined {
  const failedOn = job.troubles.get(attempt.id.task)?.nodes;
  for (const node of leading.ready) {
    if (node !== attempt.node && !failedOn?.includes(node)) return leading.workers.get(node);
  }
  return undefined;
}

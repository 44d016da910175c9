/**
 * Backup tasks against stragglers (Dean and Ghemawat, OSDI 2004, section 3.6; rates of progress after Zaharia et al.,
 * OSDI 2008): near the end of a phase, when nothing waits that a free slot could run, the attempt with the longest
 * estimated time left is run a second time elsewhere.
 *
 * It is judged against *finished* tasks of its phase, so that a phase in which only stragglers are left still triggers.
 */
import { arm, armedAt } from '../deadlines.js';
import { type DurableJob, findJob } from '../durable/state.js';
import { median } from '../histogram.js';
import { mayRun } from './placement.js';
import { assign, mayGiveOut } from './schedule.js';
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
  // Every step ends with `assignAll`: what is left could go to none of those who are ready, or would only wait there.
  if (mayGiveOut(leading) && leading.ready.size > 0) {
    let room = copiesMax(leading) - copiesOf(leading);
    for (const view of leading.jobs.values()) room -= speculateJob(state, turn, leading, view, room);
  }
  armSpeculation(state, turn);
}

/** Makes at most `room` copies, and says how many. */
function speculateJob(state: MasterState, turn: Turn, leading: Leading, view: JobView, room: number): number {
  const job = findJob(state.durable, view.job)!;
  const { policy, maps } = job.spec;
  const mapping = job.mapsCommitted < maps;
  if (job.phase !== 'open' || view.ending || !policy.speculation) return 0;
  const typicalUs = median((mapping ? view.maps : view.reduces).durations);
  if (typicalUs === undefined) return 0;
  const candidates: { attempt: LiveAttempt; leftUs: number }[] = [];
  let copies = 0;
  for (const [task, active] of view.active) {
    if (task < maps !== mapping || active.live.length !== 1 || active.recording > 0) continue;
    const attempt = active.live[0]!;
    if (attempt.queued) continue; // when its turn does not come soon, its worker gives it back
    const ageUs = turn.now - attempt.workingSince;
    const leftUs = estimateLeft(attempt, ageUs);
    if (ageUs < policy.speculationAgeMinUs || leftUs <= typicalUs) continue;
    candidates.push({ attempt, leftUs });
  }
  candidates.sort((a, b) => b.leftUs - a.leftUs || a.attempt.id.task - b.attempt.id.task);
  for (const { attempt, leftUs } of candidates) {
    if (copies >= room) break;
    const worker = pickOther(leading, view, job, attempt);
    if (!worker) continue;
    copies++;
    turn.out.push({
      type: 'decide',
      decision: 'attempt-speculated',
      attempt: attempt.id,
      node: worker.life.node,
      facts: { leftUs, typicalUs, ageUs: turn.now - attempt.workingSince },
    });
    assign(state, turn, { job, view, task: attempt.id.task, worker, speculative: true });
  }
  return copies;
}

/** From its own rate of progress; without any progress, as long as anything. */
function estimateLeft(attempt: LiveAttempt, ageUs: number): number {
  if (attempt.done <= 0 || attempt.total <= 0) return Number.MAX_SAFE_INTEGER;
  return Math.floor((ageUs * Math.max(0, attempt.total - attempt.done)) / attempt.done);
}

/** Tasks of any job that run twice. */
function copiesOf(leading: Leading): number {
  let copies = 0;
  for (const view of leading.jobs.values()) {
    for (const active of view.active.values()) if (active.live.length >= 2) copies++;
  }
  return copies;
}

/** A tenth of all slots, but at least one. */
function copiesMax(leading: Leading): number {
  let slots = 0;
  for (const worker of leading.workers.values()) slots += worker.slots;
  return Math.max(1, Math.floor(slots / 10));
}

function pickOther(
  leading: Leading,
  view: JobView,
  job: DurableJob,
  { id, node: own }: LiveAttempt,
): WorkerView | undefined {
  const failedOn = job.troubles.get(id.task)?.nodes;
  for (const node of leading.ready) {
    if (node === own || failedOn?.includes(node)) continue;
    if (mayRun(leading, view, job, id.task, node)) return leading.workers.get(node);
  }
  return undefined;
}

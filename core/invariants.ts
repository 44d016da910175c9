/**
 * Rules that can be judged by looking at one machine's state. Drivers check them after every step; the rules about the
 * world at large (files, journal, outputs) are the simulator's.
 */
import { findJob, validCommit } from './durable/state.js';
import { attemptKey, type NodeId, type TaskIndex } from './ids.js';
import { invariant } from './invariant-error.js';
import { allMapsDone } from './master/inputs.js';
import { isIdle } from './master/jobs.js';
import type { JobView, Leading, MasterState, WorkerView } from './master/state.js';
import type { WorkerState } from './worker/state.js';

/** Number and sentence of every rule of a single machine; ARCHITECTURE.md repeats them, held by a test. */
export const machineInvariants = {
  M1: 'a task has at most one valid commit, and a dead attempt is never committed',
  M2: 'a record never contradicts the state it is applied to',
  M3: 'a task has at most two live attempts, on two different workers',
  M4: 'an acknowledged append carries our own nonce',
  M5: 'the books of workers and of tasks name the same live attempts, all of them on known workers',
  M6: 'a committed reduce has read the present generation of every map',
  M7: 'volatile state exists exactly while a master leads, and its epoch is the journal’s highest',
  M8: 'a session is given no more assignments than its credit',
  M9: 'the first slot left of a trimmed journal begins a whole snapshot',
  M10: 'an excluded or lost worker is given no new lease',
  M11: 'no idle map waits while waiting reduces hold all slots',
  M12: 'a master counts its lease from before it asked for it',
  M13: 'where jobs share fairly, none is given a slot while one with fewer attempts could use it',
  W1: 'a worker runs no more attempts than it has slots',
  W2: 'an attempt is either running or finished, never both',
} as const;

/** Cost O(live attempts + workers). */
export function checkMaster(state: MasterState): void {
  const { leading } = state;
  checkRole(state);
  if (!leading) return;
  let onTasks = 0;
  for (const view of leading.jobs.values()) {
    let ofJob = 0;
    for (const [task, active] of view.active) {
      ofJob += active.live.length;
      checkTask(state, leading, view, task);
    }
    invariant(ofJob === view.live, 'M5', () => `${ofJob} live attempts, counted are ${view.live}`);
    onTasks += ofJob;
  }
  let onWorkers = 0;
  for (const worker of leading.workers.values()) {
    onWorkers += worker.live.size;
    checkCredit(worker);
  }
  invariant(onTasks === onWorkers, 'M5', () => `${onTasks} live attempts on tasks, ${onWorkers} on workers`);
  checkLeases(leading);
  checkSlots(state, leading);
}

/** M7, M12. */
export function checkRole({ role, leading, lease, durable, config }: MasterState): void {
  invariant(
    lease.until <= lease.askedAt + config.masterLeaseUs,
    'M12',
    () => `${lease.until} µs is too late`,
  );
  invariant((role === 'leader') === (leading !== undefined), 'M7', () => `role ${role}`);
  if (!leading) return;
  invariant(leading.epoch === durable.epoch, 'M7', () => `leads ${leading.epoch}, journal ${durable.epoch}`);
}

/** M3, M5 of one task. */
export function checkTask(state: MasterState, leading: Leading, view: JobView, task: TaskIndex): void {
  const job = findJob(state.durable, view.job);
  invariant(job !== undefined, 'M5', () => `job ${view.job} is not in the journal`);
  const live = view.active.get(task)?.live;
  if (!live || live.length === 0) return;
  const [first, second] = live;
  invariant(live.length <= 2, 'M3', () => `task ${task} has ${live.length} live attempts`);
  invariant(first!.node !== second?.node, 'M3', () => `task ${task} lives twice on ${first!.node}`);
  invariant(!validCommit(job, task), 'M3', () => `task ${task} is committed and runs`);
  for (const attempt of live) {
    const held = leading.workers.get(attempt.node)?.live.get(attemptKey(attempt.id));
    invariant(held === attempt, 'M5', () => `${attempt.node} does not hold ${attemptKey(attempt.id)}`);
  }
}

/** M8. */
export function checkCredit({ life, assigned, credit }: WorkerView): void {
  invariant(assigned <= credit, 'M8', () => `${life.node}: ${assigned} of ${credit}`);
}

/** M10. */
function checkLeases(leading: Leading): void {
  let open = 0;
  for (const { session } of leading.workers.values()) if (session !== 0) open++;
  invariant(open === leading.open, 'M5', () => `${open} open sessions, counted are ${leading.open}`);
  for (const node of leading.ready) {
    const session = leading.workers.get(node)?.session ?? 0;
    invariant(session !== 0, 'M10', () => `${node} would be given work, and is not there`);
  }
  for (const view of leading.jobs.values()) {
    for (const node of view.conduct.keys()) checkExclusion(leading, view, node);
  }
}

/** M10 of one worker in one job. */
export function checkExclusion(leading: Leading, view: JobView, node: NodeId): void {
  const conduct = view.conduct.get(node);
  if (!conduct || conduct.untilUs === 0) return;
  const { sinceUs } = conduct;
  for (const attempt of leading.workers.get(node)?.live.values() ?? []) {
    const old = attempt.id.job !== view.job || attempt.adopted || attempt.assignedAt <= sinceUs;
    invariant(old, 'M10', () => `${node} is excluded and was given ${attemptKey(attempt.id)}`);
  }
}

/** M11, at the end of a step. While slots are being freed for maps, or nothing is given out, there is nothing to judge. */
function checkSlots(state: MasterState, leading: Leading): void {
  let waiting = 0;
  for (const { live, session, slots } of leading.workers.values()) {
    for (const attempt of live.values()) {
      const known = leading.waiting.get(attemptKey(attempt.id)) === attempt.node;
      invariant(known === attempt.waiting, 'M5', () => `${attemptKey(attempt.id)} waits, or does not`);
      if (!attempt.waiting) continue;
      waiting++;
      const job = findJob(state.durable, attempt.id.job)!;
      invariant(!allMapsDone(job), 'M11', () => `${attemptKey(attempt.id)} waits for maps, and all are done`);
    }
    if (session !== 0 && [...live.values()].some((attempt) => !attempt.waiting)) return;
    if (session !== 0 && live.size < slots) return; // it is free, or still stops what was taken from it
  }
  if (waiting === 0 || waiting !== leading.waiting.size) return;
  if (leading.preempting.size > 0 || leading.draining || leading.awaited.size > 0 || leading.ready.size > 0)
    return;
  if ([...leading.waiting.values()].some((node) => leading.workers.get(node)?.session === 0)) return;
  for (const view of leading.jobs.values()) {
    const job = findJob(state.durable, view.job);
    if (job?.phase !== 'open' || view.ending) continue;
    const idle = view.idleMaps.find((task) => isIdle(view, job, task));
    invariant(idle === undefined, 'M11', () => `map ${idle} of job ${view.job} has no slot`);
  }
}

/** Cost O(running attempts). */
export function checkWorker(state: WorkerState): void {
  invariant(
    state.running.size <= state.slots,
    'W1',
    () => `${state.running.size} attempts on ${state.slots} slots`,
  );
  const { running, finished } = state;
  if (finished.size === 0) return;
  const few = finished.size < running.size ? finished : running;
  const many = few === finished ? running : finished;
  for (const key of few.keys()) invariant(!many.has(key), 'W2', () => `${key} runs and is finished`);
}

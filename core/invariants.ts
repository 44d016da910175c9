/**
 * Rules that can be judged by looking at one machine's state. Drivers check them after every step; the rules about the
 * world at large (files, journal, outputs) are the simulator's.
 */
import { findJob, validCommit } from './durable/state.js';
import { attemptKey } from './ids.js';
import { invariant } from './invariant-error.js';
import type { MasterState } from './master/state.js';
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
  W1: 'a worker runs no more attempts than it has slots',
  W2: 'an attempt is either running or finished, never both',
} as const;

/** Cost O(live attempts + workers). */
export function checkMaster(state: MasterState): void {
  const { leading } = state;
  invariant((state.role === 'leader') === (leading !== undefined), 'M7', `role ${state.role}`);
  if (!leading) return;
  invariant(
    leading.epoch === state.durable.epoch,
    'M7',
    `leads ${leading.epoch}, journal ${state.durable.epoch}`,
  );
  let onTasks = 0;
  for (const view of leading.jobs.values()) {
    const job = findJob(state.durable, view.job);
    invariant(job !== undefined, 'M5', `job ${view.job} is not in the journal`);
    for (const [task, active] of view.active) {
      invariant(active.live.length <= 2, 'M3', `task ${task} has ${active.live.length} live attempts`);
      const [first, second] = active.live;
      invariant(!first || first.node !== second?.node, 'M3', `task ${task} lives twice on ${first?.node}`);
      invariant(
        active.live.length === 0 || !validCommit(job, task),
        'M3',
        `task ${task} is committed and runs`,
      );
      for (const attempt of active.live) {
        onTasks++;
        const held = leading.workers.get(attempt.node)?.live.get(attemptKey(attempt.id));
        invariant(held === attempt, 'M5', `${attempt.node} does not hold ${attemptKey(attempt.id)}`);
      }
    }
  }
  let onWorkers = 0;
  for (const worker of leading.workers.values()) {
    onWorkers += worker.live.size;
    invariant(
      worker.assigned <= worker.credit,
      'M8',
      `${worker.life.node}: ${worker.assigned} of ${worker.credit}`,
    );
  }
  invariant(onTasks === onWorkers, 'M5', `${onTasks} live attempts on tasks, ${onWorkers} on workers`);
}

/** Cost O(running attempts). */
export function checkWorker(state: WorkerState): void {
  invariant(
    state.running.size <= state.slots,
    'W1',
    `${state.running.size} attempts on ${state.slots} slots`,
  );
  for (const key of state.running.keys())
    invariant(!state.finished.has(key), 'W2', `${key} runs and is finished`);
}

/**
 * The rules of a single master, after each step at the cost of the step: of whatever it has heard from, spoken to or
 * decided about. What else there is, and what only counting everything can tell, is judged as often as that costs no
 * more than this does.
 */
import { type DurableJob, findJob } from './durable/state.js';
import type { MasterEffect } from './effects.js';
import type { MachineEvent } from './events.js';
import { type AttemptId, attemptKey, type JobId, type NodeId } from './ids.js';
import { invariant } from './invariant-error.js';
import { checkCredit, checkExclusion, checkMaster, checkRole, checkTask } from './invariants.js';
import { allMapsDone } from './master/inputs.js';
import { isIdle } from './master/jobs.js';
import { mayRun } from './master/placement.js';
import type { JobView, Leading, MasterState } from './master/state.js';

export class MasterCheck {
  readonly #state: MasterState;
  #stepsLeft = 0;

  constructor(state: MasterState) {
    this.#state = state;
  }

  /** Throws `InvariantError` when this step has broken a rule. */
  after(event: MachineEvent, effects: readonly MasterEffect[]): void {
    const { leading } = this.#state;
    checkShares(this.#state, effects);
    if (this.#stepsLeft-- <= 0) {
      checkMaster(this.#state);
      this.#stepsLeft = leading ? leading.workers.size + liveTasks(leading) : 0;
      return;
    }
    checkRole(this.#state);
    if (!leading) return;
    if (event.type === 'message.received') {
      this.#checkWorker(leading, event.from);
      if ('attempt' in event.message) this.#checkAttempt(leading, event.message.attempt);
    }
    for (const effect of effects) {
      if (effect.type === 'message.send') {
        this.#checkWorker(leading, effect.to);
        if ('attempt' in effect.message) this.#checkAttempt(leading, effect.message.attempt);
      } else if (effect.type === 'decide') {
        if (effect.node !== undefined) this.#checkWorker(leading, effect.node);
        if (effect.attempt) this.#checkAttempt(leading, effect.attempt);
      }
    }
  }

  #checkAttempt(leading: Leading, { job, task }: AttemptId): void {
    const view = leading.jobs.get(job);
    if (view) checkTask(this.#state, leading, view, task);
  }

  #checkWorker(leading: Leading, node: NodeId): void {
    const worker = leading.workers.get(node);
    if (!worker) return;
    checkCredit(worker);
    for (const view of leading.jobs.values()) checkExclusion(leading, view, node);
  }
}

/**
 * M13, of what this step has given out: the books are looked at as they were before each assignment, from the last one back.
 * A step that has taken slots away behind its assignments is not judged.
 */
export function checkShares(
  { durable, config, leading }: MasterState,
  effects: readonly MasterEffect[],
): void {
  if (!leading || config.sharing === 'fifo' || leading.jobs.size < 2) return;
  if (effects.some((effect) => effect.type === 'decide' && effect.decision === 'attempt-preempted')) return;
  const lives = new Map<JobId, number>();
  for (const view of leading.jobs.values()) lives.set(view.job, view.live);
  for (const effect of effects.toReversed()) {
    if (effect.type !== 'decide' || effect.decision !== 'attempt-assigned') continue;
    const { attempt, node, facts } = effect;
    const live = lives.get(attempt!.job)! - 1;
    lives.set(attempt!.job, live);
    // What is given ahead is each job's own share of what is left of it, and takes no slot yet.
    const queued = leading.workers.get(node!)?.live.get(attemptKey(attempt!))?.queued;
    if (facts!.speculative || queued) continue;
    for (const view of leading.jobs.values()) {
      if (view.job === attempt!.job || (lives.get(view.job)! >= live && !facts!.early)) continue;
      const job = findJob(durable, view.job)!;
      const could = couldUse(leading, view, job, node!, facts!.early === true);
      const detail = () =>
        `${node} was given ${attemptKey(attempt!)}, and job ${view.job} could have used it`;
      invariant(!could, 'M13', detail);
    }
  }
}

/** Whether the job has a task for the worker to which nothing bad has happened. Early reduces come after maps alone. */
function couldUse(leading: Leading, view: JobView, job: DurableJob, node: NodeId, early: boolean): boolean {
  if (job.phase !== 'open' || view.ending) return false;
  if (allMapsDone(job) && (early || view.doubts > 0)) return false;
  const heap = allMapsDone(job) ? view.idleReduces : view.idleMaps;
  return heap.some(
    (task) => !job.troubles.has(task) && isIdle(view, job, task) && mayRun(leading, view, job, task, node),
  );
}

function liveTasks(leading: Leading): number {
  let tasks = 0;
  for (const view of leading.jobs.values()) tasks += view.active.size;
  return tasks;
}

/**
 * The rules of a single master, after each step at the cost of the step: of whatever it has heard from, spoken to or
 * decided about. What else there is, and what only counting everything can tell, is judged as often as that costs no
 * more than this does.
 */
import type { MasterEffect } from './effects.js';
import type { MachineEvent } from './events.js';
import type { AttemptId, NodeId } from './ids.js';
import { checkCredit, checkExclusion, checkMaster, checkRole, checkTask } from './invariants.js';
import type { Leading, MasterState } from './master/state.js';

export class MasterCheck {
  readonly #state: MasterState;
  #stepsLeft = 0;

  constructor(state: MasterState) {
    this.#state = state;
  }

  /** Throws `InvariantError` when this step has broken a rule. */
  after(event: MachineEvent, effects: readonly MasterEffect[]): void {
    const { leading } = this.#state;
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

function liveTasks(leading: Leading): number {
  let tasks = 0;
  for (const view of leading.jobs.values()) tasks += view.active.size;
  return tasks;
}

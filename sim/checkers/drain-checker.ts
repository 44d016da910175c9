/**
 * C21: a drain is what it says. From the step on in which a leader has agreed to it, it gives nothing out; and when it says
 * that nothing of a job runs any more, nobody runs any of it, but what was told to stop and what is given up for lost; and
 * something is left to run.
 */
import { findJob } from '../../core/durable/state.js';
import { type AttemptId, attemptKey, type Epoch, type NodeId } from '../../core/ids.js';
import { isComplete } from '../../core/master/intents.js';
import type { MasterState } from '../../core/master/state.js';
import type { JobStatus, MasterMessage } from '../../core/messages.js';
import { AttemptMap } from '../attempt-map.js';
import type { Life } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import { InvariantViolation } from './violation.js';

/** One leader in one epoch. */
interface Reign {
  readonly epoch: Epoch;
  /** By the leader's own clock. */
  readonly sinceUs: number;
  /** Workers that it has given up, and that have not come back. */
  readonly lost: Set<NodeId>;
  drains: boolean;
}

export class DrainChecker implements Observer {
  readonly #world: World;
  readonly #reigns = new Map<Life, Reign>();
  readonly #stopped = new AttemptMap<true>();

  constructor(world: World) {
    this.#world = world;
  }

  masterStepped({ life, clockUs, effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type === 'message.send') {
        this.#hear(life, clockUs, effect.message as MasterMessage);
      } else if (effect.type === 'decide') {
        const { decision, node, epoch } = effect;
        if (decision === 'leader-began')
          this.#reigns.set(life, { epoch: epoch!, sinceUs: clockUs, lost: new Set(), drains: false });
        const reign = this.#reigns.get(life);
        if (decision === 'draining') reign!.drains = true;
        else if (decision === 'worker-lost') reign?.lost.add(node!);
        else if (decision === 'worker-joined') reign?.lost.delete(node!);
      }
    }
  }

  #hear(life: Life, clockUs: number, message: MasterMessage): void {
    if (message.type === 'attempt.revoke') this.#stopped.set(message.attempt, true);
    const reign = this.#reigns.get(life);
    if (!reign?.drains || reign.epoch !== message.epoch) return;
    if (message.type === 'attempt.assign')
      this.#violated(life, `gives out ${attemptKey(message.attempt)} while it drains`);
    if (message.type === 'job.status' && isQuiet(message))
      this.#checkQuiet(life, clockUs, reign, message.job);
  }

  #checkQuiet(life: Life, clockUs: number, reign: Reign, id: number): void {
    const state = life.machine.state as MasterState;
    const job = findJob(state.durable, id);
    if (!state.leading || !job) return;
    if (isComplete(job)) this.#violated(life, `leaves job ${id} for later, which has only to be published`);
    const graceIsOver = clockUs >= reign.sinceUs + state.config.workerLeaseUs;
    for (const { kind, name, life: worker } of this.#world.nodes.values()) {
      if (kind !== 'worker' || !worker || worker.ended) continue;
      const view = state.leading.workers.get(name);
      const met = view?.life.incarnation === worker.incarnation && view.session !== 0;
      const mayComeYet = !view && !graceIsOver && !reign.lost.has(name);
      if (!met && !mayComeYet) continue;
      for (const attempt of this.#world.executors.runningIn(worker)) {
        if (attempt.job === id && attempt.epoch >= job.epoch && this.#counts(attempt, reign))
          this.#violated(
            life,
            `says that nothing of job ${id} runs, and ${name} runs ${attemptKey(attempt)}`,
          );
      }
    }
  }

  #counts(attempt: AttemptId, { epoch }: Reign): boolean {
    return attempt.epoch <= epoch && !this.#stopped.get(attempt);
  }

  #violated({ node }: Life, detail: string): never {
    throw new InvariantViolation('C21', `${node.name} ${detail}`, this.#world);
  }
}

/** What lets a client that drains end. */
function isQuiet({ draining, phase, maps, reduces }: JobStatus): boolean {
  return draining && (phase === 'map' || phase === 'reduce') && maps.running + reduces.running === 0;
}

/**
 * How long each leader has waited for each attempt, by its own clock and as far as it has heard: since it gave the attempt
 * out, took it over, or was told of progress. A leader may have begun to count later, never earlier.
 */
import { findJob } from '../../core/durable/state.js';
import type { AttemptId } from '../../core/ids.js';
import type { MasterState } from '../../core/master/state.js';
import type { WorkerBeat } from '../../core/messages.js';
import { AttemptMap } from '../attempt-map.js';
import type { Life } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';

interface Wait {
  sinceUs: number;
  readonly limitUs: number;
  /** What progress has come to. */
  done: number;
}

export class TimeLimits implements Observer {
  /** By the life of a master that gave it out or took it over. */
  readonly #waits = new Map<Life, AttemptMap<Wait>>();
  readonly #over = new AttemptMap<true>();

  masterStepped({ life, clockUs, event, effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type === 'message.send') {
        const { message } = effect;
        if (message.type === 'attempt.assign') this.#begin(life, message.attempt, clockUs);
        // It is answered when it was listened to.
        else if (message.type === 'master.beat' && event.type === 'message.received') {
          this.#hear(life, event.message as WorkerBeat, clockUs);
        }
      } else if (effect.type === 'decide') {
        const { decision, attempt } = effect;
        if (decision === 'attempt-adopted') this.#begin(life, attempt!, clockUs);
        else if (decision === 'attempt-timed-out') this.#judge(life, attempt!, clockUs);
      }
    }
  }

  /** Whether some leader that waited for it has found, rightly, that its time was over. */
  wasOver(attempt: AttemptId): boolean {
    return this.#over.has(attempt);
  }

  #begin(life: Life, attempt: AttemptId, sinceUs: number): void {
    let waits = this.#waits.get(life);
    if (!waits) this.#waits.set(life, (waits = new AttemptMap()));
    const { durable } = life.machine.state as MasterState;
    const { spec, troubles } = findJob(durable, attempt.job)!;
    const timedOut = troubles.get(attempt.task)?.timedOut ?? 0;
    const limitUs = spec.policy.taskTimeoutUs * 2 ** Math.min(timedOut, doublingsMax);
    waits.set(attempt, { sinceUs, limitUs, done: 0 });
  }

  #hear(life: Life, { progress }: WorkerBeat, nowUs: number): void {
    const waits = this.#waits.get(life);
    for (const { attempt, done } of progress) {
      const wait = waits?.get(attempt);
      if (!wait || done <= wait.done) continue;
      wait.done = done;
      wait.sinceUs = nowUs;
    }
  }

  #judge(life: Life, attempt: AttemptId, nowUs: number): void {
    const wait = this.#waits.get(life)?.get(attempt);
    if (wait && nowUs - wait.sinceUs >= wait.limitUs) this.#over.set(attempt, true);
  }
}

/** Limits grow no further: a million times as long is for ever. */
const doublingsMax = 20;

/**
 * What is known of attempts, by their id, without making keys of them. Nearly all tasks are tried once: the first known
 * attempt of each stands in a list by tasks, and only the others in a map.
 */
import { type AttemptId, attemptKey } from '../core/ids.js';

/** Of one job. */
interface Tasks<V> {
  /** By task: epoch and number of its first known attempt as one integer, and what is known of that. */
  readonly firsts: (number | undefined)[];
  readonly values: (V | undefined)[];
  others: Map<string, V> | undefined;
}

export class AttemptMap<V> {
  /** By job. */
  readonly #jobs: (Tasks<V> | undefined)[] = [];

  get(attempt: AttemptId): V | undefined {
    const tasks = this.#jobs[attempt.job];
    const first = tasks?.firsts[attempt.task];
    if (first === undefined) return undefined;
    return first === idOf(attempt) ? tasks!.values[attempt.task] : tasks!.others?.get(attemptKey(attempt));
  }

  has(attempt: AttemptId): boolean {
    const tasks = this.#jobs[attempt.job];
    const first = tasks?.firsts[attempt.task];
    if (first === undefined) return false;
    return first === idOf(attempt) || tasks!.others?.has(attemptKey(attempt)) === true;
  }

  set(attempt: AttemptId, value: V): void {
    const { job, task } = attempt;
    const tasks = (this.#jobs[job] ??= { firsts: [], values: [], others: undefined });
    const first = (tasks.firsts[task] ??= idOf(attempt));
    if (first === idOf(attempt)) tasks.values[task] = value;
    else (tasks.others ??= new Map()).set(attemptKey(attempt), value);
  }
}

/** Below 2 ** 53 for all epochs and numbers that there are. */
function idOf({ epoch, n }: AttemptId): number {
  return epoch * 0x1000000 + n;
}

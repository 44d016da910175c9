/** What is known of attempts, by their id, without making keys of them. O(attempts of the task), which are few. */
import type { AttemptId } from '../core/ids.js';

interface Known<V> {
  readonly epoch: number;
  readonly n: number;
  value: V;
  /** The next known attempt of the same task. */
  readonly next: Known<V> | undefined;
}

export class AttemptMap<V> {
  /** The latest known attempt of each task, by job and task. */
  readonly #jobs: (Known<V> | undefined)[][] = [];

  get(attempt: AttemptId): V | undefined {
    return this.#find(attempt)?.value;
  }

  has(attempt: AttemptId): boolean {
    return this.#find(attempt) !== undefined;
  }

  set(attempt: AttemptId, value: V): void {
    const found = this.#find(attempt);
    if (found) {
      found.value = value;
      return;
    }
    const { job, task, epoch, n } = attempt;
    const tasks = (this.#jobs[job] ??= []);
    tasks[task] = { epoch, n, value, next: tasks[task] };
  }

  #find({ job, task, epoch, n }: AttemptId): Known<V> | undefined {
    let known = this.#jobs[job]?.[task];
    while (known && (known.n !== n || known.epoch !== epoch)) known = known.next;
    return known;
  }
}

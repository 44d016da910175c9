/**
 * What is to happen, ordered by (time, sequence): a binary heap in three parallel arrays. Nothing is ever taken out
 * early; whoever schedules something that may become void looks again when it comes.
 */

export type Task = () => void;

export class EventQueue {
  readonly #times: number[] = [];
  readonly #sequences: number[] = [];
  readonly #tasks: Task[] = [];
  #sequence = 0;

  get size(): number {
    return this.#times.length;
  }

  /** Time of the earliest, in microseconds; Infinity when nothing is left. */
  get nextUs(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(atUs: number, task: Task): void {
    let position = this.#times.length;
    const sequence = this.#sequence++;
    // A new one comes after all of its time, so it rises only past later times.
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#times[parent]! <= atUs) break;
      this.#move(parent, position);
      position = parent;
    }
    this.#place(position, atUs, sequence, task);
  }

  /** Takes the earliest; undefined when nothing is left. */
  pop(): Task | undefined {
    const task = this.#tasks[0];
    if (task === undefined) return undefined;
    const time = this.#times.pop()!;
    const sequence = this.#sequences.pop()!;
    const last = this.#tasks.pop()!;
    if (this.#times.length > 0) this.#sink(time, sequence, last);
    return task;
  }

  #sink(time: number, sequence: number, task: Task): void {
    const size = this.#times.length;
    let position = 0;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(child + 1, this.#times[child]!, this.#sequences[child]!)) child++;
      if (!this.#before(child, time, sequence)) break;
      this.#move(child, position);
      position = child;
    }
    this.#place(position, time, sequence, task);
  }

  #before(position: number, time: number, sequence: number): boolean {
    const other = this.#times[position]!;
    return other < time || (other === time && this.#sequences[position]! < sequence);
  }

  #move(from: number, to: number): void {
    this.#place(to, this.#times[from]!, this.#sequences[from]!, this.#tasks[from]!);
  }

  #place(position: number, time: number, sequence: number, task: Task): void {
    this.#times[position] = time;
    this.#sequences[position] = sequence;
    this.#tasks[position] = task;
  }
}

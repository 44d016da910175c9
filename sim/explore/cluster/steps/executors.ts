/** How what a worker's executors have in hand ends, and what its machine hears of that. */
import { type Ending, endingsOf } from '../endings.js';
import type { Parts } from '../parts.js';
import { Memo } from '../table.js';
import type { Moment } from './moment.js';
import type { Successor } from './successor.js';

export class Executors {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #next: Successor;
  /** By bench and shelf. */
  readonly #endings: Memo<readonly Ending[]>;

  constructor(parts: Parts, moment: Moment, next: Successor) {
    this.#parts = parts;
    this.#moment = moment;
    this.#next = next;
    this.#endings = new Memo((bench, shelf) => endingsOf(parts, bench, shelf));
  }

  /** Everything that may end by itself. */
  ofWorker(worker: number): void {
    const { at } = this.#parts;
    const bench = this.#moment.number(at.benches + worker);
    const shelf = this.#moment.number(at.shelf);
    for (const ending of this.#endings.get(bench, shelf)) {
      this.#next.beginAt(at.masters + worker);
      this.end(worker, ending);
    }
  }

  /** In the successor that was begun for it. */
  end(worker: number, ending: Ending): void {
    const { at, names } = this.#parts;
    const next = this.#next;
    const node = at.masters + worker;
    next.change(at.benches + worker, ending.bench);
    if (ending.write >= 0) next.change(at.shelf, ending.write);
    next.tell(`${names[node]} ${ending.does}`);
    next.feed(node, ending.event);
  }
}

/** How lives begin. How they end is a fault. */
import type { Parts } from '../parts.js';
import type { Moment } from './moment.js';
import type { Successor } from './successor.js';

export class Lives {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #next: Successor;
  /** By number: the events with which they begin. */
  readonly #started: number;
  readonly #requested: number;

  constructor(parts: Parts, moment: Moment, next: Successor) {
    this.#parts = parts;
    this.#moment = moment;
    this.#next = next;
    const { requestId, spec } = parts.setup;
    this.#started = parts.events.numberOf({ type: 'node.started' });
    this.#requested = parts.events.numberOf({ type: 'job.requested', requestId, spec });
  }

  /** In the successor that was begun for it. The client is asked for its job at once. */
  start(node: number): void {
    const { at } = this.#parts;
    const next = this.#next;
    next.put(node, this.#parts.reborn(next.number(node)));
    next.feed(node, this.#started);
    if (node === at.nodes - 1) next.feed(node, this.#requested);
  }

  restart(node: number): void {
    if (this.#moment.isUp(node)) return;
    this.#next.beginAt(node);
    this.#next.tell(`${this.#parts.names[node]} restarts`);
    this.start(node);
  }
}

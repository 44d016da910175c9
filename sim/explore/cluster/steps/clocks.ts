/**
 * How time passes. When nothing else can happen any armed deadline may come, except those that mean a fault; at the price
 * of one `timeouts` any may come at any moment.
 */
import type { MachineEvent } from '../../../../core/events.js';
import { unfair } from '../../model.js';
import type { Parts } from '../parts.js';
import type { Fairness } from './fairness.js';
import type { Moment } from './moment.js';
import type { Successor } from './successor.js';

/**
 * Deadlines that come only when somebody has failed, or is slow beyond what is usual. The end of a lease is one of them
 * while the lease is there to be renewed.
 */
const suspicious: ReadonlySet<string> = new Set(['silence', 'worker-lease', 'attempt-timeout', 'lonely']);
const leaseEnd = 'lease-end';

/** What a machine may be told of time, by number of the event. */
interface Armed {
  readonly event: number;
  readonly free: boolean;
  /** It is the end of a lease. */
  readonly ends: boolean;
  readonly fairness: number;
}

export class Clocks {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #next: Successor;
  readonly #fairness: Fairness;
  /** By number of a machine's state. */
  readonly #armed: (readonly Armed[] | undefined)[] = [];

  constructor(parts: Parts, moment: Moment, next: Successor, fairness: Fairness) {
    this.#parts = parts;
    this.#moment = moment;
    this.#next = next;
    this.#fairness = fairness;
  }

  /** With `quiet`, nothing else can happen, and time passes for nothing. */
  pass(quiet: boolean): void {
    const { nodes } = this.#parts.at;
    const next = this.#next;
    const early = this.#moment.isLeft('timeouts');
    const { holder } = this.#moment.lease;
    for (let node = 0; node < nodes; node++) {
      for (const { event, free: always, ends, fairness } of this.#armedAt(this.#moment.number(node))) {
        const free = always && !(ends && holder === node);
        // Time goes on, and once nothing else is left to do it will come.
        if (free) next.await(fairness);
        if (quiet && free) {
          next.begin(fairness);
          this.#come(node, event, '');
        } else if (early) {
          next.beginFault('timeouts');
          this.#come(node, event, ' early');
        }
      }
    }
  }

  #come(node: number, event: number, when: string): void {
    const { events, names } = this.#parts;
    const next = this.#next;
    if (next.isTold) {
      const { deadline } = events.value(event) as MachineEvent & { type: 'clock.reached' };
      const name = `${deadline.kind}${deadline.id === '' ? '' : ` ${deadline.id}`}`;
      next.tell(`${names[node]} sees its deadline ${name} come${when}`);
    }
    next.feed(node, event);
  }

  #armedAt(local: number): readonly Armed[] {
    const known = this.#armed[local];
    if (known) return known;
    const { locals, events } = this.#parts;
    const { node, armed } = locals.table.value(local);
    const found = armed.map(({ kind, id }) => {
      const free = !suspicious.has(kind);
      const fairness = free ? this.#fairness.ofDeadlines(node, kind) : unfair;
      const event = events.numberOf({ type: 'clock.reached', deadline: { kind, id } });
      return { event, free, ends: kind === leaseEnd, fairness };
    });
    return (this.#armed[local] = found);
  }
}

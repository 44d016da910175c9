/**
 * What may go wrong, as often as the bounds allow. A deadline that comes early is not here: `Clocks` knows which are armed.
 *
 * Rule: a fault is a step of its own, and is undone by nothing but what the machines do about it.
 */
import { type BoundName, boundNames } from '../bounds.js';
import { failureOf } from '../endings.js';
import type { Parts } from '../parts.js';
import type { Deliveries } from './deliveries.js';
import type { Executors } from './executors.js';
import type { Moment } from './moment.js';
import type { Successor } from './successor.js';

type Fault = Exclude<BoundName, 'timeouts'>;

export class Faults {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #next: Successor;
  readonly #deliveries: Deliveries;
  readonly #executors: Executors;
  /** All the ways in which one of a bound may be used up. */
  readonly #ways = {
    crashes: () => this.#crashes(),
    losses: () => this.#losses(),
    duplicates: () => this.#duplicates(),
    unknowns: () => this.#unknowns(),
    failures: () => this.#failures(),
    expiries: () => this.#expiries(),
  } satisfies Record<Fault, () => void>;

  constructor(parts: Parts, moment: Moment, next: Successor, deliveries: Deliveries, executors: Executors) {
    this.#parts = parts;
    this.#moment = moment;
    this.#next = next;
    this.#deliveries = deliveries;
    this.#executors = executors;
  }

  happen(): void {
    for (const name of boundNames) {
      if (name !== 'timeouts' && this.#moment.isLeft(name)) this.#ways[name]();
    }
  }

  /** Of any node but the client. */
  #crashes(): void {
    const { at, names, locals } = this.#parts;
    const next = this.#next;
    for (let node = 0; node < at.nodes - 1; node++) {
      if (!this.#moment.isUp(node)) continue;
      next.beginFault('crashes');
      next.put(node, locals.down(next.number(node)));
      next.tell(`${names[node]} crashes`, node);
      if (node < at.masters) this.#leaveMaster(node);
      else this.#leaveWorker(node - at.masters);
    }
  }

  #leaveMaster(master: number): void {
    const { at, wires } = this.#parts;
    const next = this.#next;
    next.onDesk(master, { kind: 'gone' });
    next.onLease({ kind: 'gone', master });
    const gone = wires.changes.numberOf({ kind: 'master-gone', master });
    for (let dialer = 0; dialer <= at.workers; dialer++) next.change(at.wires + dialer, gone);
  }

  #leaveWorker(worker: number): void {
    const { at, names, setup } = this.#parts;
    const next = this.#next;
    next.onWires(worker, { kind: 'dialer-gone' });
    next.onBench(worker, { kind: 'gone' });
    if (setup.config.mapOutputs === 'shared') return;
    next.onShelf({ kind: 'lose', node: names[at.masters + worker]!, maps: setup.spec.maps });
  }

  /** Of sessions that both sides still have. */
  #losses(): void {
    const { at, names } = this.#parts;
    const next = this.#next;
    for (let dialer = 0; dialer <= at.workers; dialer++) {
      for (const [index, { up, down, master }] of this.#moment.sessions(dialer).entries()) {
        if (!up || !down) continue;
        const node = at.masters + dialer;
        next.beginFault('losses');
        next.onWires(dialer, { kind: 'break', index });
        next.tell(`the session of ${names[node]} and ${names[master]} breaks`, node);
      }
    }
  }

  /** The first message of a pipe is delivered and will come once more. */
  #duplicates(): void {
    const { at } = this.#parts;
    const again = ', and will hear it again';
    for (let dialer = 0; dialer <= at.workers; dialer++) {
      const node = at.masters + dialer;
      for (const { up, down, master, number, accepted } of this.#moment.sessions(dialer)) {
        if (isMessage(up?.[0])) {
          this.#next.beginFault('duplicates');
          this.#deliveries.hear(master, up[0], accepted, node, again);
        }
        if (isMessage(down?.[0])) {
          this.#next.beginFault('duplicates');
          this.#deliveries.hear(node, down[0], number, master, again);
        }
      }
    }
  }

  /** The answer to an append is lost; one that was not decided may still happen. */
  #unknowns(): void {
    const { at, journals, events, names } = this.#parts;
    const next = this.#next;
    const reason = 'the answer was lost';
    for (let master = 0; master < at.masters; master++) {
      const { append } = this.#moment.desk(master);
      if (!append) continue;
      const { slot } = journals.entries.value(append.entry);
      next.beginFault('unknowns');
      next.onDesk(master, { kind: 'told-append', late: append.fate === undefined });
      next.tell(`${names[master]} hears nothing of slot ${slot}, which is ${append.fate ?? 'under way'}`);
      next.feed(master, events.numberOf({ type: 'journal.unknown', slot, reason }));
    }
  }

  /** Of whatever attempt runs. */
  #failures(): void {
    const { at } = this.#parts;
    for (let worker = 0; worker < at.workers; worker++) {
      if (!this.#moment.isUp(at.masters + worker)) continue;
      for (const one of this.#moment.bench(worker).running) {
        this.#next.beginFault('failures');
        this.#executors.end(worker, failureOf(this.#parts, one));
      }
    }
  }

  #expiries(): void {
    const { names } = this.#parts;
    const { holder } = this.#moment.lease;
    if (holder < 0) return;
    this.#next.beginFault('expiries');
    this.#next.onLease({ kind: 'expire' });
    this.#next.tell(`the lease of ${names[holder]} is given to others`, holder);
  }
}

/** Not the beginning or the end of a session. */
function isMessage(head: number | undefined): head is number {
  return head !== undefined && head >= 0;
}

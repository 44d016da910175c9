/**
 * What sessions deliver, to dialers and to masters: the head of each pipe. Pipes keep their order; which of them delivers
 * next is free.
 */
import type { MachineEvent } from '../../../../core/events.js';
import { attemptKey } from '../../../../core/ids.js';
import type { MasterState } from '../../../../core/master/state.js';
import type { Parts } from '../parts.js';
import { Memo } from '../table.js';
import { accepted, knock, lost, type Session } from '../wires.js';
import type { Moment } from './moment.js';
import type { Successor } from './successor.js';

export class Deliveries {
  readonly #parts: Parts;
  readonly #moment: Moment;
  readonly #next: Successor;
  /** The event that the head of a pipe is to its receiver: by head, and by (session, peer). */
  readonly #heard: Memo<number>;
  /** The change that takes the head of a pipe: by the master's number of the session, or `down`, and by index. */
  readonly #taken: Memo<number>;
  /** By number of a master's state. */
  readonly #held: (ReadonlySet<number> | undefined)[] = [];

  constructor(parts: Parts, moment: Moment, next: Successor) {
    this.#parts = parts;
    this.#moment = moment;
    this.#next = next;
    this.#heard = new Memo((head, from) => parts.events.numberOf(this.#heardOf(head - 3, from)));
    this.#taken = new Memo((number, index) => this.#takenOf(number, index));
  }

  /** What comes to a worker or client. */
  toDialer(dialer: number): void {
    const { at } = this.#parts;
    const node = at.masters + dialer;
    const sessions = this.#moment.sessions(dialer);
    for (let index = 0; index < sessions.length; index++) {
      const session = sessions[index]!;
      if (!session.down?.length) continue;
      this.#next.beginAt(node);
      this.#next.change(at.wires + dialer, this.#taken.get(down, index));
      this.hear(node, session.down[0]!, session.number, session.master);
    }
  }

  /** What comes from a worker or client, to every master. */
  toMasters(dialer: number): void {
    const sessions = this.#moment.sessions(dialer);
    for (let index = 0; index < sessions.length; index++) {
      const session = sessions[index]!;
      if (session.up?.length) this.#toMaster(dialer, index, session, session.up[0]!);
    }
  }

  #toMaster(dialer: number, index: number, { master, accepted }: Session, head: number): void {
    const { at, names } = this.#parts;
    const next = this.#next;
    next.beginAt(master);
    if (head === knock && !this.#moment.isUp(master)) {
      next.onWires(dialer, { kind: 'unheard', index });
      next.tell(`${names[at.masters + dialer]} finds ${names[master]} down`);
      return;
    }
    const number = head === knock ? this.#freeNumber(master) : accepted;
    next.change(at.wires + dialer, this.#taken.get(number, index));
    this.hear(master, head, number, at.masters + dialer);
  }

  /** The head of a pipe comes to a node, which has this number of its session with the peer. */
  hear(node: number, head: number, session: number, peer: number, more = ''): void {
    const { events, names } = this.#parts;
    const next = this.#next;
    const event = this.#heard.get(head + 3, session * 64 + peer);
    if (next.isTold) next.tell(`${names[node]} hears ${sayEvent(events.value(event), names[peer]!)}${more}`);
    next.feed(node, event);
  }

  #heardOf(head: number, from: number): MachineEvent {
    const { messages, names } = this.#parts;
    const session = from >> 6;
    const peer = names[from & 63]!;
    if (head === lost) return { type: 'peer.lost', peer, session };
    if (head === knock || head === accepted) return { type: 'peer.connected', peer, session };
    const message = messages.value(head);
    return { type: 'message.received', from: peer, session, message } as MachineEvent;
  }

  #takenOf(number: number, index: number): number {
    const { changes } = this.#parts.wires;
    if (number === down) return changes.numberOf({ kind: 'take-down', index });
    return changes.numberOf({ kind: 'take-up', index, accepted: number });
  }

  /** A session number that neither the master nor any wire to it knows. */
  #freeNumber(master: number): number {
    const held = (this.#held[this.#moment.number(master)] ??= sessionsHeld(
      this.#moment.local(master).state as MasterState,
    ));
    let free = 1;
    while (held.has(free) || this.#isOnWire(master, free)) free++;
    return free;
  }

  #isOnWire(master: number, number: number): boolean {
    for (let dialer = 0; dialer <= this.#parts.at.workers; dialer++) {
      const sessions = this.#moment.sessions(dialer);
      if (sessions.some((one) => one.master === master && one.accepted === number)) return true;
    }
    return false;
  }
}

/** Instead of a master's number of a session, which is never 0, for `#taken`. */
const down = 0;

/** Numbers that sessions of a master have in its own memory: a number in use must not be given again. */
function sessionsHeld(state: MasterState): Set<number> {
  const held = new Set<number>(state.sessions.keys());
  const { leading } = state;
  if (!leading) return held;
  for (const worker of leading.workers.values()) held.add(worker.session);
  for (const session of leading.submitters.values()) held.add(session);
  for (const view of leading.jobs.values()) for (const session of view.followers) held.add(session);
  return held;
}

function sayEvent(event: MachineEvent, peer: string): string {
  switch (event.type) {
    case 'peer.connected':
      return `that its session with ${peer} is open`;
    case 'peer.lost':
      return `that its session with ${peer} is over`;
    case 'message.received': {
      const { message } = event;
      const about = 'attempt' in message ? ` ${attemptKey(message.attempt)}` : '';
      return `${message.type}${about} of ${peer}`;
    }
    default:
      return event.type;
  }
}

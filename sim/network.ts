/**
 * Sessions over directed links. A session is a reliable, ordered stream that may break; what is under way then is lost
 * with it, except what an orderly end leaves behind: that still arrives, before the end does. A blocked link holds frames up, as TCP does: they arrive after it heals, unless the session broke meanwhile.
 *
 * A latency is drawn by the link and by what the message is about, so that other messages do not change it.
 */
import type { PeerConnected, PeerLost } from '../core/events.js';
import type { NodeId } from '../core/ids.js';
import type { Message } from '../core/messages.js';
import type { Host } from './host.js';
import { type Life, livingLife, type SimNode } from './nodes.js';
import type { Task } from './queue.js';
import { draw, drawKey, type Range, within } from './random.js';

export interface Session {
  readonly dialer: Life;
  readonly dialerSession: number;
  /** The dialed side, once it has accepted. */
  master: Life | undefined;
  masterSession: number;
  state: 'dialing' | 'open' | 'broken';
  /** The dialer has heard that it is open. */
  confirmed: boolean;
  readonly toMaster: Pipe;
  readonly toDialer: Pipe;
}

/** One direction of a session. */
interface Pipe {
  readonly from: SimNode;
  readonly to: SimNode;
  /** Nothing arrives before what was sent before it. */
  lastUs: number;
  /** Its sender has ended the session: what it had sent before still arrives. */
  orderly: boolean;
  readonly heldUp: Task[];
}

const latency = drawKey('link latency');
const frame = { connect: drawKey('connect'), accept: drawKey('accept'), close: drawKey('close') };

export class Network {
  readonly #host: Host;
  readonly #nodes: ReadonlyMap<NodeId, SimNode>;
  readonly #latencyUs: Range;
  readonly #connectUs: number;
  /** Directed links that let nothing through, counted: two partitions may overlap. */
  readonly #blocked = new Map<string, number>();
  readonly #stalled = new Map<string, Set<Pipe>>();

  /** `connectUs`: how long a node waits for a session to open. */
  constructor(host: Host, nodes: ReadonlyMap<NodeId, SimNode>, latencyUs: Range, connectUs: number) {
    this.#host = host;
    this.#nodes = nodes;
    this.#latencyUs = latencyUs;
    this.#connectUs = connectUs;
  }

  connect(dialer: Life, peer: NodeId, number: number): void {
    const target = this.#nodes.get(peer)!;
    const session: Session = {
      dialer,
      dialerSession: number,
      master: undefined,
      masterSession: 0,
      state: 'dialing',
      confirmed: false,
      toMaster: { from: dialer.node, to: target, lastUs: 0, orderly: false, heldUp: [] },
      toDialer: { from: target, to: dialer.node, lastUs: 0, orderly: false, heldUp: [] },
    };
    dialer.node.sessions.set(number, session);
    this.#transmit(session.toMaster, frame.connect, number, () => this.#knock(session, target));
    this.#host.later(this.#connectUs, () => {
      if (!session.confirmed && session.state !== 'broken') this.#break(session, undefined);
    });
  }

  #knock(session: Session, target: SimNode): void {
    const life = livingLife(target);
    if (!life) {
      if (session.state === 'dialing') this.#break(session, undefined);
      return;
    }
    this.#host.runFor(life, () => {
      if (session.state !== 'dialing') return;
      session.state = 'open';
      session.master = life;
      session.masterSession = ++target.accepted;
      target.sessions.set(session.masterSession, session);
      this.#host.feed(life, connected(session.dialer.node, session.masterSession));
      this.#transmit(session.toDialer, frame.accept, session.dialerSession, () => {
        this.#host.runFor(session.dialer, () => {
          if (session.state !== 'open') return;
          session.confirmed = true;
          this.#host.feed(session.dialer, connected(target, session.dialerSession));
        });
      });
    });
  }

  send(from: Life, number: number, message: Message): void {
    const session = from.node.sessions.get(number);
    if (session?.state !== 'open') return;
    const toMaster = session.dialer === from;
    const pipe = toMaster ? session.toMaster : session.toDialer;
    const receiver = toMaster ? session.master! : session.dialer;
    const receiverSession = toMaster ? session.masterSession : session.dialerSession;
    const subject = 'attempt' in message ? message.attempt : undefined;
    // Beats all look alike: they are told apart by when they leave.
    const first = subject ? subject.task : Math.floor(this.#host.nowUs / 100_000);
    const second = subject ? subject.epoch * 1024 + subject.n : 0;
    this.#transmit(
      pipe,
      drawKeyOf(message.type),
      first,
      () => {
        if (session.state !== 'open' && !pipe.orderly) return;
        const event = {
          type: 'message.received',
          from: from.node.name,
          session: receiverSession,
          message,
        } as Parameters<Host['feed']>[1];
        this.#host.runFor(receiver, () => this.#host.feed(receiver, event));
      },
      second,
    );
  }

  disconnect(by: Life, number: number): void {
    const session = by.node.sessions.get(number);
    if (!session || session.state === 'broken') return;
    (session.dialer === by ? session.toMaster : session.toDialer).orderly = true;
    this.#break(session, by);
  }

  /** Breaks every session of a node, as a reset connection does: both sides hear of it. */
  drop(node: SimNode): number {
    const sessions = [...node.sessions.values()].filter((session) => session.state !== 'broken');
    for (const session of sessions) this.#break(session, undefined);
    return sessions.length;
  }

  /** The life is over: its peers notice. */
  ended(life: Life): void {
    for (const session of life.node.sessions.values())
      if (session.state !== 'broken') this.#break(session, life);
    life.node.sessions.clear();
  }

  block(from: NodeId, to: NodeId): void {
    const link = `${from} ${to}`;
    this.#blocked.set(link, (this.#blocked.get(link) ?? 0) + 1);
  }

  heal(from: NodeId, to: NodeId): void {
    const link = `${from} ${to}`;
    const left = (this.#blocked.get(link) ?? 1) - 1;
    if (left > 0) {
      this.#blocked.set(link, left);
      return;
    }
    this.#blocked.delete(link);
    for (const pipe of this.#stalled.get(link) ?? []) {
      for (const [index, task] of pipe.heldUp.splice(0).entries())
        this.#transmit(pipe, frame.connect, index, task);
    }
    this.#stalled.delete(link);
  }

  isBlocked(from: NodeId, to: NodeId): boolean {
    return this.#blocked.has(`${from} ${to}`);
  }

  /** `by`: who ended it and needs no telling; undefined when the wire did. */
  #break(session: Session, by: Life | undefined): void {
    const known = session.state === 'open';
    session.state = 'broken';
    const { dialer, master } = session;
    dialer.node.sessions.delete(session.dialerSession);
    if (dialer !== by) {
      const event = lost(session.toDialer.from, session.dialerSession);
      this.#close(session.toDialer, dialer, session.dialerSession, event);
    }
    if (!master) return;
    master.node.sessions.delete(session.masterSession);
    if (known && master !== by) {
      const event = lost(dialer.node, session.masterSession);
      this.#close(session.toMaster, master, session.masterSession, event);
    }
  }

  #close(pipe: Pipe, receiver: Life, number: number, event: PeerLost): void {
    this.#transmit(pipe, frame.close, number, () =>
      this.#host.runFor(receiver, () => this.#host.feed(receiver, event)),
    );
  }

  #transmit(pipe: Pipe, about: number, first: number, arrive: Task, second = 0): void {
    if (this.#blocked.size > 0 && this.isBlocked(pipe.from.name, pipe.to.name)) {
      const link = `${pipe.from.name} ${pipe.to.name}`;
      let stalled = this.#stalled.get(link);
      if (!stalled) this.#stalled.set(link, (stalled = new Set()));
      stalled.add(pipe);
      pipe.heldUp.push(arrive);
      return;
    }
    const bits = draw(
      this.#host.seed,
      latency,
      pipe.from.key ^ Math.imul(pipe.to.key, 31),
      about,
      first,
      second,
    );
    const atUs = Math.max(this.#host.nowUs + within(this.#latencyUs, bits), pipe.lastUs);
    pipe.lastUs = atUs;
    this.#host.later(atUs - this.#host.nowUs, arrive);
  }
}

function connected(peer: SimNode, session: number): PeerConnected {
  return { type: 'peer.connected', peer: peer.name, session };
}

function lost(peer: SimNode, session: number): PeerLost {
  return { type: 'peer.lost', peer: peer.name, session };
}

const typeKeys = new Map<string, number>();

function drawKeyOf(type: string): number {
  let key = typeKeys.get(type);
  if (key === undefined) typeKeys.set(type, (key = drawKey(type)));
  return key;
}

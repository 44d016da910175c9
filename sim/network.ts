/**
 * Sessions over links. A session is a reliable, ordered stream that may break; what is under way then is lost with it,
 * except what an orderly end leaves behind: that still arrives, before the end does. A blocked link holds frames up, as
 * TCP does: they arrive after it heals, unless the session broke meanwhile.
 *
 * Faults may do what a stream does not (repeat a message, deliver it after its session has broken), because every message
 * is to be judged alone. Within a session the order is kept always: on that the machines may rely.
 */
import type { MachineEvent, PeerConnected, PeerLost } from '../core/events.js';
import type { NodeId } from '../core/ids.js';
import type { Message } from '../core/messages.js';
import { type Frame, frameKeys, messageKey, newPipe, type Pipe, type Session } from './frames.js';
import type { Host } from './host.js';
import { type FrameKind, latencyOf, linkTo, repetitionOf, type Trouble } from './links.js';
import { type Life, livingLife, type SimNode } from './nodes.js';
import { draw, drawKey, type Range, within } from './random.js';

const extraTime = drawKey('extra time');
const fate = { loss: drawKey('loss'), duplicate: drawKey('duplicate') };

export class Network {
  readonly #host: Host;
  readonly #nodes: ReadonlyMap<NodeId, SimNode>;
  readonly #latencyUs: Range;
  readonly #connectUs: number;
  /** Frames that will arrive, but those of which there is always some. */
  #underWay = 0;

  /** `connectUs`: how long a node waits for a session to open. */
  constructor(host: Host, nodes: ReadonlyMap<NodeId, SimNode>, latencyUs: Range, connectUs: number) {
    this.#host = host;
    this.#nodes = nodes;
    this.#latencyUs = latencyUs;
    this.#connectUs = connectUs;
  }

  /** How much was sent and has not arrived, beats and their answers left out. */
  get underWay(): number {
    return this.#underWay;
  }

  // ---- what machines ask for -------------------------------------------------------------------------------------

  connect(dialer: Life, peer: NodeId, number: number): void {
    const target = this.#nodes.get(peer)!;
    const session: Session = {
      dialer,
      dialerSession: number,
      master: undefined,
      masterSession: 0,
      state: 'dialing',
      confirmed: false,
      toMaster: newPipe(linkTo(dialer.node, target)),
      toDialer: newPipe(linkTo(target, dialer.node)),
    };
    dialer.node.sessions.set(number, session);
    this.#transmit('connect', session, session.toMaster, undefined, undefined, frameKeys.connect);
    this.#host.later(this.#connectUs, () => {
      if (!session.confirmed && session.state !== 'broken') this.#break(session, undefined);
    });
  }

  send(from: Life, number: number, message: Message): void {
    const session = from.node.sessions.get(number);
    if (session?.state !== 'open') return;
    const toMaster = session.dialer === from;
    const event = {
      type: 'message.received',
      from: from.node.name,
      session: toMaster ? session.masterSession : session.dialerSession,
      message,
    } as MachineEvent;
    const pipe = toMaster ? session.toMaster : session.toDialer;
    const receiver = toMaster ? session.master! : session.dialer;
    this.#transmit(message.type, session, pipe, receiver, event, messageKey(message));
  }

  disconnect(by: Life, number: number): void {
    const session = by.node.sessions.get(number);
    if (!session || session.state === 'broken') return;
    (session.dialer === by ? session.toMaster : session.toDialer).orderly = true;
    this.#break(session, by);
  }

  /** The life is over: its peers notice. */
  ended(life: Life): void {
    for (const session of life.node.sessions.values())
      if (session.state !== 'broken') this.#break(session, life);
    life.node.sessions.clear();
  }

  // ---- what faults do --------------------------------------------------------------------------------------------

  /** Breaks every session of a node, as a reset connection does: both sides hear of it. Answers how many. */
  drop(node: SimNode): number {
    const sessions = [...node.sessions.values()].filter((session) => session.state !== 'broken');
    for (const session of sessions) this.#break(session, undefined);
    return sessions.length;
  }

  /** `hit` is called for everything that is held up, and ends the block again. */
  block(from: SimNode, to: SimNode, hit: () => void): void {
    linkTo(from, to).blocks.push(hit);
  }

  heal(from: SimNode, to: SimNode, hit: () => void): void {
    const link = linkTo(from, to);
    link.blocks.splice(link.blocks.indexOf(hit), 1);
    for (const pipe of [...link.stalled]) this.#flush(pipe);
  }

  /** Whether what is asked this way, and is no frame, does not come through. */
  holdsUp(from: SimNode, to: SimNode): boolean {
    const blocks = from.links[to.index]?.blocks ?? [];
    for (const hit of blocks) hit();
    return blocks.length > 0;
  }

  trouble(from: SimNode, to: SimNode, trouble: Trouble): void {
    linkTo(from, to).troubles.push(trouble);
  }

  /** The trouble is over; what it held goes on its way. */
  relieve(from: SimNode, to: SimNode, trouble: Trouble): void {
    const { troubles } = linkTo(from, to);
    troubles.splice(troubles.indexOf(trouble), 1);
    if (trouble.what.kind !== 'hold' || !trouble.what.held) return;
    const pipe = trouble.what.held;
    pipe.heldBy = undefined;
    this.#flush(pipe);
  }

  // ---- sessions --------------------------------------------------------------------------------------------------

  #knock(session: Session): void {
    const target = session.toMaster.link.to;
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
      const { dialer, dialerSession, masterSession } = session;
      this.#host.feed(life, connected(dialer.node, masterSession));
      const event = connected(target, dialerSession);
      this.#transmit('accept', session, session.toDialer, dialer, event, frameKeys.accept);
    });
  }

  /** `by`: who ended it and needs no telling; undefined when the wire did. */
  #break(session: Session, by: Life | undefined): void {
    const known = session.state === 'open';
    session.state = 'broken';
    const { dialer, master, toDialer, toMaster } = session;
    dialer.node.sessions.delete(session.dialerSession);
    if (dialer !== by) {
      const event = lost(toDialer.link.from, session.dialerSession);
      this.#transmit('close', session, toDialer, dialer, event, frameKeys.close);
    }
    if (!master) return;
    master.node.sessions.delete(session.masterSession);
    if (known && master !== by) {
      const event = lost(dialer.node, session.masterSession);
      this.#transmit('close', session, toMaster, master, event, frameKeys.close);
    }
  }

  // ---- frames ----------------------------------------------------------------------------------------------------

  #transmit(
    kind: FrameKind,
    session: Session,
    pipe: Pipe,
    receiver: Life | undefined,
    event: MachineEvent | undefined,
    key: number,
  ): void {
    const { link } = pipe;
    const repetition = repetitionOf(link, key);
    const latencyUs = latencyOf(this.#host.seed, this.#latencyUs, link, key, repetition);
    const frame = { kind, session, pipe, receiver, event, key, repetition, latencyUs, late: false };
    for (const observer of this.#host.audience.frameSent) observer.frameSent(frame);
    if (link.troubles.length > 0) this.#holdBack(frame);
    if (pipe.heldBy !== undefined || link.blocks.length > 0) {
      for (const hit of link.blocks) hit();
      pipe.heldUp.push(frame);
      if (!isBeat(frame)) this.#underWay++;
      link.stalled.add(pipe);
    } else {
      this.#depart(frame);
    }
  }

  #depart(frame: Frame): void {
    const { pipe } = frame;
    const { nowUs } = this.#host;
    let atUs = nowUs + frame.latencyUs;
    let copies = 1;
    for (const trouble of pipe.link.troubles) {
      if (trouble.what.kind === 'loss' && this.#suffers(frame, trouble, fate.loss, trouble.what.percent)) {
        // A stream cannot go on with a hole in it. One that is only being opened is tried again by who opens it.
        if (frame.event?.type === 'message.received') this.#break(frame.session, undefined);
        return;
      }
      atUs = this.#slowed(frame, trouble, atUs);
      if (trouble.what.kind === 'duplicate' && frame.event?.type === 'message.received') {
        if (this.#suffers(frame, trouble, fate.duplicate, trouble.what.percent)) copies = 2;
      }
    }
    atUs = Math.max(atUs, pipe.lastUs);
    pipe.lastUs = atUs;
    for (; copies > 0; copies--) this.#arriveAt(atUs, frame);
  }

  #arriveAt(atUs: number, frame: Frame): void {
    if (!isBeat(frame)) this.#underWay++;
    this.#host.arriveAt(atUs, frame);
  }

  /** The host says that its time has come. */
  arrive(frame: Frame): void {
    if (!isBeat(frame)) this.#underWay--;
    const { session, receiver, event } = frame;
    if (frame.kind === 'connect') {
      this.#knock(session);
      return;
    }
    if (
      event!.type === 'message.received' &&
      session.state !== 'open' &&
      !frame.pipe.orderly &&
      !frame.late
    ) {
      this.#straggle(frame);
      return;
    }
    if (receiver!.node.status === 'up') this.#hear(frame);
    else this.#host.runFor(receiver!, () => this.#hear(frame));
  }

  #hear({ kind, session, receiver, event }: Frame): void {
    if (kind === 'accept') {
      if (session.state !== 'open') return;
      session.confirmed = true;
    }
    this.#host.feed(receiver!, event!);
  }

  /** What waited in a pipe leaves now, in its order, unless something still holds it. */
  #flush(pipe: Pipe): void {
    if (pipe.heldBy !== undefined) return;
    const { blocks, stalled } = pipe.link;
    if (blocks.length > 0) {
      for (const hit of blocks) hit(); // what one fault has held up another holds up now
      return;
    }
    stalled.delete(pipe);
    for (const frame of pipe.heldUp.splice(0)) {
      if (!isBeat(frame)) this.#underWay--;
      this.#depart(frame);
    }
  }

  // ---- troubles --------------------------------------------------------------------------------------------------

  /** One that waits for such a frame takes it and its pipe. */
  #holdBack(frame: Frame): void {
    for (const trouble of frame.pipe.link.troubles) {
      const { what } = trouble;
      if (what.kind !== 'hold' || what.held || frame.event?.type !== 'message.received') continue;
      if (frame.pipe.heldBy || (what.message !== undefined && what.message !== frame.kind)) continue;
      what.held = frame.pipe;
      frame.pipe.heldBy = trouble;
      frame.late = true;
      trouble.hit(frame);
    }
  }

  #slowed(frame: Frame, trouble: Trouble, atUs: number): number {
    const { what } = trouble;
    if (what.kind === 'delay') {
      const extraUs = this.#extraUs(frame, trouble, what.extraUs);
      if (extraUs > 0) trouble.hit(frame);
      return atUs + extraUs;
    }
    if (what.kind !== 'clog') return atUs;
    const freeUs = what.lastUs + what.gapUs;
    if (freeUs > atUs) trouble.hit(frame);
    what.lastUs = Math.max(atUs, freeUs);
    return what.lastUs;
  }

  /** Its session has broken: it is lost, unless a fault brings it later. */
  #straggle(frame: Frame): void {
    for (const trouble of frame.pipe.link.troubles) {
      if (trouble.what.kind !== 'reorder') continue;
      frame.late = true;
      trouble.hit(frame);
      this.#arriveAt(this.#host.nowUs + this.#extraUs(frame, trouble, trouble.what.extraUs), frame);
      return;
    }
  }

  #extraUs(frame: Frame, trouble: Trouble, range: Range): number {
    return within(range, this.#draw(frame, trouble, extraTime));
  }

  /** Ends of sessions are never lost: whoever speaks into a session that is gone is told so again. */
  #suffers(frame: Frame, trouble: Trouble, purpose: number, percent: number): boolean {
    if (frame.kind === 'close' || frame.session.state === 'broken') return false;
    if (this.#draw(frame, trouble, purpose) % 100 >= percent) return false;
    trouble.hit(frame);
    return true;
  }

  #draw({ pipe, key, repetition }: Frame, trouble: Trouble, purpose: number): number {
    return draw(this.#host.seed, purpose, trouble.key, pipe.link.key, key, repetition);
  }
}

function isBeat({ kind }: Frame): boolean {
  return kind === 'worker.beat' || kind === 'master.beat';
}

function connected(peer: SimNode, session: number): PeerConnected {
  return { type: 'peer.connected', peer: peer.name, session };
}

function lost(peer: SimNode, session: number): PeerLost {
  return { type: 'peer.lost', peer: peer.name, session };
}

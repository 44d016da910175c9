/** A master's end of its sessions, whatever carries them. */
import type { NodeId } from '../../core/ids.js';
import type { ClientMessage, MasterMessage, WorkerMessage } from '../../core/messages.js';
import type { Cause, FrameCodec } from './codec.js';
import { dialogues, type Role } from './dialogues.js';
import { LocalWire } from './local-wire.js';
import { type DialedWire, SessionEnd, type Wire } from './session.js';

/** Called from the event loop only, never from inside a method of the server. */
export interface ServerHandlers {
  /** A worker or client has opened a session; `session` counts up from 1. */
  connected(peer: NodeId, session: number): void;
  /** The last word of every session that was connected, exactly once. `reason` is for people. */
  lost(peer: NodeId, session: number, reason: string): void;
  /** Messages of one session come in the order in which they were sent. */
  message(
    peer: NodeId,
    session: number,
    message: WorkerMessage | ClientMessage,
    cause: Cause | undefined,
  ): void;
}

export type MasterEnd = SessionEnd<MasterMessage, WorkerMessage | ClientMessage>;

export class SessionServer {
  readonly #node: NodeId;
  readonly #handlers: ServerHandlers;
  /** Opened or not. */
  readonly #ends = new Set<MasterEnd>();
  readonly #open = new Map<number, MasterEnd>();
  #sessionLast = 0;

  constructor(options: { readonly node: NodeId; readonly handlers: ServerHandlers }) {
    this.#node = options.node;
    this.#handlers = options.handlers;
  }

  /** A wire for a client or worker in this process; its first frame opens a session. */
  openHere(role: Role): DialedWire {
    const [near, far] = LocalWire.pair();
    near.attach(this.accept(role, near));
    return far;
  }

  /** Serves whoever is at the other end of a wire, which is to tell the end that is returned what comes through it. */
  accept(role: Role, wire: Wire): MasterEnd {
    const { says, hears } = dialogues[role];
    let opened: { readonly peer: NodeId; readonly session: number } | undefined;
    const end: MasterEnd = new SessionEnd<MasterMessage, WorkerMessage | ClientMessage>({
      node: this.#node,
      outgoing: hears as FrameCodec<MasterMessage>,
      incoming: says as FrameCodec<WorkerMessage | ClientMessage>,
      wire,
      handlers: {
        opened: (peer) => {
          const session = ++this.#sessionLast;
          opened = { peer, session };
          this.#open.set(session, end);
          end.open();
          this.#handlers.connected(peer, session);
        },
        received: (message, cause) => this.#handlers.message(opened!.peer, opened!.session, message, cause),
        over: (reason) => {
          if (opened === undefined) return;
          this.#open.delete(opened.session);
          this.#handlers.lost(opened.peer, opened.session, reason);
        },
      },
    });
    this.#ends.add(end);
    end.gone.then(() => this.#ends.delete(end));
    return end;
  }

  /**
   * Sends `message`; to a session that is over, it goes nowhere.
   * @throws ProtocolError when the message has no place in the session or is too large: both are mistakes of ours.
   */
  send(session: number, message: MasterMessage, cause?: Cause): void {
    this.#open.get(session)?.send(message, cause);
  }

  /** Ends a session once what was sent has left; its `lost` comes soon, and no message any more. */
  disconnect(session: number): void {
    this.#open.get(session)?.finish('this node ended the session');
  }

  /** Ends every session, and reports its loss. */
  async close(): Promise<void> {
    const ends = [...this.#ends];
    for (const end of ends) end.finish('this node closed');
    await Promise.all(ends.map((end) => end.gone));
  }
}

/** A worker's or client's end of its sessions with masters, whatever carries them. */
import type { NodeId } from '../../core/ids.js';
import type { Cause } from './codec.js';
import { dialogues, type Heard, type Role, type Said } from './dialogues.js';
import { type DialedWire, SessionEnd } from './session.js';

/** Called from the event loop only, never from inside a method of the dialer. */
export interface DialerHandlers<R extends Role> {
  /** The master has answered. */
  connected(peer: NodeId, session: number): void;
  /** The last word of every session that was asked for, connected or not, exactly once. `reason` is for people. */
  lost(peer: NodeId, session: number, reason: string): void;
  /** Messages of one session come in the order in which they were sent. */
  message(peer: NodeId, session: number, message: Heard<R>, cause: Cause | undefined): void;
}

export class SessionDialer<R extends Role> {
  readonly #node: NodeId;
  readonly #role: R;
  readonly #dial: (peer: NodeId) => DialedWire;
  readonly #handlers: DialerHandlers<R>;
  readonly #ends = new Map<number, SessionEnd<Said<R>, Heard<R>>>();
  #closing = false;

  constructor(options: {
    readonly node: NodeId;
    readonly role: R;
    readonly dial: (peer: NodeId) => DialedWire;
    readonly handlers: DialerHandlers<R>;
  }) {
    this.#node = options.node;
    this.#role = options.role;
    this.#dial = options.dial;
    this.#handlers = options.handlers;
  }

  /**
   * Opens session number `session`, which the caller never uses again; the answer is `connected` or `lost`. Once the
   * dialer closes it does nothing: that is the end of all sessions, asked for or not. Throws what `dial` throws.
   */
  connect(peer: NodeId, session: number): void {
    if (this.#closing) return;
    const wire = this.#dial(peer);
    const { says, hears } = dialogues[this.#role];
    const end = new SessionEnd<Said<R>, Heard<R>>({
      node: this.#node,
      peer,
      outgoing: says,
      incoming: hears,
      wire,
      handlers: {
        opened: () => this.#handlers.connected(peer, session),
        received: (message, cause) => this.#handlers.message(peer, session, message, cause),
        over: (reason) => this.#handlers.lost(peer, session, reason),
      },
    });
    this.#ends.set(session, end);
    end.gone.then(() => this.#ends.delete(session));
    wire.attach(end);
    end.open();
  }

  /**
   * Sends `message`; to a session that is not open, it goes nowhere.
   * @throws ProtocolError when the message is too large: a mistake of ours.
   */
  send(session: number, message: Said<R>, cause?: Cause): void {
    this.#ends.get(session)?.send(message, cause);
  }

  /** Ends a session once what was sent has left; its `lost` comes soon, and no message any more. */
  disconnect(session: number): void {
    this.#ends.get(session)?.finish('this node ended the session');
  }

  /** Ends every session and reports its loss; nothing is reported afterwards. */
  async close(): Promise<void> {
    this.#closing = true;
    const ends = [...this.#ends.values()];
    for (const end of ends) end.finish('this node closed');
    await Promise.all(ends.map((end) => end.gone));
  }
}

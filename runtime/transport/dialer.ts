/**
 * A worker's or client's end of its sessions: it dials masters by gRPC on Unix sockets.
 *
 * Every session has a channel of its own, which is closed with it: gRPC would otherwise keep a dead master's channel
 * and make the next attempt wait. A master that is not there is known at once, one that does not answer after
 * `openingMs`.
 */
import type grpc from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { NodeId } from '../../core/ids.js';
import type { ClientMessage, MasterToClient, MasterToWorker, WorkerMessage } from '../../core/messages.js';
import { Channel } from './channel.js';
import { asIs } from './channel-options.js';
import {
  answerFrames,
  type Cause,
  clientFrames,
  type FrameCodec,
  masterFrames,
  workerFrames,
} from './codec.js';
import { sessionMethods } from './definitions.js';
import type { LocalWire } from './local-wire.js';
import { SessionEnd, type Wire } from './session.js';
import { checkSocketPath } from './socket-path.js';

/** What each kind of caller says and hears. */
interface Dialogues {
  worker: { readonly says: WorkerMessage; readonly hears: MasterToWorker };
  client: { readonly says: ClientMessage; readonly hears: MasterToClient };
}
export type Role = keyof Dialogues;
export type Said<R extends Role> = Dialogues[R]['says'];
export type Heard<R extends Role> = Dialogues[R]['hears'];

const dialogues: {
  readonly [R in Role]: {
    readonly outgoing: FrameCodec<Said<R>>;
    readonly incoming: FrameCodec<Heard<R>>;
  };
} = {
  worker: { outgoing: workerFrames, incoming: masterFrames },
  client: { outgoing: clientFrames, incoming: answerFrames },
};

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
  readonly #addressOf: (peer: NodeId) => string;
  readonly #openHere: (peer: NodeId) => LocalWire | undefined;
  readonly #handlers: DialerHandlers<R>;
  readonly #ends = new Map<number, SessionEnd<Said<R>, Heard<R>>>();
  #closing = false;

  /** `addressOf` gives the path of a master's Unix socket; `openHere` a wire to a master in this process. */
  constructor(options: {
    readonly node: NodeId;
    readonly role: R;
    readonly addressOf: (peer: NodeId) => string;
    readonly openHere?: (peer: NodeId) => LocalWire | undefined;
    readonly handlers: DialerHandlers<R>;
  }) {
    this.#node = options.node;
    this.#role = options.role;
    this.#addressOf = options.addressOf;
    this.#openHere = options.openHere ?? (() => undefined);
    this.#handlers = options.handlers;
  }

  /**
   * Opens session number `session`, which the caller never uses again; the answer is `connected` or `lost`. Once the
   * dialer closes it does nothing: that is the end of all sessions, asked for or not.
   * @throws RangeError when the address is longer than a socket's path may be.
   */
  connect(peer: NodeId, session: number): void {
    if (this.#closing) return;
    const here = this.#openHere(peer);
    if (here) {
      const end = this.#end(peer, session, here);
      here.attach(end);
      end.open();
      return;
    }
    const address = this.#addressOf(peer);
    checkSocketPath(address);
    const channel = new Channel(address);
    const { path } = sessionMethods[this.#role];
    const call: ClientDuplexStream<Buffer, Buffer> = channel.client.makeBidiStreamRequest(path, asIs, asIs);
    const end = this.#end(peer, session, {
      write: (bytes, written) => call.write(bytes, written),
      end: () => call.end(),
      cut: () => {
        call.cancel();
        channel.close();
      },
    });
    call.on('data', (bytes: Buffer) => end.receive(bytes));
    call.once('end', () => {
      end.closed('the peer ended the session');
      channel.close();
    });
    call.on('error', (error: grpc.ServiceError) => {
      end.closed(error.details);
      channel.close();
    });
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

  #end(peer: NodeId, session: number, wire: Wire): SessionEnd<Said<R>, Heard<R>> {
    const end = new SessionEnd<Said<R>, Heard<R>>({
      node: this.#node,
      peer,
      ...dialogues[this.#role],
      wire,
      handlers: {
        opened: () => this.#handlers.connected(peer, session),
        received: (message, cause) => this.#handlers.message(peer, session, message, cause),
        over: (reason) => this.#handlers.lost(peer, session, reason),
      },
    });
    this.#ends.set(session, end);
    end.gone.then(() => this.#ends.delete(session));
    return end;
  }
}

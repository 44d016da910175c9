/**
 * A master's end of its sessions: a gRPC server on a Unix socket.
 *
 * Every accepted connection gets a gRPC server object of its own. So the socket under a session is ours to close, which
 * is the only way to be rid of a peer that has stopped reading, and the only sign of its death that cannot be missed.
 * A session that ends takes its connection with it.
 */
import { createServer, type Server as Listener, type Socket } from 'node:net';
import grpc, { type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import type { NodeId } from '../../core/ids.js';
import type { ClientMessage, MasterMessage, WorkerMessage } from '../../core/messages.js';
import { asIs, channelOptions } from './channel-options.js';
import {
  answerFrames,
  type Cause,
  clientFrames,
  type FrameCodec,
  masterFrames,
  workerFrames,
} from './codec.js';
import { healthService, servingNames, sessionMethods } from './definitions.js';
import type { Role } from './dialer.js';
import { connectionsMax } from './limits.js';
import { LocalWire } from './local-wire.js';
import { SessionEnd, type Wire } from './session.js';
import { checkSocketPath, removeStaleSocket } from './socket-path.js';

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

type MasterEnd = SessionEnd<MasterMessage, WorkerMessage | ClientMessage>;

interface Connection {
  readonly socket: Socket;
  readonly ends: Set<MasterEnd>;
}

const ended = 'the peer ended the session';
const broken = 'the connection broke';

export class SessionServer {
  readonly #node: NodeId;
  readonly #handlers: ServerHandlers;
  readonly #connections = new Set<Connection>();
  readonly #localEnds = new Set<MasterEnd>();
  readonly #open = new Map<number, MasterEnd>();
  #listener: Listener | undefined;
  #sessionLast = 0;

  constructor(options: { readonly node: NodeId; readonly handlers: ServerHandlers }) {
    this.#node = options.node;
    this.#handlers = options.handlers;
  }

  /**
   * Listens on a Unix socket at `socketPath`, whose folder exists and is private to the user. A socket file that nobody
   * serves any more is removed.
   * @throws RangeError when the path is longer than `socketPathBytesMax`; Error when it is taken.
   */
  async listen(socketPath: string): Promise<void> {
    checkSocketPath(socketPath);
    await removeStaleSocket(socketPath);
    const listener = createServer((socket) => this.#accept(socket));
    listener.maxConnections = connectionsMax;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(socketPath, resolve);
    });
    this.#listener = listener;
  }

  /** A wire for a client or worker in this process; its first frame opens a session. */
  openHere(role: Role): LocalWire {
    const [near, far] = LocalWire.pair();
    const end =
      role === 'client'
        ? this.#end(near, answerFrames, clientFrames)
        : this.#end(near, masterFrames, workerFrames);
    near.attach(end);
    this.#localEnds.add(end);
    end.gone.then(() => this.#localEnds.delete(end));
    return far;
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

  /** Ends every session, reports its loss, and stops listening. The socket file is gone afterwards. */
  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const stopped = new Promise<void>((resolve) => (listener ? listener.close(() => resolve()) : resolve()));
    const ends = [
      ...this.#localEnds,
      ...[...this.#connections].flatMap((connection) => [...connection.ends]),
    ];
    for (const end of ends) end.finish('this node closed');
    for (const { socket, ends } of this.#connections) if (ends.size === 0) socket.destroy();
    await Promise.all([stopped, ...ends.map((end) => end.gone)]);
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, ends: new Set() };
    this.#connections.add(connection);
    const server = new grpc.Server(channelOptions);
    server.addService(sessionService('worker'), {
      Session: (call: ServerDuplexStream<Buffer, Buffer>) =>
        this.#serve(connection, call, masterFrames, workerFrames),
    });
    server.addService(sessionService('client'), {
      Session: (call: ServerDuplexStream<Buffer, Buffer>) =>
        this.#serve(connection, call, answerFrames, clientFrames),
    });
    server.addService(healthService, { Check: checkHealth });
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#connections.delete(connection);
      for (const end of connection.ends) end.closed(broken);
      server.forceShutdown();
    });
    server.createConnectionInjector(grpc.ServerCredentials.createInsecure()).injectConnection(socket);
  }

  #serve<Sent extends MasterMessage, Received extends WorkerMessage | ClientMessage>(
    connection: Connection,
    call: ServerDuplexStream<Buffer, Buffer>,
    outgoing: FrameCodec<Sent>,
    incoming: FrameCodec<Received>,
  ): void {
    const wire: Wire = {
      write: (bytes, written) => call.write(bytes, written),
      end: () => call.end(),
      cut: () => connection.socket.destroy(),
    };
    const end = this.#end(wire, outgoing, incoming);
    connection.ends.add(end);
    call.on('data', (bytes: Buffer) => end.receive(bytes));
    call.once('end', () => end.finish(ended));
    call.once('cancelled', () => end.finish(broken));
    call.on('error', (error) => end.finish(error.message));
  }

  #end<Sent extends MasterMessage, Received extends WorkerMessage | ClientMessage>(
    wire: Wire,
    outgoing: FrameCodec<Sent>,
    incoming: FrameCodec<Received>,
  ): MasterEnd {
    let opened: { readonly peer: NodeId; readonly session: number } | undefined;
    const end: MasterEnd = new SessionEnd<MasterMessage, WorkerMessage | ClientMessage>({
      node: this.#node,
      outgoing: outgoing as FrameCodec<MasterMessage>,
      incoming,
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
    return end;
  }
}

function sessionService(role: 'worker' | 'client'): ServiceDefinition {
  const method = sessionMethods[role];
  return { Session: { ...method, requestDeserialize: asIs, responseSerialize: asIs } };
}

const checkHealth: grpc.handleUnaryCall<{ readonly service: string }, { readonly status: string }> = (
  { request },
  answer,
) => {
  if (servingNames.has(request.service)) answer(null, { status: 'SERVING' });
  else answer({ code: grpc.status.NOT_FOUND, details: 'no such service' });
};

/**
 * Where other processes reach a master: a gRPC server on a Unix socket.
 *
 * Every accepted connection gets a gRPC server object of its own. So the socket under a session is ours to close, which
 * is the only way to be rid of a peer that has stopped reading, and the only sign of its death that cannot be missed.
 * A session that ends takes its connection with it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import grpc, { type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import { asIs, channelOptions } from './channel-options.js';
import { healthService, servingNames, sessionMethods } from './definitions.js';
import type { Role } from './dialogues.js';
import { connectionsMax } from './limits.js';
import type { MasterEnd, SessionServer } from './server.js';
import { hungUp } from './session.js';
import { checkSocketPath, removeStaleSocket } from './socket-path.js';

interface Connection {
  readonly socket: Socket;
  readonly ends: Set<MasterEnd>;
}

const roles: readonly Role[] = ['worker', 'client'];
const broken = 'the connection broke';

export class GrpcListener {
  readonly #sessions: SessionServer;
  readonly #connections = new Set<Connection>();
  readonly #listener: Server;

  private constructor(sessions: SessionServer) {
    this.#sessions = sessions;
    this.#listener = createServer((socket) => this.#accept(socket));
    this.#listener.maxConnections = connectionsMax;
  }

  /**
   * Listens on a Unix socket at `socketPath`, whose folder exists and is private to the user. A socket file that nobody
   * serves any more is removed.
   * @throws RangeError when the path is longer than `socketPathBytesMax`; Error when it is taken.
   */
  static async listen(socketPath: string, sessions: SessionServer): Promise<GrpcListener> {
    checkSocketPath(socketPath);
    await removeStaleSocket(socketPath);
    const made = new GrpcListener(sessions);
    await new Promise<void>((resolve, reject) => {
      made.#listener.once('error', reject);
      made.#listener.listen(socketPath, resolve);
    });
    return made;
  }

  /** Stops listening. Resolves when all sessions that came this way have been ended, by whoever serves them. */
  async close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const { socket, ends } of this.#connections) if (ends.size === 0) socket.destroy();
    await stopped;
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, ends: new Set() };
    this.#connections.add(connection);
    const server = new grpc.Server(channelOptions);
    for (const role of roles) {
      server.addService(sessionService(role), {
        Session: (call: ServerDuplexStream<Buffer, Buffer>) => this.#serve(connection, role, call),
      });
    }
    server.addService(healthService, { Check: checkHealth });
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#connections.delete(connection);
      for (const end of connection.ends) end.closed(broken);
      server.forceShutdown();
    });
    server.createConnectionInjector(grpc.ServerCredentials.createInsecure()).injectConnection(socket);
  }

  #serve(connection: Connection, role: Role, call: ServerDuplexStream<Buffer, Buffer>): void {
    const end = this.#sessions.accept(role, {
      write: (bytes, written) => call.write(bytes, written),
      end: () => call.end(),
      cut: () => connection.socket.destroy(),
    });
    connection.ends.add(end);
    call.on('data', (bytes: Buffer) => end.receive(bytes));
    call.once('end', () => end.finish(hungUp));
    call.once('cancelled', () => end.finish(broken));
    call.on('error', (error) => end.finish(error.message));
  }
}

function sessionService(role: Role): ServiceDefinition {
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

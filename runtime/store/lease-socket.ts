// A sign of life between processes of one machine: the holder listens on a Unix socket, a rival keeps a connection
// open. The kernel ends the connection when the holder's process ends, however it ends, and keeps it while the
// process is merely stopped. Nothing is ever sent.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { removeFile } from '../remove-tree.js';
import { errorCode } from './segment-directory.js';

/** A longer path would be cut silently by the system (107 bytes on Linux, 103 on macOS). */
export const SOCKET_PATH_BYTES_MAX = 100;

export class LifeSign {
  readonly #path: string;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;

  /** @throws RangeError when `path` is too long for a socket. */
  constructor(path: string) {
    const bytes = Buffer.byteLength(path);
    if (bytes > SOCKET_PATH_BYTES_MAX) {
      throw new RangeError(
        `a socket path may have ${SOCKET_PATH_BYTES_MAX} bytes, this one has ${bytes}: ${path}`,
      );
    }
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  /** Starts to listen, if not yet. The path must be this process's own: what lies there is replaced. */
  async show(): Promise<void> {
    if (this.#server !== undefined) return;
    removeFile(this.#path);
    const server = createServer((connection) => {
      this.#connections.add(connection);
      connection.on('error', () => {});
      connection.on('close', () => this.#connections.delete(connection));
      connection.resume();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#path, resolve);
    });
    server.unref();
    this.#server = server;
  }

  /** Stops listening and ends every connection. */
  async hide(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}

/** Watches the process that listens on `path`; calls `onDeath` at most once, and never after `end`. */
export class LifeWatch {
  readonly path: string;
  readonly #socket: Socket;
  #dead = false;
  #ended = false;

  constructor(path: string, onDeath: () => void) {
    this.path = path;
    let connected = false;
    let refused = false;
    this.#socket = connect(path);
    this.#socket.on('connect', () => {
      connected = true;
    });
    this.#socket.on('error', (error) => {
      refused = ['ECONNREFUSED', 'ENOENT'].includes(errorCode(error) ?? '');
    });
    this.#socket.on('close', () => {
      // Other errors (a full backlog, no rights) say nothing about the holder; its lease runs out by time.
      if (this.#ended || !(connected || refused)) return;
      this.#dead = true;
      onDeath();
    });
    this.#socket.resume();
    this.#socket.unref();
  }

  get dead(): boolean {
    return this.#dead;
  }

  end(): void {
    this.#ended = true;
    this.#socket.destroy();
  }
}

// A sign of life between processes of one machine: the holder listens on a Unix socket, a rival keeps a connection
// open. The kernel ends the connection when the holder's process ends, however it ends, and keeps it while the
// process is merely stopped. Nothing is ever sent.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { errnoOf } from '../data/disk.js';
import { removeFile } from '../remove-tree.js';
import { checkSocketPath } from '../transport/socket-path.js';

export class LifeSign {
  readonly #path: string;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;

  /** @throws RangeError when `path` is too long for a socket. */
  constructor(path: string) {
    checkSocketPath(path);
    this.#path = path;
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

/** Pause before a holder that has closed a connection is called again. */
const againMs = 10;

/** Watches the process that listens on `path`; calls `onDeath` at most once, and never after `end`. */
export class LifeWatch {
  readonly #path: string;
  readonly #onDeath: () => void;
  #socket: Socket;
  #again: NodeJS.Timeout | undefined;
  #dead = false;
  #ended = false;

  constructor(path: string, onDeath: () => void) {
    this.#path = path;
    this.#onDeath = onDeath;
    this.#socket = this.#call();
  }

  get dead(): boolean {
    return this.#dead;
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#again);
    this.#socket.destroy();
  }

  #call(): Socket {
    let connected = false;
    let refused = false;
    const socket = connect(this.#path);
    socket.on('connect', () => {
      connected = true;
    });
    socket.on('error', (error) => {
      refused = ['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '');
    });
    socket.on('close', () => {
      if (this.#ended) return;
      if (refused) {
        this.#dead = true;
        this.#onDeath();
      } else if (connected) {
        // A holder that may open no more files closes what it has accepted: dead is only who listens no more.
        this.#again = setTimeout(() => {
          this.#socket = this.#call();
        }, againMs).unref();
      }
      // Other errors (a full backlog, no rights) say nothing about the holder; its lease runs out by time.
    });
    socket.resume();
    socket.unref();
    return socket;
  }
}

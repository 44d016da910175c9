import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as dialSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc, { type ClientDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientMessage, MasterMessage, WorkerHello, WorkerMessage } from '../../../core/messages.js';
import { asIs } from '../../../runtime/transport/channel-options.js';
import { workerFrames } from '../../../runtime/transport/codec.js';
import { healthService, sessionMethods } from '../../../runtime/transport/definitions.js';
import { SessionDialer } from '../../../runtime/transport/dialer.js';
import type { Role } from '../../../runtime/transport/dialogues.js';
import { dialByGrpc } from '../../../runtime/transport/grpc-dial.js';
import { GrpcListener } from '../../../runtime/transport/grpc-listener.js';
import { messageBytesMax } from '../../../runtime/transport/limits.js';
import { SessionServer } from '../../../runtime/transport/server.js';
import { Seen } from './seen.js';

const hello: WorkerHello = {
  type: 'worker.hello',
  incarnation: 1,
  slots: 2,
  credit: 2,
  epochSeen: 0,
  slotSeen: 0,
  running: [],
  finished: [],
  starved: [],
  broken: [],
  jobs: [],
};
const beat = (slot: number) => ({ type: 'master.beat', epoch: 1, slot, incarnation: 1 }) as const;
const workerBeat = (credit: number) =>
  ({ type: 'worker.beat', incarnation: 1, credit, progress: [] }) as const;
/** A message of about a megabyte. */
const bulk: MasterMessage = {
  type: 'job.status',
  epoch: 1,
  requestId: 'request-1',
  slot: 1,
  job: 1,
  phase: 'map',
  maps: phase(),
  reduces: phase(),
  workers: 1,
  failures: [],
  draining: false,
  counters: Array.from({ length: 1000 }, (_, index) => [`${index}${'x'.repeat(1000)}`, index] as const),
};
function phase() {
  return {
    total: 0,
    done: 0,
    running: 0,
    attempts: 0,
    failed: 0,
    stale: 0,
    speculative: 0,
    invalidated: 0,
  };
}

let folder: string;
let path: string;
let tidy: (() => unknown)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rehearse-'));
  path = join(folder, 'master.sock');
  tidy = [];
});

afterEach(async () => {
  for (const step of tidy.reverse()) await step();
  await rm(folder, { recursive: true, force: true });
});

function newServer(): { server: SessionServer; seen: Seen } {
  const seen = new Seen();
  const server = new SessionServer({
    node: 'master-1',
    handlers: seen.handlers<WorkerMessage | ClientMessage>(),
  });
  tidy.push(() => server.close());
  return { server, seen };
}

interface Listening {
  readonly server: SessionServer;
  readonly seen: Seen;
  /** Of the server and the socket at which it is reached. */
  close(): Promise<unknown>;
}

async function listening(): Promise<Listening> {
  const { server, seen } = newServer();
  const listener = await GrpcListener.listen(path, server);
  const close = () => Promise.all([listener.close(), server.close()]);
  tidy.push(close);
  return { server, seen, close };
}

/** A client in the process of its master: no socket is between them. */
function newNeighbour(server: SessionServer): { dialer: SessionDialer<'client'>; seen: Seen } {
  const seen = new Seen();
  const dialer = new SessionDialer({
    node: 'client-1',
    role: 'client',
    dial: () => server.openHere('client'),
    handlers: seen.handlers(),
  });
  tidy.push(() => dialer.close());
  return { dialer, seen };
}

function newDialer<R extends Role>(role: R): { dialer: SessionDialer<R>; seen: Seen } {
  const seen = new Seen();
  const dialer = new SessionDialer({
    node: `${role}-1`,
    role,
    dial: () => dialByGrpc(role, path),
    handlers: seen.handlers(),
  });
  tidy.push(() => dialer.close());
  return { dialer, seen };
}

/** A node in a process of its own, which is ready when this returns. */
async function spawned(what: 'master' | 'worker' | 'both'): Promise<ChildProcess> {
  const fixture = fileURLToPath(new URL('fixtures/peer.mjs', import.meta.url));
  const child = spawn(process.execPath, [fixture, what, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  tidy.push(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

/** A worker that is not ours, and sends whatever it likes. */
function foreignWorker(): ClientDuplexStream<Buffer, Buffer> {
  const client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
  });
  tidy.push(() => client.close());
  const call = client.makeBidiStreamRequest(sessionMethods.worker.path, asIs, asIs);
  call.on('error', () => {});
  call.on('data', () => {});
  return call;
}

const opening = workerFrames.encode({ node: 'stranger' });

describe('a session', () => {
  it('carries messages of a worker and its master both ways, with their causes', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 7);
    await worker.seen.has('connected');
    worker.dialer.send(7, hello, { node: 'worker-1', index: 12 });
    await master.seen.has('message');
    master.server.send(1, beat(3), { node: 'master-1', index: 4 });
    master.server.send(1, beat(4));
    await worker.seen.has('message', 2);
    expect(master.seen.events).toStrictEqual([
      ['connected', 'worker-1', 1],
      ['message', 'worker-1', 1, hello, { node: 'worker-1', index: 12 }],
    ]);
    expect(worker.seen.events).toStrictEqual([
      ['connected', 'master-1', 7],
      ['message', 'master-1', 7, beat(3), { node: 'master-1', index: 4 }],
      ['message', 'master-1', 7, beat(4)],
    ]);
  });

  it.each(['elsewhere', 'here'])(
    'carries messages of a client %s and its master both ways',
    async (where) => {
      const master = await listening();
      const client = where === 'here' ? newNeighbour(master.server) : newDialer('client');
      client.dialer.connect('master-1', 1);
      await client.seen.has('connected');
      client.dialer.send(1, { type: 'drain.request', requestId: 'request-1' });
      await master.seen.has('message');
      master.server.send(1, bulk);
      await client.seen.has('message');
      expect(master.seen.events[1]).toStrictEqual([
        'message',
        'client-1',
        1,
        { type: 'drain.request', requestId: 'request-1' },
      ]);
      expect(client.seen.events[1]).toStrictEqual(['message', 'master-1', 1, bulk]);
    },
  );

  it.each(['client', 'master'] as const)(
    'within a process, ends once at either end when the %s ends it',
    async (who) => {
      const master = newServer();
      const client = newNeighbour(master.server);
      client.dialer.connect('master-1', 5);
      await client.seen.has('connected');
      client.seen.inside = master.seen.inside = true;
      client.dialer.send(5, { type: 'drain.request', requestId: 'request-1' });
      if (who === 'client') client.dialer.disconnect(5);
      else master.server.disconnect(1);
      client.seen.inside = master.seen.inside = false;
      await Promise.all([client.seen.has('lost'), master.seen.has('lost')]);
      await Promise.all([client.dialer.close(), master.server.close()]);
      expect([client.seen.count('lost'), master.seen.count('lost')]).toEqual([1, 1]);
      expect(master.seen.count('message')).toBe(who === 'client' ? 1 : 0);
    },
  );

  it('keeps the order of 10,000 messages each way', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    for (let index = 0; index < 10_000; index++) {
      worker.dialer.send(1, workerBeat(index));
      master.server.send(1, beat(index));
    }
    await master.seen.has('message', 10_000);
    await worker.seen.has('message', 10_000);
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    expect(master.seen.events.slice(1).map(([, , , message]) => (message as WorkerHello).credit)).toEqual(
      numbers,
    );
    expect(
      worker.seen.events.slice(1).map(([, , , message]) => (message as ReturnType<typeof beat>).slot),
    ).toEqual(numbers);
  });

  it('is numbered by the server from 1 upwards, and never with the number of one that is over', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    for (const session of [1, 2, 3]) {
      worker.dialer.connect('master-1', session);
      await worker.seen.has('connected', session);
      worker.dialer.disconnect(session);
      await master.seen.has('lost', session);
    }
    expect(master.seen.events.map(([, , session]) => session)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('delivers what was sent before it was ended, then its loss, once', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    for (let index = 0; index < 100; index++) master.server.send(1, beat(index));
    master.server.disconnect(1);
    await worker.seen.has('lost');
    await master.seen.has('lost');
    master.server.disconnect(1);
    await worker.dialer.close();
    await master.close();
    expect(worker.seen.count('message')).toBe(100);
    expect(worker.seen.events.at(-1)).toEqual(['lost', 'master-1', 1]);
    expect(master.seen.events).toEqual([
      ['connected', 'worker-1', 1],
      ['lost', 'worker-1', 1],
    ]);
  });

  it('delivers nothing after it was ended on this side', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    for (let index = 0; index < 100; index++) master.server.send(1, beat(index));
    worker.dialer.disconnect(1);
    await worker.dialer.close();
    expect(worker.seen.events).toEqual([
      ['connected', 'master-1', 1],
      ['lost', 'master-1', 1],
    ]);
  });

  it('takes a message to a session that is over or unknown as lost', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.dialer.send(1, hello);
    worker.dialer.connect('master-1', 1);
    worker.dialer.send(1, hello);
    await worker.seen.has('connected');
    worker.dialer.disconnect(1);
    worker.dialer.send(1, hello);
    await master.seen.has('lost');
    master.server.send(1, beat(1));
    master.server.send(9, beat(1));
    expect(master.seen.count('message')).toBe(0);
  });

  it('calls no handler from inside a call', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.seen.inside = true;
    worker.dialer.connect('master-1', 1);
    worker.seen.inside = false;
    await worker.seen.has('connected');
    worker.seen.inside = true;
    master.seen.inside = true;
    worker.dialer.send(1, hello);
    worker.dialer.disconnect(1);
    master.server.disconnect(1);
    worker.seen.inside = false;
    master.seen.inside = false;
    await worker.seen.has('lost');
    await master.seen.has('lost');
  });

  it('is lost on both sides when the server closes', async () => {
    const master = await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    await master.close();
    expect(master.seen.count('lost')).toBe(1);
    await worker.seen.has('lost');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a dead peer', () => {
  it('is seen by the server when its process is killed', async () => {
    const master = await listening();
    const child = await spawned('worker');
    await master.seen.has('connected');
    child.kill('SIGKILL');
    await master.seen.has('lost');
    expect(master.seen.events).toEqual([
      ['connected', 'worker-1', 1],
      ['lost', 'worker-1', 1],
    ]);
  });

  it('is seen by the dialer when its process is killed, and its socket file refuses the next dial', async () => {
    const child = await spawned('master');
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    child.kill('SIGKILL');
    await worker.seen.has('lost');
    expect(await readdir(folder)).toEqual(['master.sock']);
    worker.dialer.connect('master-1', 2);
    await worker.seen.has('lost', 2);
    expect(worker.seen.reason).toContain('ECONNREFUSED');
  });

  it('is seen at once when there is no socket', async () => {
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('lost');
    expect(worker.seen.events).toEqual([['lost', 'master-1', 1]]);
    expect(worker.seen.reason).toContain('ENOENT');
  });

  it('is given up when it accepts and does not answer', async () => {
    const silent = createServer((socket) => socket.resume());
    silent.listen(path);
    await once(silent, 'listening');
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('lost');
    expect(worker.seen.reason).toContain('no opening');
    // The server is done only when the connection is gone.
    await new Promise((resolve) => silent.close(resolve));
  });

  it('leaves a server that takes its place the same path', async () => {
    const child = await spawned('master');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
  });
});

describe('a peer that does not read', () => {
  it('is cut off by the server, and the others stay', async () => {
    const master = await listening();
    const child = await spawned('worker');
    const client = newDialer('client');
    client.dialer.connect('master-1', 1);
    await master.seen.has('connected', 2);
    child.kill('SIGSTOP');
    while (master.seen.count('lost') === 0) {
      for (let index = 0; index < 1000; index++) master.server.send(1, beat(index));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(master.seen.reason).toContain('does not read');
    master.server.send(2, bulk);
    await client.seen.has('message');
    expect(master.seen.count('lost')).toBe(1);
  });

  it('is cut off by the dialer, whose connection is gone then', async () => {
    const child = await spawned('master');
    const worker = newDialer('worker');
    const pipes = () => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap').length;
    const before = pipes();
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    expect(pipes()).toBe(before + 1);
    child.kill('SIGSTOP');
    while (worker.seen.count('lost') === 0) {
      for (let index = 0; index < 1000; index++) worker.dialer.send(1, workerBeat(index));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(worker.seen.reason).toContain('does not read');
    await worker.dialer.close();
    while (pipes() > before) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('a peer that breaks the protocol', () => {
  it('is cut off with the name of the field', async () => {
    const master = await listening();
    const call = foreignWorker();
    call.write(opening);
    const frames = [{ node: 'stranger', attemptEnded: {} }];
    call.write(sessionMethods.worker.requestSerialize({ frames }));
    await master.seen.has('lost');
    expect(master.seen.reason).toContain('attemptEnded.attempt is missing');
    expect(master.seen.count('message')).toBe(0);
  });

  it.each([
    ['opens twice', opening],
    ['changes its name', workerFrames.encode({ node: 'worker-2', message: hello })],
    ['sends bytes that mean nothing', Buffer.from('not a message')],
    ['sends a message that is too large', Buffer.alloc(messageBytesMax + 1)],
  ])('is cut off when it %s', async (_, frame) => {
    const master = await listening();
    const call = foreignWorker();
    call.write(opening);
    call.write(frame);
    await master.seen.has('lost');
    expect(master.seen.events).toEqual([
      ['connected', 'stranger', 1],
      ['lost', 'stranger', 1],
    ]);
  });

  it('is never a session when it does not begin with an opening', async () => {
    const master = await listening();
    const call = foreignWorker();
    call.write(workerFrames.encode({ node: 'stranger', message: hello }));
    await new Promise((resolve) => call.once('end', resolve));
    expect(master.seen.events).toEqual([]);
  });

  it('does no harm to others when it does not even speak gRPC', async () => {
    const master = await listening();
    const socket = dialSocket(path);
    socket.on('error', () => {});
    socket.end('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    expect(master.seen.events).toEqual([['connected', 'worker-1', 1]]);
  });

  it('is another master than the one that was dialed', async () => {
    await listening();
    const worker = newDialer('worker');
    worker.dialer.connect('master-2', 1);
    await worker.seen.has('lost');
    expect(worker.seen.events).toEqual([['lost', 'master-2', 1]]);
    expect(worker.seen.reason).toContain('node is master-1');
  });
});

describe('a server', () => {
  it('answers health checks while it listens', async () => {
    await listening();
    const Health = grpc.makeClientConstructor(healthService, 'Health');
    const client = new Health(`unix:${path}`, grpc.credentials.createInsecure());
    tidy.push(() => client.close());
    const check = (service: string) =>
      new Promise((resolve) =>
        client.Check!({ service }, (error: grpc.ServiceError | null, answer: unknown) =>
          resolve(error === null ? answer : error.code),
        ),
      );
    expect(await check('')).toEqual({ status: 'SERVING' });
    expect(await check('rehearse.v1.Cluster')).toEqual({ status: 'SERVING' });
    expect(await check('rehearse.v1.Other')).toBe(grpc.status.NOT_FOUND);
  });

  it('refuses a path that the system would cut', async () => {
    const { server } = newServer();
    await expect(GrpcListener.listen(join(folder, 'x'.repeat(100)), server)).rejects.toThrow(RangeError);
  });

  it('refuses a path at which another serves', async () => {
    await listening();
    const { server } = newServer();
    await expect(GrpcListener.listen(path, server)).rejects.toThrow('another process listens');
  });

  it('refuses a path at which there is a file, and leaves the file', async () => {
    await writeFile(path, 'precious');
    const { server } = newServer();
    await expect(GrpcListener.listen(path, server)).rejects.toThrow('no socket');
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  it.skipIf(process.platform !== 'linux')('has no socket of TCP or UDP', async () => {
    const child = await spawned('master');
    const worker = newDialer('worker');
    worker.dialer.connect('master-1', 1);
    await worker.seen.has('connected');
    const links = (await readdir(`/proc/${child.pid}/fd`)).map((fd) =>
      readlink(`/proc/${child.pid}/fd/${fd}`).catch(() => ''),
    );
    const inodes = (await Promise.all(links)).map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]);
    const kinds = async (kind: string) => (await readFile(`/proc/net/${kind}`, 'utf8')).split(/\s+/);
    const [tcp, tcp6, udp, udp6, unix] = await Promise.all(['tcp', 'tcp6', 'udp', 'udp6', 'unix'].map(kinds));
    const own = inodes.filter((inode) => inode !== undefined);
    expect(own.filter((inode) => unix!.includes(inode)).length).toBeGreaterThanOrEqual(2);
    expect(own.filter((inode) => [tcp, tcp6, udp, udp6].some((list) => list!.includes(inode)))).toEqual([]);
  });

  it('and a dialer leave nothing open behind them: a process that closed both ends by itself', async () => {
    const child = await spawned('both');
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    expect(code).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });
});

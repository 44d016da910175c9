/** A local run opens no port: master and workers talk over Unix sockets in a folder that only their user can enter. */
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { descendantsOf, jobOf, newFolder, onLinux, start, until } from './command.js';

interface Sockets {
  readonly tcp: readonly string[];
  readonly unix: readonly string[];
}

/** Sockets of a process, by their inodes: TCP and UDP of any state, and paths of Unix sockets that listen. */
function socketsOf(pid: number): Sockets {
  const inodes = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    const match = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`));
    if (match) inodes.add(match[1]!);
  }
  const table = (name: string): string[][] =>
    readFileSync(`/proc/${pid}/net/${name}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  const tcp = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((name) =>
    table(name)
      .filter((fields) => inodes.has(fields[9]!))
      .map((fields) => `${name} ${fields[1]}`),
  );
  const acceptsConnections = 0x10000;
  const unix = table('unix')
    .filter(
      (fields) => inodes.has(fields[6]!) && (Number.parseInt(fields[3]!, 16) & acceptsConnections) !== 0,
    )
    .map((fields) => fields[7] ?? '');
  return { tcp, unix };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

const waiting = jobOf(
  'map(line, emit) { while (!existsSync("go")) Atomics.wait(cell, 0, 0, 20); emit(line, 1); }',
  'sum',
  "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));",
);

describe.skipIf(!onLinux)('a local run (sockets are read from /proc)', () => {
  it.each([
    ['with its master inside', [], 2],
    ['with a standby', ['--standby', '1'], 4],
    ['with workers that share no folder', ['--private-data'], 2],
  ] as const)('%s has no TCP or UDP socket in any of its processes', async (_how, flags, children) => {
    const folder = newFolder({ 'in.txt': 'a\nb\nc\nd\n', 'job.ts': waiting });
    const args = ['run', 'job.ts', 'in.txt', '-o', 'out', '-m', '4', '-w', '2', ...flags];
    const running = start(args, { cwd: folder });
    await until('maps run', () => /\bmap: /.test(running.err()));
    await until('all processes are there', () => nodesBelow(running.pid).length === children);
    const found = [running.pid, ...nodesBelow(running.pid)].map(socketsOf);
    expect(found.flatMap(({ tcp }) => tcp)).toEqual([]);
    const listening = found.flatMap(({ unix }) => unix);
    expect(listening.length, 'the masters listen somewhere').toBeGreaterThanOrEqual(1 + flags.length / 2);
    for (const path of listening) {
      expect(path).toMatch(/^\/.*\.sock/);
      expect(statSync(dirname(path)).mode & 0o077, 'nobody else may enter').toBe(0);
    }
    writeFileSync(join(folder, 'go'), '');
    expect((await running.ended).code, running.err()).toBe(0);
  });
});

/** The workers and masters below a command; the compiler of the job has a process too. */
function nodesBelow(pid: number): number[] {
  return descendantsOf(pid).filter((one) => {
    try {
      return readFileSync(`/proc/${one}/cmdline`, 'utf8').startsWith('rehearse ');
    } catch {
      return false;
    }
  });
}

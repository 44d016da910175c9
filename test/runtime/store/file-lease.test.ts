import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileLease, type FileLeaseOptions } from '../../../runtime/store/file-lease.js';

const HOUR_MS = 3_600_000;
const PROGRAM = fileURLToPath(new URL('./fixtures/lease-holder.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../../dist/runtime/store/file-lease.js', import.meta.url));

let directory: string;
let leases: FileLease[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lease-'));
  leases = [];
});
afterEach(async () => {
  for (const lease of leases) await lease.close();
  await rm(directory, { recursive: true });
});

function candidate(node: string, options: Partial<FileLeaseOptions> = {}) {
  const lease = new FileLease({
    directory,
    node,
    incarnation: 1,
    socketPath: join(directory, node),
    ...options,
  });
  leases.push(lease);
  const granted: number[] = [];
  let lost = 0;
  lease.onGranted((request) => granted.push(request));
  lease.onLost(() => lost++);
  return { lease, granted, lost: () => lost };
}

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 2 });

it('a store that goes on refusing is said aloud after a ttl, and not before', async () => {
  let clockMs = 0;
  const blocked = join(directory, 'blocked');
  await writeFile(blocked, 'a file where the directory should be');
  const { lease, granted } = candidate('a', { directory: blocked, nowMs: () => clockMs });
  const failures: string[] = [];
  lease.onFailed((reason) => failures.push(reason));
  lease.request(1, 100);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(failures).toEqual([]);
  clockMs = 101;
  await until(() => failures.length > 0);
  expect(failures[0]).toMatch(/ENOTDIR|EEXIST/);
  expect(granted).toEqual([]);
});

it('a free lease is granted, renewals are confirmed by their number', async () => {
  const { lease, granted, lost } = candidate('a');
  lease.request(1, HOUR_MS);
  await until(() => granted.length === 1);
  lease.request(2, HOUR_MS);
  await until(() => granted.length === 2);
  expect(granted).toEqual([1, 2]);
  expect(lost()).toBe(0);
});

it.each([
  '{}',
  'null',
  '[]',
  '7',
  '{"node":"z","incarnation":1,"sequence":1}',
  '{"node":"z","incarnation":1,"sequence":"one","ttlMs":3600000}',
])("a file that is no lease (%s) is in nobody's way", async (content) => {
  await writeFile(join(directory, 'lease'), content);
  const { lease, granted } = candidate('a');
  const failures: string[] = [];
  lease.onFailed((reason) => failures.push(reason));
  lease.request(1, HOUR_MS);
  await until(() => granted.length + failures.length > 0);
  expect([granted, failures]).toEqual([[1], []]);
});

it('while the holder renews, a rival gets nothing; when it stops renewing, the rival waits for the ttl', async () => {
  let clockMs = 0;
  const holder = candidate('a');
  const rival = candidate('b', { nowMs: () => clockMs });
  holder.lease.request(1, 100);
  await until(() => holder.granted.length === 1);
  rival.lease.request(1, 100);
  for (let n = 2; n <= 6; n++) {
    holder.lease.request(n, 100);
    await until(() => holder.granted.length === n);
    await new Promise((resolve) => setTimeout(resolve, 30));
    clockMs += 80;
  }
  expect(rival.granted).toEqual([]);
  clockMs += 100;
  await until(() => rival.granted.length === 1);
  holder.lease.request(7, 100);
  await until(() => holder.lost() === 1);
  expect(holder.granted).not.toContain(7);
});

it('resigning lets a rival in at once, and requests made meanwhile campaign again', async () => {
  const [holder, rival] = [candidate('a'), candidate('b')];
  holder.lease.request(1, HOUR_MS);
  await until(() => holder.granted.length === 1);
  rival.lease.request(1, HOUR_MS);
  const resigned = holder.lease.resign();
  await resigned;
  await until(() => rival.granted.length === 1);
  const again = rival.lease.resign();
  rival.lease.request(2, HOUR_MS);
  await again;
  await until(() => rival.granted.length === 2);
  expect(holder.lost()).toBe(0);
});

it('of many who take a free lease at once, one is left holding it', async () => {
  const many = Array.from({ length: 6 }, (_, n) => candidate(`n${n}`, { settleMs: 60 }));
  for (const { lease } of many) lease.request(1, HOUR_MS);
  await until(() => many.some(({ granted }) => granted.length > 0));
  // Whoever believes to hold it asks for more, and hears if another does.
  let request = 1;
  await until(() => {
    request++;
    const believers = many.filter(({ granted, lost }) => granted.length > lost());
    for (const { lease } of believers) lease.request(request, HOUR_MS);
    return believers.length === 1 && believers[0]!.granted.length > 3;
  });
});

it('a socket path that the system would cut is refused', () => {
  const socketPath = `/tmp/${'x'.repeat(96)}`;
  expect(() => new FileLease({ directory, node: 'a', incarnation: 1, socketPath })).toThrow(/100 bytes/);
});

it('closing leaves no socket and nothing beside the lease', async () => {
  const [holder, rival] = [candidate('a'), candidate('b')];
  holder.lease.request(1, HOUR_MS);
  await until(() => holder.granted.length === 1);
  rival.lease.request(1, HOUR_MS);
  await rival.lease.close();
  await holder.lease.close();
  expect(await readdir(directory)).toEqual(['lease']);
  rival.lease.request(2, HOUR_MS);
  holder.lease.request(2, HOUR_MS);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(rival.granted).toEqual([]);
  expect(holder.granted).toEqual([1]);
});

describe.skipIf(!existsSync(BUILT))('a holder in a process of its own (needs the build in dist/)', () => {
  let holder: ChildProcess;
  let said: string[];

  async function startHolder(ttlMs: number): Promise<void> {
    said = [];
    holder = spawn(process.execPath, [PROGRAM, directory, join(directory, 'holder'), String(ttlMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: holder.stdout! }).on('line', (line) => said.push(line));
    await until(() => said.length > 0);
  }
  afterEach(async () => {
    if (holder.exitCode !== null || holder.signalCode !== null) return;
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });

  it('killed, its lease of an hour is taken at once by whoever watched, and by whoever comes later', async () => {
    await startHolder(HOUR_MS);
    const watcher = candidate('watcher');
    watcher.lease.request(1, HOUR_MS);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(watcher.granted).toEqual([]);
    holder.kill('SIGKILL');
    await until(() => watcher.granted.length === 1);
    await watcher.lease.resign();
    await startHolder(HOUR_MS);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const later = candidate('later');
    later.lease.request(1, HOUR_MS);
    await until(() => later.granted.length === 1);
  });

  it('stopped, it keeps an hour and loses a short lease, and hears of it when it goes on', async () => {
    await startHolder(HOUR_MS);
    const rival = candidate('rival');
    holder.kill('SIGSTOP');
    rival.lease.request(1, 100);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(rival.granted).toEqual([]);
    holder.kill('SIGKILL');
    await until(() => rival.granted.length === 1);
    await rival.lease.resign();

    await startHolder(150);
    holder.kill('SIGSTOP');
    rival.lease.request(2, HOUR_MS);
    await until(() => rival.granted.length === 2);
    holder.kill('SIGCONT');
    await until(() => said.includes('lost'));
  });
});

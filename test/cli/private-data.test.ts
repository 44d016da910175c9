/** Workers that share no folder, as real processes: reduces fetch map outputs from whoever holds them. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decisionsOf,
  descendantsOf,
  expectTidy,
  jobOf,
  newFolder,
  onLinux,
  partsOf,
  type Running,
  runsOf,
  start,
  succeed,
  until,
} from './command.js';

const lines = Array.from({ length: 400 }, (_, index) => `line ${index % 40}`);

/** A job of which one map waits until it may go on, so that things can happen to what the others have left. */
const waiting = jobOf(
  `map(line, emit) {
    while (line === 'last' && !existsSync('go')) Atomics.wait(cell, 0, 0, 20);
    emit(line, 1);
  }`,
  'sum',
  "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));",
);

async function prepared(): Promise<string> {
  const folder = newFolder({ 'in.txt': `${lines.join('\n')}\nlast\n`, 'job.ts': waiting, go: '' });
  await succeed(['run', 'job.ts', 'in.txt', '-o', 'expected', '-r', '3', '--sequential'], { cwd: folder });
  return folder;
}

/** Starts a run of which all maps but the last are committed when this returns, with who holds most of them. */
async function underWay(folder: string): Promise<{ running: Running; run: string; holder: string }> {
  rmSync(join(folder, 'go'));
  const args = ['run', 'job.ts', 'in.txt', '-o', 'out', '-m', '6', '-r', '3', '-w', '2', '--private-data'];
  const running = start([...args, '--lease', '2s'], { cwd: folder });
  const committed = () =>
    existsSync(join(folder, '.rehearse')) && runsOf(folder).length > 0
      ? decisionsSoFar(runsOf(folder).at(-1)!)
      : [];
  await until('all maps but one are committed', () => committed().length >= 5);
  return { running, run: runsOf(folder).at(-1)!, holder: committed()[2]! };
}

/** Who committed maps, in their order: the trace is still being written. */
function decisionsSoFar(run: string): string[] {
  try {
    const trace = readFileSync(join(run, 'trace', 'master-1.1.ndjson'), 'utf8');
    const pattern = /"decision":"task-committed","attempt":\{[^}]*\},"node":"([^"]+)"/g;
    return [...trace.matchAll(pattern)].map(([, node]) => node!);
  } catch {
    return [];
  }
}

function processOf(running: Running, node: string): number {
  return descendantsOf(running.pid).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`rehearse ${node}`),
  )!;
}

async function ended(folder: string, running: Running): Promise<void> {
  writeFileSync(join(folder, 'go'), '');
  expect((await running.ended).code, running.err()).toBe(0);
  expect(partsOf(folder)).toEqual(partsOf(folder, 'expected'));
  expectTidy(folder);
}

function reasons(run: string): unknown[] {
  return decisionsOf(run, 'task-invalidated').map(
    (one) => (one as unknown as { facts: { reason: string } }).facts.reason,
  );
}

describe.skipIf(!onLinux)('workers that share no folder (processes are found in /proc)', () => {
  it('give the answer of a sequential run', async () => {
    const folder = await prepared();
    for (const more of [['--slowstart', '1'], ['--slowstart', '0.2'], ['--pack-shuffle']]) {
      const flags = ['-m', '20', '-r', '3', '-w', '3', '--private-data', ...more];
      await succeed(['run', 'job.ts', 'in.txt', '-o', 'out', '--overwrite', ...flags], { cwd: folder });
      expect(partsOf(folder)).toEqual(partsOf(folder, 'expected'));
    }
    expectTidy(folder);
  });

  it('lose the maps of one that is killed, and run them again', async () => {
    const folder = await prepared();
    const { running, run, holder } = await underWay(folder);
    process.kill(processOf(running, holder), 'SIGKILL');
    await until('its maps are lost', () => reasons(run).length > 0);
    await ended(folder, running);
    expect(new Set(reasons(run))).toEqual(new Set(['holder-lost']));
  });

  it('go on without one that stands still while it is read from', async () => {
    const folder = await prepared();
    const { running, run, holder } = await underWay(folder);
    process.kill(processOf(running, holder), 'SIGSTOP');
    await ended(folder, running);
    expect(reasons(run).length).toBeGreaterThan(0);
  });

  it('find a byte that has changed in a map output, and run that map again', async () => {
    const folder = await prepared();
    const { running, run } = await underWay(folder);
    const outputs = readdirSync(join(run, 'work')).flatMap((worker) =>
      readdirSync(join(run, 'work', worker))
        .filter((name) => /^job-1\.map-\d+\.e\d+\.n\d+$/.test(name))
        .map((name) => join(run, 'work', worker, name)),
    );
    expect(outputs).toHaveLength(5);
    for (const path of outputs.slice(0, 2)) {
      const bytes = readFileSync(path);
      bytes[14]! ^= 1;
      writeFileSync(path, bytes);
    }
    await ended(folder, running);
    expect(reasons(run)).toEqual(['corrupt', 'corrupt']);
  });
});

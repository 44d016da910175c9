/** Interrupted and killed runs: what they say, what they leave, and that `resume` finishes them. */
import { appendFileSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decisionsOf,
  descendantsOf,
  expectTidy,
  isAlive,
  jobOf,
  linesOf,
  newFolder,
  onLinux,
  partsOf,
  type Running,
  rehearse,
  runsOf,
  slowJob,
  start,
  succeed,
  until,
} from './command.js';

const maps = 8;
const reduces = 2;
const inputs = Array.from({ length: maps }, (_, index) => `line ${index % 3}`);
const args = ['run', 'job.ts', 'in.txt', '-o', 'out', '-m', String(maps), '-r', String(reduces), '-w', '2'];
const expected = ['line 0 3', 'line 1 3', 'line 2 2'];

function slowFolder(): string {
  return newFolder({ 'in.txt': `${inputs.join('\n')}\n`, 'job.ts': slowJob(250) });
}

/** Some maps are committed, others are not. */
async function halfWay(folder: string, running: Running): Promise<void> {
  await until('maps are committed', () => committed(folder) >= 2);
  expect(running.err()).not.toContain('published');
}

function committed(folder: string): number {
  try {
    return decisionsOf(runsOf(folder)[0]!, 'task-committed').length;
  } catch {
    return 0; // there is no trace yet
  }
}

/** Goes on with the only run of a folder, and holds what it did against what had been done. */
async function finish(folder: string): Promise<void> {
  const run = runsOf(folder)[0]!;
  const before = decisionsOf(run, 'task-committed').map(({ attempt }) => attempt!.task);
  expect(before.length).toBeGreaterThanOrEqual(2);
  expect(before.length).toBeLessThan(maps);
  expect(readdirSync(folder)).not.toContain('out');
  const ended = await rehearse(['resume', basename(run)], { cwd: folder });
  expect(ended.code, ended.err).toBe(0);
  expect(linesOf(folder)).toEqual(expected);
  const after = decisionsOf(run, 'task-committed').map(({ attempt }) => attempt!.task);
  expect(after.sort((a, b) => a - b)).toEqual(Array.from({ length: maps + reduces }, (_, task) => task));
  const assigned = decisionsOf(run, 'attempt-assigned').filter(({ attempt }) =>
    before.includes(attempt!.task),
  );
  expect(assigned, 'a committed task is not given out again').toHaveLength(before.length);
  expectTidy(folder);
  await succeed([...args.slice(0, 4), 'sequential', ...args.slice(5), '--sequential', '-q'], { cwd: folder });
  expect(partsOf(folder)).toEqual(partsOf(folder, 'sequential'));
}

describe('the first signal', () => {
  it.each([
    ['SIGINT', 'to the whole group, as from a terminal,', 130],
    ['SIGTERM', 'to the command', 143],
  ] as const)(
    '%s %s lets running attempts finish and says how to go on; exit code %i',
    async (signal, _to, code) => {
      const folder = slowFolder();
      const running = start(args, { cwd: folder });
      await halfWay(folder, running);
      if (signal === 'SIGINT' && onLinux)
        for (const pid of descendantsOf(running.pid)) process.kill(pid, signal);
      running.child.kill(signal);
      const ended = await running.ended;
      const run = runsOf(folder)[0]!;
      expect(ended).toMatchObject({ code, out: '' });
      expect(ended.err).toContain('stopping: running attempts may finish, nothing new begins');
      expect(ended.err).toContain(`stopped. to go on: rehearse resume ${basename(run)}\n`);
      expect(ended.err).not.toMatch(/error\[|worker-\d ended/);
      expect(decisionsOf(run, 'attempt-assigned')).toHaveLength(committed(folder));
      await finish(folder);
    },
  );
});

describe('the second signal', () => {
  it('ends at once, even while a map spins, and the run can be resumed', async () => {
    const spins = `map(line, emit) { while (line === 'line 2' && !existsSync('go')); emit(line, 1); }`;
    const job = jobOf(spins, 'sum', "import { existsSync } from 'node:fs';");
    const folder = newFolder({ 'in.txt': `${inputs.join('\n')}\n`, 'job.ts': job });
    const running = start(args, { cwd: folder });
    await until('both workers spin', () => committed(folder) >= 2 && committed(folder) === settled(folder));
    const below = onLinux ? descendantsOf(running.pid) : [];
    running.child.kill('SIGINT');
    await until('it says that it stops', () => running.err().includes('stopping:'));
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(ended.err).toMatch(/\nto go on: rehearse resume \S+\n$/);
    await until('nobody is left', () => !below.some(isAlive), 2000);
    writeFileSync(join(folder, 'go'), '');
    await finish(folder);
  });
});

/** What is committed once it stays so. */
let seen = { count: -1, since: 0 };
function settled(folder: string): number {
  const count = committed(folder);
  if (count !== seen.count) seen = { count, since: performance.now() };
  return performance.now() - seen.since > 500 ? count : -1;
}

describe.skipIf(!onLinux)('kill -9 of the command (processes are watched through /proc)', () => {
  it('half way takes every process with it within 2 s, a spinning one too, and resume finishes', async () => {
    const spins = `map(line, emit) {
    if (line === 'line 2') while (!existsSync('go'));
    Atomics.wait(cell, 0, 0, 50);
    emit(line, 1);
  }`;
    const before =
      "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));";
    const folder = newFolder({ 'in.txt': `${inputs.join('\n')}\n`, 'job.ts': jobOf(spins, 'sum', before) });
    const running = start(args, { cwd: folder });
    await halfWay(folder, running);
    const below = descendantsOf(running.pid);
    expect(below.length).toBeGreaterThanOrEqual(2);
    running.child.kill('SIGKILL');
    expect((await running.ended).code).toBe('SIGKILL');
    await until('nobody is left', () => !below.some(isAlive), 2000);
    writeFileSync(join(folder, 'go'), '');
    await finish(folder);
  });

  it('before the run was written down takes the child along that was started ahead', async () => {
    const folder = slowFolder();
    const running = start(['run', 'word-count', ...args.slice(2)], { cwd: folder });
    await until('a child was started', () => descendantsOf(running.pid).length > 0);
    const below = descendantsOf(running.pid);
    running.child.kill('SIGKILL');
    await running.ended;
    await until('nobody is left', () => !below.some(isAlive), 2000);
  });

  it.each([0, 60, 120])(
    '%i ms after the run was written down takes every process with it',
    async (delayMs) => {
      const folder = slowFolder();
      const running = start(['run', 'word-count', ...args.slice(2)], { cwd: folder });
      const runs = join(folder, '.rehearse', 'runs');
      const written = (): boolean =>
        existsSync(runs) && readdirSync(runs).some((run) => existsSync(join(runs, run, 'run.json')));
      await until('the run was written down', written);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      running.child.kill('SIGSTOP'); // so that no child is started between the look and the kill
      const below = descendantsOf(running.pid);
      running.child.kill('SIGKILL');
      await running.ended;
      await until('nobody is left', () => !below.some(isAlive), 2000);
      const ended = await rehearse(['resume', 'last'], { cwd: folder });
      expect(ended.code, ended.err).toBe(0);
      expect(linesOf(folder)).toEqual(['line 8']);
      expectTidy(folder);
    },
  );
});

describe('resume', () => {
  it('refuses when an input or the job has changed or is gone, and takes them back when they are as before', async () => {
    const folder = slowFolder();
    const running = start(args, { cwd: folder });
    await halfWay(folder, running);
    running.child.kill('SIGKILL');
    await running.ended;
    const job = readFileSync(join(folder, 'job.ts'), 'utf8');
    writeFileSync(join(folder, 'job.ts'), job.replace('emit(line, 1)', 'emit(line, 2)'));
    await refused(folder, 'R004', 'the job has changed since the run began');
    writeFileSync(join(folder, 'job.ts'), 'export default {');
    await refused(folder, 'R004', 'cannot be compiled any more');
    writeFileSync(join(folder, 'job.ts'), job);
    const other = slowFolder();
    await refused(folder, 'R001', 'no run has been made here yet', ['resume', 'last', '--data-dir', other]);
    await finish(folder);
    const again = await rehearse(['resume', 'last'], { cwd: folder });
    expect(again).toMatchObject({ code: 0, out: '' });
    expect(again.err).toMatch(/^run \S+ is done: \S+\/out\n$/);
  });

  it('refuses when an input has grown, or was only touched', async () => {
    const folder = slowFolder();
    const running = start(args, { cwd: folder });
    await halfWay(folder, running);
    running.child.kill('SIGKILL');
    await running.ended;
    utimesSync(join(folder, 'in.txt'), 1, 1);
    await refused(folder, 'R003', '--> in.txt');
    appendFileSync(join(folder, 'in.txt'), 'more\n');
    await refused(folder, 'R003', 'an input has changed since the run began');
  });
});

async function refused(
  folder: string,
  code: string,
  says: string,
  command = ['resume', 'last'],
): Promise<void> {
  const ended = await rehearse(command, { cwd: folder });
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toMatch(new RegExp(`^error\\[${code}\\]: `));
  expect(ended.err).toContain(says);
}

describe('a reader that goes away', () => {
  it.each([[[]], [['--sequential']]])('is no error %j', async (how) => {
    const text = Array.from({ length: 30_000 }, (_, index) => `line ${index}`).join('\n');
    const folder = newFolder({ 'in.txt': text, 'job.ts': jobOf('map(line, emit) { emit(line, 1); }') });
    const running = start(['run', 'job.ts', 'in.txt', '-o', '-', '-r', '1', ...how], { cwd: folder });
    running.child.stdout!.once('data', () => running.child.stdout!.destroy());
    const ended = await running.ended;
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).not.toMatch(/error|EPIPE/);
    expectTidy(folder);
  });
});

describe('two runs at once in one data directory', () => {
  it('do not disturb each other', async () => {
    const folder = slowFolder();
    const [first, second] = await Promise.all(
      ['one', 'two'].map((output) =>
        rehearse([...args.slice(0, 4), output, ...args.slice(5), '--json'], { cwd: folder }),
      ),
    );
    expect([first!.code, second!.code]).toEqual([0, 0]);
    expect(JSON.parse(first!.out).run).not.toBe(JSON.parse(second!.out).run);
    expect(partsOf(folder, 'one')).toEqual(partsOf(folder, 'two'));
    expect(linesOf(folder, 'one')).toEqual(expected);
    expect(runsOf(folder)).toHaveLength(2);
    expectTidy(folder);
  });
});

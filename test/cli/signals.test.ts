/** Interrupted and killed runs: what they say, what they leave, and that `resume` finishes them. */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  committedOf,
  decisionsOf,
  descendantsOf,
  expectTidy,
  isAlive,
  jobOf,
  linesOf,
  newFolder,
  onLinux,
  partsOf,
  program,
  rehearse,
  runsOf,
  slowJob,
  start,
  succeed,
  until,
} from './command.js';

const maps = 12;
const reduces = 2;
const inputs = Array.from({ length: maps }, (_, index) => `line ${index % 3}`);
const text = `${inputs.join('\n')}\n`;
const args = ['run', 'job.ts', 'in.txt', '-o', 'out', '-m', String(maps), '-r', String(reduces), '-w', '2'];
const expected = ['line 0 4', 'line 1 4', 'line 2 4'];

/**
 * A job that cannot end, however fast or slow this machine is, until there is a file `go`: some of its maps wait for that.
 * `waits` is what they do meanwhile.
 */
function gatedFolder(waits = 'Atomics.wait(cell, 0, 0, 10)'): string {
  const map = `map(line, emit) {
    while (line === 'line 2' && !existsSync('go')) ${waits};
    emit(line, 1);
  }`;
  const before =
    "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));";
  return newFolder({ 'in.txt': text, 'job.ts': jobOf(map, 'sum', before) });
}

const spins = '{}';

function openGate(folder: string): void {
  writeFileSync(join(folder, 'go'), '');
}

function slowFolder(): string {
  return newFolder({ 'in.txt': text, 'job.ts': slowJob(100) });
}

/** Some maps are committed, others are not. */
async function halfWay(folder: string): Promise<void> {
  await until('maps are committed', () => committed(folder) >= 2);
}

function committed(folder: string): number {
  try {
    return decisionsOf(runsOf(folder)[0]!, 'task-committed').length;
  } catch {
    return 0; // there is no trace yet
  }
}

/**
 * Goes on with the only run of a folder, and holds what it did against what had been done. The trace of a master that was
 * killed may lack its end.
 */
async function finish(folder: string, master: 'closed' | 'killed'): Promise<void> {
  const run = runsOf(folder)[0]!;
  const before = await committedOf(run);
  expect(before.length).toBeGreaterThanOrEqual(2);
  expect(before.length).toBeLessThan(maps);
  const told = decisionsOf(run, 'task-committed').map(({ attempt }) => attempt!.task);
  expect(told).toEqual(master === 'killed' ? before.slice(0, told.length) : before);
  const assigned = decisionsOf(run, 'attempt-assigned').length;
  expect(readdirSync(folder)).not.toContain('out');
  openGate(folder);
  const ended = await rehearse(['resume', basename(run)], { cwd: folder });
  expect(ended.code, ended.err).toBe(0);
  expect(linesOf(folder)).toEqual(expected);
  // What was done before has taken none of this time.
  expect(ended.err).toContain('since it was resumed');
  expect(ended.err).not.toMatch(/B\/s|busy/);
  const after = decisionsOf(run, 'task-committed').slice(told.length);
  const all = [...before, ...after.map(({ attempt }) => attempt!.task)];
  expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: maps + reduces }, (_, task) => task));
  const again = decisionsOf(run, 'attempt-assigned').slice(assigned);
  expect(again.filter(({ attempt }) => before.includes(attempt!.task))).toEqual([]);
  expectTidy(folder);
  await succeed([...args.slice(0, 4), 'sequential', ...args.slice(5), '--sequential', '-q'], { cwd: folder });
  expect(partsOf(folder)).toEqual(partsOf(folder, 'sequential'));
}

describe('the first signal', () => {
  it.each([
    ['SIGINT', 'to the whole group, as from a terminal,', 130],
    ['SIGTERM', 'to the command', 143],
    ['SIGTERM', 'to the command and then the whole group, as from timeout,', 143],
    ['SIGHUP', 'to the whole group, as from a terminal that is closed, and again,', 129],
  ] as const)(
    '%s %s lets running attempts finish and says how to go on; exit code %i',
    async (signal, to, code) => {
      const folder = gatedFolder();
      const running = start(args, { cwd: folder });
      await halfWay(folder);
      if (to.includes('and then')) running.child.kill(signal);
      if (to.includes('group') && onLinux)
        for (const pid of descendantsOf(running.pid)) process.kill(pid, signal);
      running.child.kill(signal);
      await until('it says that it stops', () => running.err().includes('stopping:'));
      await new Promise((resolve) => setTimeout(resolve, 500)); // longer than a worker waits for a word about itself
      if (to.includes('again')) running.child.kill(signal);
      openGate(folder);
      const ended = await running.ended;
      const run = runsOf(folder)[0]!;
      expect(ended).toMatchObject({ code, out: '' });
      expect(ended.err).toContain('stopping: running attempts may finish, nothing new begins');
      expect(ended.err).toContain(`stopped. to go on: rehearse resume ${basename(run)}\n`);
      expect(ended.err).not.toMatch(/error\[|worker-\d ended/);
      expect(decisionsOf(run, 'attempt-assigned')).toHaveLength(committed(folder));
      await finish(folder, 'closed');
    },
  );
});

it.skipIf(!onLinux)(
  'a drain that no master answers is over after a while; that nobody leads is said',
  async () => {
    const folder = slowFolder();
    const running = start([...args, '--standby', '1'], { cwd: folder });
    await halfWay(folder);
    const masters = descendantsOf(running.pid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('rehearse master-'),
    );
    expect(masters).toHaveLength(2);
    for (const pid of masters) process.kill(pid, 'SIGSTOP');
    running.child.kill('SIGTERM');
    const { code, err } = await running.ended;
    expect(code).toBe(143);
    expect(err.match(/^no master has led for 9 s$/gm)).toHaveLength(1);
    expect(err).toContain('no master leads that could let running attempts finish');
    expect(err).toContain(`stopped. to go on: rehearse resume ${basename(runsOf(folder)[0]!)}\n`);
    expect(masters.filter(isAlive)).toEqual([]);
    await succeed(['resume', 'last', '-q'], { cwd: folder });
    expect(linesOf(folder)).toEqual(expected);
    expectTidy(folder);
  },
);

it.skipIf(!onLinux)(
  'SIGTERM to a worker alone ends it, and is not taken for a crash of what it runs',
  async () => {
    const folder = gatedFolder();
    const running = start([...args, '--max-attempts', '1'], { cwd: folder });
    await halfWay(folder);
    process.kill(descendantsOf(running.pid)[0]!, 'SIGTERM');
    await until('it is told of', () => running.err().includes('ended (SIGTERM)'));
    openGate(folder);
    const ended = await running.ended;
    expect(ended.code, ended.err).toBe(0);
    expect(linesOf(folder)).toEqual(expected);
  },
);

it.skipIf(!onLinux || !existsSync('/usr/bin/script'))(
  'a terminal that is closed lets running attempts finish, and the command ends well without it',
  async () => {
    const folder = gatedFolder();
    const words = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
    // The kernel tells the shell, and the shell what it runs.
    const command = `trap 'kill -HUP $child' HUP; ${words} & child=$!; wait; wait $child; echo $? > code`;
    const options = { cwd: folder, env: { ...process.env, SHELL: '/bin/sh' }, stdio: 'ignore' } as const;
    const terminal = spawn('script', ['-qc', command, '/dev/null'], options);
    await halfWay(folder);
    terminal.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 500)); // it would have ended at once
    openGate(folder);
    await until('it has ended', () => existsSync(join(folder, 'code')) && codeIn(folder) !== '');
    expect(codeIn(folder)).toBe('129\n');
    expect(decisionsOf(runsOf(folder)[0]!, 'attempt-assigned')).toHaveLength(committed(folder));
    await finish(folder, 'closed');
  },
);

function codeIn(folder: string): string {
  return readFileSync(join(folder, 'code'), 'utf8');
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s', (signal, code) => {
  it('as soon as anything is written leaves nothing, or a run that goes on from there', async () => {
    const folder = gatedFolder();
    const running = start(args, { cwd: folder });
    const isWritten = (): boolean => readdirSync(folder).some((name) => name.startsWith('.out.rehearse-'));
    await until('the folder beside the output is made', isWritten, 20_000, 1);
    const below = onLinux && signal !== 'SIGTERM' ? descendantsOf(running.pid) : [];
    running.child.kill(signal);
    for (const pid of below.filter(isAlive)) process.kill(pid, signal); // as from a terminal
    openGate(folder);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).not.toMatch(/worker-\d ended/);
    if (ended.err === 'stopped before anything was begun\n') {
      expect(runsOf(folder)).toEqual([]);
      expectTidy(folder);
    } else {
      expect(ended.err).toContain('stopped. to go on: rehearse resume ');
      await succeed(['resume', 'last', '-q'], { cwd: folder });
      expect(linesOf(folder)).toEqual(expected);
    }
  });
});

it('a demo that is stopped leaves nothing and makes no claim', async () => {
  const folder = newFolder();
  const demo = start(['demo', '--json'], { cwd: folder, env: { TMPDIR: folder } });
  await until('it has begun', () => demo.err().includes('kill -9 worker-'), 30_000);
  demo.child.kill('SIGINT');
  const ended = await demo.ended;
  expect(ended).toMatchObject({ code: 130, out: '{"outcome":"interrupted"}\n' });
  expect(ended.err).toMatch(/stopped\n$/);
  expect(readdirSync(folder)).toEqual([]);
});

describe.each([1, 2])('with --quiet', (signals) => {
  it(`all that is said of a run that is stopped by ${signals} of them is how to go on`, async () => {
    const folder = gatedFolder(spins);
    const running = start([...args, '-q'], { cwd: folder });
    await until('both workers spin', () => committed(folder) >= 2 && committed(folder) === settled(folder));
    for (let signal = 0; signal < signals; signal++) {
      running.child.kill('SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 300)); // a person is no faster
    }
    if (signals === 1) openGate(folder);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 130, out: '' });
    expect(ended.err).toMatch(/^to go on: rehearse resume \S+\n$/);
  });
});

describe('the second signal', () => {
  it('ends at once, even while a map spins, and the run can be resumed', async () => {
    const folder = gatedFolder(spins);
    const running = start(args, { cwd: folder });
    await until('both workers spin', () => committed(folder) >= 2 && committed(folder) === settled(folder));
    const below = onLinux ? descendantsOf(running.pid) : [];
    running.child.kill('SIGINT');
    await until('it says that it stops', () => running.err().includes('stopping:'));
    await new Promise((resolve) => setTimeout(resolve, 200)); // a person is no faster
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(ended.err).toMatch(/\nto go on: rehearse resume \S+\n$/);
    await until('nobody is left', () => !below.some(isAlive), 2000);
    await finish(folder, 'killed');
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
    const folder = gatedFolder(spins);
    const running = start(args, { cwd: folder });
    await halfWay(folder);
    const below = descendantsOf(running.pid);
    expect(below.length).toBeGreaterThanOrEqual(2);
    running.child.kill('SIGKILL');
    expect((await running.ended).code).toBe('SIGKILL');
    await until('nobody is left', () => !below.some(isAlive), 2000);
    await finish(folder, 'killed');
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
      expect(linesOf(folder)).toEqual([`line ${maps}`]);
      expectTidy(folder);
    },
  );
});

describe('kill -9 while standard input is kept', () => {
  it('leaves a folder that last passes over', async () => {
    const folder = newFolder({ 'in.txt': 'a\n' });
    await succeed(['run', 'word-count', 'in.txt', '-o', 'out'], { cwd: folder });
    const [done] = runsOf(folder).map((run) => basename(run));
    const before = 'mkfifo pipe && exec 0<>pipe'; // which has no end
    const running = start(['run', 'word-count', '-', '-o', 'other'], { cwd: folder, before });
    await until('it is read', () => runsOf(folder).some((run) => existsSync(join(run, 'stdin'))));
    running.child.kill('SIGKILL');
    await running.ended;
    expect(runsOf(folder)).toHaveLength(2);
    const resumed = await succeed(['resume', 'last'], { cwd: folder });
    expect(resumed.err).toContain(`run ${done} is done: `);
  });
});

describe('an interrupt while standard input is kept', () => {
  it('leaves nothing of the run', async () => {
    const folder = newFolder();
    const before = 'mkfifo pipe && exec 0<>pipe'; // which has no end
    const running = start(['run', 'word-count', '-', '-o', 'out'], { cwd: folder, before });
    await until(
      'it is read',
      () =>
        existsSync(join(folder, '.rehearse', 'runs')) &&
        runsOf(folder).some((run) => existsSync(join(run, 'stdin'))),
    );
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(runsOf(folder)).toEqual([]);
  });
});

describe('an interrupt while a job that partitions by range is asked for its keys', () => {
  const job = `import { writeFileSync } from 'node:fs';
import { defineJob, sum } from 'mapreduce-rehearsal';
export default defineJob({
  name: 'endless',
  partition: 'range',
  map() { writeFileSync('asked', ''); for (;;); },
  reduce: sum,
});
`;

  it.each([
    ['-', 'stopped before anything was begun\n'],
    ['in.txt', 'stopped before anything was begun\n'],
    ['in.txt', '', '-q'],
  ])('leaves nothing of the run and of the job; input %s, and it says "%s"', async (input, err, ...flags) => {
    const folder = newFolder({ 'job.ts': job, 'in.txt': text });
    const scratch = newFolder();
    const words = ['run', 'job.ts', input, '-o', 'out', '-r', '2', ...flags];
    const running = start(words, { cwd: folder, stdin: text, env: { TMPDIR: scratch } });
    await until('it is asked', () => existsSync(join(folder, 'asked')));
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, err });
    const runs = input === '-' ? runsOf(folder) : readdirSync(folder).filter((name) => name === '.rehearse');
    expect([runs, readdirSync(scratch)]).toEqual([[], []]);
  });
});

describe('resume', () => {
  it('refuses when an input or the job has changed or is gone, and takes them back when they are as before', async () => {
    const folder = gatedFolder();
    const running = start(args, { cwd: folder });
    await halfWay(folder);
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
    await finish(folder, 'killed');
    const again = await rehearse(['resume', 'last'], { cwd: folder });
    expect(again).toMatchObject({ code: 0, out: '' });
    expect(again.err).toMatch(/^run \S+ is done: \S+\/out\n$/);
  });

  it('of a run that is done says so under --json too, and removes what a kill at the very end has left', async () => {
    const folder = newFolder({ 'in.txt': text });
    await succeed(['run', 'word-count', ...args.slice(2)], { cwd: folder });
    const run = runsOf(folder)[0]!;
    const workspace = join(folder, `.out.rehearse-${basename(run)}`);
    for (const left of [workspace, join(run, 'bundle'), join(run, 'stdin')]) mkdirSync(left);
    const { out } = await succeed(['resume', 'last', '--json'], { cwd: folder });
    expect(JSON.parse(out)).toMatchObject({ outcome: 'published', output: join(folder, 'out') });
    expect(existsSync(workspace)).toBe(false);
    expect(readdirSync(run)).not.toContain('bundle');
    expect(readdirSync(run)).not.toContain('stdin');
  });

  it('refuses when the folder in which the run was begun is gone', async () => {
    const folder = gatedFolder();
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    const up = [
      'run',
      '../job.ts',
      '../in.txt',
      '-o',
      '../out',
      '--data-dir',
      '../.rehearse',
      ...args.slice(5),
    ];
    const running = start(up, { cwd: sub });
    await halfWay(folder);
    running.child.kill('SIGKILL');
    await running.ended;
    rmdirSync(sub);
    await refused(folder, 'R006', sub);
  });

  it('refuses when an input has grown, or was only touched', async () => {
    const folder = gatedFolder();
    const running = start(args, { cwd: folder });
    await halfWay(folder);
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

it('A rehearsal that is interrupted is no failure of its expectations, and with --quiet it says nothing', async () => {
  const folder = newFolder({
    'long.yaml': `
name: long
cluster: { workers: 1 }
job: { maps: 1000, reduces: 1, mapTime: 500ms }
faults: [{ at: 3600s, crash: worker-1 }]
expect: { job: succeeded }
`,
  });
  const running = start(['run', '--faults', 'long.yaml', '--quiet'], { cwd: folder });
  await until('the rehearsal has begun', () => {
    try {
      return decisionsOf(runsOf(folder)[0]!, 'attempt-assigned').length > 1;
    } catch {
      return false;
    }
  });
  running.child.kill('SIGINT');
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 130, err: '' });
});

it('A rehearsal hits a worker before an attempt has written anything', async () => {
  const folder = newFolder({
    'hit.yaml': `
name: hit
cluster: { workers: 1 }
job: { maps: 2, reduces: 1, mapTime: 10ms, reduceTime: 10ms }
policy: { lease: 1s }
faults: [{ point: attempt.before_write, task: map-1@1, crash: it, restartAfter: 100ms }]
expect: { job: succeeded, commits: { map-1: 1 }, exercised: [node-crashed] }
`,
  });
  const { out } = await succeed(['run', '--faults', 'hit.yaml', '--json'], { cwd: folder });
  expect(JSON.parse(out).runs).toMatchObject([{ verdict: 'passed', unmet: [] }]);
});

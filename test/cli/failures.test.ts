/** What a job does to itself: it fails with its probable cause, exit code 1, and nothing is left at the output. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decisionsOf,
  type Ended,
  expectTidy,
  jobOf,
  linesOf,
  newFolder,
  outputOf,
  rehearse,
  runsOf,
  succeed,
} from './command.js';

const lines = 'one\ntwo\nthree\nbad\nfive\n';
/** Every line is a map of its own, so that one bad line fails one task. */
const base = ['in.txt', '-o', 'out', '-m', '5', '-r', '2', '-w', '2', '--max-attempts', '2'];

async function fail(job: string, flags: readonly string[] = []): Promise<{ folder: string; ended: Ended }> {
  const folder = newFolder({ 'in.txt': lines, 'job.ts': job });
  const ended = await rehearse(['run', 'job.ts', ...base, ...flags], { cwd: folder });
  expect(ended.code, ended.err).toBe(1);
  expect(ended.out).toBe('');
  expect(ended.err.match(/^error\[/gm)).toEqual(['error[']);
  expect(ended.err).toContain('error[F001]: the job failed: ');
  expect(existsSync(join(folder, 'out'))).toBe(false);
  expectTidy(folder);
  return { folder, ended };
}

/** Both workers were heard all the time. */
function expectNobodyLost(folder: string, ended: Ended): void {
  const run = runsOf(folder)[0]!;
  expect(decisionsOf(run, 'worker-lost')).toEqual([]);
  expect(decisionsOf(run, 'worker-lease-expired')).toEqual([]);
  expect(ended.err).not.toMatch(/worker-\d ended/);
}

describe('user code that throws', () => {
  it('in map is shown with its own line, the input and the offset; what it printed is in the log', async () => {
    const throwing = `map(line, emit) {
    console.log('saw', line);
    console.error('and said so');
    check(line);
    emit(line, 1);
  }`;
    const check =
      'function check(line: string): void {\n  if (line === "bad") throw new RangeError("no good: " + line);\n}';
    const { folder, ended } = await fail(jobOf(throwing, 'sum', check));
    expect(ended.err).toMatch(
      /the job failed: map-\d failed 2 times; the limit is 2\n {2}--> job\.ts:3:29\n/,
    );
    expect(ended.err).toContain(
      '  probable cause: RangeError: no good: bad (seen 2 times)\n  at in.txt, byte 14\n',
    );
    expect(ended.err.match(/failed on worker-\d: RangeError: no good: bad/g)).toHaveLength(2);
    expect(ended.err).not.toContain('saw');
    const logs = join(runsOf(folder)[0]!, 'logs');
    const printed = readdirSync(logs).filter((name) => name.startsWith('job-1.map-'));
    const texts = printed.map((name) => readFileSync(join(logs, name), 'utf8'));
    expect(texts.filter((text) => text.includes('saw bad\n') && text.includes('and said so\n'))).toHaveLength(
      2,
    );
    const [, run] = /the whole story: \S+ \(rehearse explain (\S+)\)\n$/.exec(ended.err)!;
    const told = await succeed(['explain', run!], { cwd: folder });
    expect(told.out).toContain('RangeError: no good: bad');
  });

  it('in reduce names the key', async () => {
    const { ended } = await fail(
      jobOf(
        'map(line, emit) { emit(line, 1); }',
        '(key) => {\n    if (key === "bad") throw "a string";\n    return 1;\n  }',
      ),
    );
    expect(ended.err).toMatch(/reduce-\d failed 2 times/);
    expect(ended.err).toContain('probable cause: thrown: a string');
    expect(ended.err).toContain('  at key "bad"\n');
  });

  it('in the top level of the executor is shown with its line', async () => {
    const { ended } = await fail(
      jobOf(
        'map(line, emit) { emit(line, 1); }',
        'sum',
        "import { isMainThread } from 'node:worker_threads';\nif (!isMainThread) throw new Error('not here');",
      ),
    );
    expect(ended.err).toContain('--> job.ts:3:26');
    expect(ended.err).toContain('probable cause: Error: not here');
  });

  it('in map, sequentially, is told in the same way', async () => {
    const job = jobOf(
      'map(line, emit) {\n    if (line === "bad") throw new Error("no");\n    emit(line, 1);\n  }',
    );
    const folder = newFolder({ 'in.txt': lines, 'job.ts': job });
    const ended = await rehearse(['run', 'job.ts', ...base, '--sequential'], { cwd: folder });
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(
      /^error\[F001\]: the job failed\n {2}--> job\.ts:6:31\n {2}probable cause: Error: no\n {2}at in\.txt, byte 14\n$/,
    );
    expectTidy(folder);
  });

  it('fails with exactly one document under --json, in both ways', async () => {
    const job = jobOf(
      'map(line) { console.log(line); throw new Error("no"); }',
      'sum',
      'console.log("loaded");',
    );
    const folder = newFolder({ 'in.txt': lines, 'job.ts': job });
    for (const how of [[], ['--sequential']]) {
      const ended = await rehearse(['run', 'job.ts', ...base, '--json', ...how], { cwd: folder });
      expect(ended.code).toBe(1);
      expect(ended.out.trim().split('\n')).toHaveLength(1);
      const document = JSON.parse(ended.out);
      expect(document).toMatchObject({
        outcome: 'failed',
        failure: { failure: { message: 'Error: no', frame: 'job.ts:5:40' } },
      });
    }
  });
});

describe('counters that do not fit a message', () => {
  const counting = (name: string) =>
    jobOf(`map(line, emit, ctx) { for (let i = 0; i < 250; i++) ctx.count(${name}); emit(line, 1); }`);

  it('fail the task that counts them, by their names', async () => {
    const { ended } = await fail(counting('"a\\0b"'));
    expect(ended.err).toContain('"a\\u0000b" cannot name a counter');
  });

  it('fail the job whose tasks all count different things, in both ways', async () => {
    const files = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`${10 + i}.txt`, 'x\n']));
    const folder = newFolder({ ...files, 'job.ts': counting('ctx.task + i') });
    for (const flags of [[], ['--sequential']]) {
      const ended = await rehearse(['run', 'job.ts', '*.txt', '-o', 'out', '-m', '21', ...flags], {
        cwd: folder,
      });
      expect(ended.code, ended.err).toBe(1);
      expect(ended.err).toMatch(/its tasks count \d+ different things, and the most is 5000/);
      expect(existsSync(join(folder, 'out'))).toBe(false);
      expectTidy(folder);
    }
  });
});

describe('user code that does not come back', () => {
  it('in an endless loop is ended at the task timeout and named; its worker is heard all the while', async () => {
    const loop = jobOf('map(line, emit) { if (line === "bad") for (;;); emit(line, 1); }');
    const { folder, ended } = await fail(loop, ['--task-timeout', '500ms', '--lease', '400ms']);
    expect(ended.err).toMatch(/map-3 failed on worker-\d: no progress for 0\.5 s/);
    expect(ended.err).toContain('error[F001]: the job failed: map-3 failed 2 times');
    expect(ended.err).toMatch(
      /probable cause: no progress for 1 s.*\n {2}while reading in\.txt, bytes \d+ to \d+\n/,
    );
    expectNobodyLost(folder, ended);
  });

  it('ends with process.exit: counted, named, and the worker lives on', async () => {
    const { folder, ended } = await fail(
      jobOf('map(line, emit) { if (line === "bad") process.exit(3); emit(line, 1); }'),
    );
    expect(ended.err).toContain(
      'probable cause: user code ended its executor with process.exit(3) (seen 2 times)',
    );
    expect(ended.err).toContain('map-3 failed 2 times');
    expectNobodyLost(folder, ended);
  });

  it('eats all memory: counted, named, and the others are undisturbed', async () => {
    const eat =
      'map(line, emit) { if (line === "bad") for (;;) all.push(new Array(1000).fill(Math.random())); emit(line, 1); }';
    const { folder, ended } = await fail(jobOf(eat, 'sum', 'const all: unknown[] = [];'), [
      '--heap',
      '64MiB',
    ]);
    expect(ended.err).toContain(
      'probable cause: user code used up the memory of its executor (seen 2 times)',
    );
    expectNobodyLost(folder, ended);
  });

  it('fills buffers, which are no part of any heap: the same', async () => {
    const fill =
      'map(line, emit) { if (line === "bad") for (;;) all.push(Buffer.alloc(20_000_000, 1)); emit(line, 1); }';
    const { folder, ended } = await fail(jobOf(fill, 'sum', 'const all: Buffer[] = [];'), [
      '--heap',
      '64MiB',
    ]);
    expect(ended.err).toContain(
      'probable cause: user code used up the memory of its executor (seen 2 times)',
    );
    expectNobodyLost(folder, ended);
  });

  it('kills its whole worker process: the others’ attempts are not counted, and the job fails in the end', async () => {
    const kill =
      'map(line, emit) { if (line === "bad") process.kill(process.pid, "SIGABRT"); emit(line, 1); }';
    const { ended } = await fail(jobOf(kill));
    expect(ended.err).toMatch(/worker-\d ended \(SIGABRT\)/);
    expect(ended.err).toMatch(/the job failed: .*map-3/);
  });
});

describe('the surroundings of a job', () => {
  it('an input that grows while it is read is a changed input', async () => {
    const grow =
      'map(line, emit) { if (line === "one") appendFileSync(emit.params.file!, "more\\n"); emit(line, 1); }';
    const job = jobOf(grow, 'sum', "import { appendFileSync } from 'node:fs';");
    for (const how of [[], ['--sequential']]) {
      const folder = newFolder({ 'in.txt': lines, 'job.ts': job });
      const file = join(folder, 'in.txt');
      const ended = await rehearse(['run', 'job.ts', ...base, '--param', `file=${file}`, ...how], {
        cwd: folder,
      });
      expect(ended.code, ended.err).toBe(1);
      expect(ended.err).toContain(
        'input changed since the job was planned: in.txt: it had 23 bytes and has 28',
      );
      expect(existsSync(join(folder, 'out'))).toBe(false);
      expectTidy(folder);
    }
  });

  it('a disk that fills up while mapping fails the job with that cause', async ({ skip }) => {
    const text = Array.from(
      { length: 40_000 },
      (_, index) => `word${String(index).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!)}`,
    ).join('\n');
    const folder = newFolder({ 'in.txt': text });
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk]);
    if (mounted.status !== 0) skip('a small disk cannot be mounted here');
    try {
      const dataDirectory = ['--data-dir', join(disk, 'data')];
      const args = ['run', 'word-count', 'in.txt', '-o', 'out', '-m', '6', ...dataDirectory];
      const ended = await rehearse(args, { cwd: folder });
      expect(ended.out).toBe('');
      expect(readdirSync(folder)).not.toContain('out');
      if (ended.err.includes('error[E001]')) {
        expect(ended.code, ended.err).toBe(4);
        // It was the journal that found no room: the run goes on once there is some, or ends of what it had counted.
        expect(ended.err).toMatch(/the disk is full.*\n.*ENOSPC.*\n.*rehearse resume \S+\n$/);
        spawnSync('mount', ['-o', 'remount,size=20m', disk]);
        const resumed = await rehearse(['resume', 'last', ...dataDirectory], { cwd: folder });
        if (resumed.code === 0) expect(linesOf(folder)).toHaveLength(40_000);
        else
          expect(resumed.err).toMatch(
            /map-\d failed 4 times.*\n {2}probable cause: no space left on the disk/,
          );
        return;
      }
      expect(ended.code, ended.err).toBe(1);
      expect(ended.err).toMatch(/the job failed: map-\d failed 4 times/);
      expect(ended.err).toMatch(/probable cause: no space left on the disk: .*\/work\/job-1\.map-\d/);
      expect(readdirSync(folder).sort()).toEqual(['disk', 'in.txt']);
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('a disk too small to begin on says how to go on when there is room', async ({ skip }) => {
    const folder = newFolder({ 'in.txt': lines });
    for (const name of ['disk', 'temporary']) mkdirSync(join(folder, name));
    const disk = join(folder, 'disk');
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk]);
    if (mounted.status !== 0) skip('a small disk cannot be mounted here');
    try {
      const args = ['run', 'word-count', 'in.txt', '-o', 'out', '-w', '2', '--data-dir', 'disk/data', '-q'];
      // Either nothing was begun, or the run can go on.
      for (const [size, isBegun] of [
        ['8k', false],
        ['12k', true],
      ] as const) {
        spawnSync('mount', ['-o', `remount,size=${size}`, disk]);
        const ended = await rehearse(args, { cwd: folder, env: { TMPDIR: join(folder, 'temporary') } });
        expect(ended.code, ended.err).toBe(4);
        expect(ended.err).toMatch(/^error\[E00\d\]: .*the disk is full/);
        expect(ended.err).not.toMatch(/\.js:\d/);
        expect(readdirSync(join(folder, 'temporary'))).toEqual([]);
        spawnSync('mount', ['-o', 'remount,size=20m', disk]);
        const [, run] = /rehearse resume (disk\/\S+)\n$/.exec(ended.err) ?? [];
        expect(run !== undefined).toBe(isBegun);
        expect(readdirSync(join(disk, 'data', 'runs'))).toHaveLength(isBegun ? 1 : 0);
        await succeed(run === undefined ? args : ['resume', run, '-q'], { cwd: folder });
        expect(linesOf(folder)).toHaveLength(5);
        for (const path of ['out', 'disk/data']) rmSync(join(folder, path), { recursive: true, force: true });
      }
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  const jobs = [
    ['word-count', 'counts one after the other', ['one 50', 'three 50', 'two 50']],
    ['sort', 'merges many at once', ['one', 'three', 'two'].flatMap((line) => Array(50).fill(line))],
  ] as const;
  const cases = jobs.flatMap((job) => [64, 100].map((filesOpenMax) => [filesOpenMax, ...job] as const));
  it.each(cases)('%i files open at once will do for 150 maps: %s %s', async (filesOpenMax, job, _, lines) => {
    const folder = newFolder({ 'in.txt': 'one\ntwo\nthree\n'.repeat(50) });
    const args = ['run', job, 'in.txt', '-o', 'out', '-m', '150', '-r', '3', '-w', '2', '--json'];
    const { out } = await succeed(args, { cwd: folder, before: `ulimit -n ${filesOpenMax}` });
    expect(linesOf(folder)).toEqual(lines);
    expect(JSON.parse(out)).toMatchObject({ maps: { tasks: 150, attempts: 150 } });
  });

  it('a map that fails sometimes is tried again, and the answer is right', async () => {
    const once = `map(line, emit) {
    if (line === 'bad' && !existsSync(emit.params.mark!)) {
      writeFileSync(emit.params.mark!, '');
      process.exit(3);
    }
    emit(line, 1);
  }`;
    const job = jobOf(once, 'sum', "import { existsSync, writeFileSync } from 'node:fs';");
    const folder = newFolder({ 'in.txt': lines, 'job.ts': job });
    const args = ['run', 'job.ts', ...base, '--json', '--param', `mark=${join(folder, 'mark')}`];
    const { out } = await succeed(args, { cwd: folder });
    expect(JSON.parse(out)).toMatchObject({ maps: { failed: 1 }, counters: { 'map.records.in': 5 } });
    expect(Object.values(outputOf(folder)).join('')).toContain('bad 1\n');
    expectTidy(folder);
  });
});

describe('a disk that takes no more of a trace', () => {
  it('costs the trace and not the answer, and is told once for each node', async () => {
    const folder = newFolder({ 'in.txt': 'one\ntwo\n'.repeat(200) });
    const args = ['run', 'word-count', 'in.txt', '-o', 'out', '-m', '200', '-r', '2', '-w', '2'];
    // No file may be longer than 150 KiB: journal and outputs are not, the master's trace would be.
    const { err } = await succeed(args, { cwd: folder, before: 'ulimit -f 300' });
    expect(linesOf(folder)).toEqual(['one 200', 'two 200']);
    expect(err.match(/^.*master-1 goes on without a trace: EFBIG: file too large, write$/gm)).toHaveLength(1);
    expect(statSync(join(runsOf(folder)[0]!, 'trace', 'master-1.1.ndjson')).size).toBeLessThanOrEqual(
      150 * 1024,
    );
    const replayed = await succeed(['replay', 'last'], { cwd: folder });
    expect(replayed.err).toMatch(
      /master-1\.1\.ndjson: .* \(last line torn: the process was killed, or its disk took no more of the trace\)\n/,
    );
  });
});

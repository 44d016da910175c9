/** Code of a job that runs in the command's own process and ends it, or never comes to an end: that is no answer. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  descendantsOf,
  isAlive,
  jobOf,
  linesOf,
  newFolder,
  onLinux,
  outputOf,
  rehearse,
  start,
  succeed,
  until,
} from './command.js';

const input = 'one\ntwo\nthree\n';

/** What `map` does to the process that it runs in, and what is said of it. */
const misdeeds: readonly (readonly [what: string, code: string, says: string])[] = [
  ['await new Promise(() => {});', 'F002', 'a promise that nobody settles'],
  ['process.exit(0);', 'F003', 'has called process.exit'],
  ['void Promise.reject(new Error("aside"));', 'F004', 'aside\n  --> job.ts:'],
];

/** Where it runs in the command's own process. */
const places: readonly (readonly [where: string, args: readonly string[], more?: string])[] = [
  ['run --sequential', ['run', 'job.ts', 'in.txt', '-o', 'out', '--sequential']],
  ['check', ['check', 'job.ts', 'in.txt']],
  ['a partition by range', ['run', 'job.ts', 'in.txt', '-o', 'out', '-r', '2'], ",\n  partition: 'range'"],
];

for (const [where, args, more = ''] of places) {
  it.each(misdeeds)(`${where}: \`%s\` is error %s`, async (misdeed, code, says) => {
    const map = `async map(line, emit) {\n${misdeed}\nemit(line, 1);\n}${more}`;
    const cwd = newFolder({ 'in.txt': input, 'job.ts': jobOf(map) });
    const ended = await rehearse(args, { cwd, env: { TMPDIR: cwd } });
    expect(ended.err.match(/^error\[/gm), ended.err).toEqual(['error[']);
    expect(ended.err).toContain(`error[${code}]: `);
    expect(ended.err).toContain(says);
    expect(ended.code).toBe(1);
    expect(readdirSync(cwd)).not.toContain('out');
    expect(readdirSync(cwd).filter((name) => name.startsWith('rehearse-job-'))).toEqual([]);
    if (args.includes('--sequential'))
      expect(readdirSync(cwd).filter((name) => /rehearse-/.test(name))).toEqual([]);
  });
}

const rangeJob = (body: string): string => jobOf(`${body},\n  partition: 'range'`);

it.each([
  ['map', 'map(line, emit) { if (line === "two") for (;;); emit(line, 1); }', 'in.txt, byte 4'],
  ['setup', 'setup() { for (;;); }, map() {}', 'in.txt, byte 0'],
])('a partition by range: %s that never ends is told with its record', async (what, body, where) => {
  const cwd = newFolder({ 'in.txt': input, 'job.ts': rangeJob(body) });
  const args = ['run', 'job.ts', 'in.txt', '-r', '2', '--task-timeout', '300ms'];
  const ended = await rehearse(args, { cwd, env: { TMPDIR: cwd } });
  expect(ended.err).toMatch(
    new RegExp(`^error\\[F005\\]: ${what} did not come to an end in 300 ms\\n  --> ${where}\\n`),
  );
  expect(ended.code).toBe(1);
  expect(readdirSync(cwd).filter((name) => name.startsWith('rehearse-'))).toEqual([]);
});

it('a partition by range: a job that takes its time for each record is not ended', async () => {
  const slow = 'map(line, emit) { Atomics.wait(cell, 0, 0, 400); console.log("seen"); emit(line, 1); }';
  const cell = 'const cell = new Int32Array(new SharedArrayBuffer(4));\n';
  const cwd = newFolder({ 'in.txt': input, 'job.ts': cell + rangeJob(slow) });
  const args = ['run', 'job.ts', 'in.txt', '-r', '2', '-o', '-', '--dry-run', '--task-timeout', '3s'];
  const ended = await succeed(args, { cwd });
  expect(ended.err).toContain('seen\n');
  expect(ended.out).not.toContain('seen');
});

it('a partition by range: a job that uses up all memory is told with its record', async () => {
  const hoard =
    'map(line, emit) { if (line === "two") for (const all: unknown[] = []; ; ) all.push([all.length]); }';
  const cwd = newFolder({ 'in.txt': input, 'job.ts': rangeJob(hoard) });
  const ended = await rehearse(['run', 'job.ts', 'in.txt', '-r', '2', '--heap', '32MiB'], { cwd });
  expect(ended.err).toContain('error[F006]: the job used up all memory\n  --> in.txt, byte 4\n');
  expect(ended.code).toBe(1);
});

it('a job that throws aside in the midst of a run is told how to go on, and leaves no sockets', async () => {
  const aside = `import { isMainThread } from 'node:worker_threads';
import { existsSync } from 'node:fs';
const cell = new Int32Array(new SharedArrayBuffer(4));
// In the command itself, once a worker has begun.
const watch = isMainThread && setInterval(() => {
  if (existsSync('begun')) throw new Error('aside');
}, 5);`;
  const body = `map(line, emit) {
    if (line === 'one' && !existsSync('begun')) {
      writeFileSync('begun', '');
      Atomics.wait(cell, 0, 0, 5000);
    }
    emit(line, 1);
  }`;
  const job = jobOf(body, 'sum', aside).replace('{ existsSync }', '{ existsSync, writeFileSync }');
  const cwd = newFolder({ 'in.txt': input, 'job.ts': job });
  const ended = await rehearse(['run', 'job.ts', 'in.txt', '-o', 'out'], { cwd, env: { TMPDIR: cwd } });
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('error[F004]: the job threw where nobody listens: aside\n');
  const [, runId] = /^to go on: rehearse resume (\S+)$/m.exec(ended.err) ?? [];
  expect(runId, ended.err).toBeDefined();
  expect(readdirSync(cwd).filter((name) => name.startsWith('rehearse-'))).toEqual([]);
  await succeed(['resume', runId!], { cwd });
  expect(linesOf(cwd)).toEqual(['one 1', 'three 1', 'two 1']);
});

it('a job that waits for ever while it is loaded is told so, as a document too', async () => {
  const cwd = newFolder({ 'in.txt': input, 'job.ts': `await new Promise(() => {});\n${jobOf('map() {}')}` });
  const ended = await rehearse(['run', 'job.ts', 'in.txt', '-o', 'out', '--json'], { cwd });
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.out)).toMatchObject({ error: { code: 'F002' } });
  expect(readdirSync(cwd).sort()).toEqual(['in.txt', 'job.ts']);
});

it('standard input is not kept for a run that was never begun', async () => {
  const job = jobOf("map() { process.exit(0); },\n  partition: 'range'");
  const cwd = newFolder({ 'job.ts': job });
  const ended = await rehearse(['run', 'job.ts', '-', '-r', '2'], { cwd, stdin: input });
  expect(ended.err).toContain('error[F003]: ');
  expect(readdirSync(join(cwd, '.rehearse', 'runs'))).toEqual([]);
});

it('an old output is not lost with a job that throws aside while the new one takes its place', async () => {
  const aside = `import { existsSync } from 'node:fs';
const watch = setInterval(() => {
  if (existsSync('out')) return;
  clearInterval(watch);
  throw new Error('aside');
}, 0);`;
  const job = jobOf('map(line, emit) { emit(line, 1); }');
  const files = {
    'in.txt': input,
    'calm.ts': job,
    'job.ts': jobOf('map(line, emit) { emit(line, 1); }', 'sum', aside),
  };
  const cwd = newFolder(files);
  const args = ['in.txt', '-o', 'out', '-q', '--sequential'];
  await succeed(['run', 'calm.ts', ...args], { cwd });
  const before = outputOf(cwd);
  const { code, err } = await rehearse(['run', 'job.ts', ...args, '--overwrite'], { cwd });
  if (code === 0) return; // it did not look in that moment
  expect(err).toContain('error[F004]: ');
  const hidden = readdirSync(cwd).find((name) => name.startsWith('.out.rehearse-'));
  expect(hidden === undefined ? outputOf(cwd) : outputOf(cwd, join(hidden, 'tomb'))).toMatchObject(before);
});

it.skipIf(!onLinux)('processes that were started ahead and hang end with the command', async () => {
  const job = `import { existsSync } from 'node:fs';
while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
throw new Error('no');
`;
  const cwd = newFolder({ 'job.ts': job, 'in.txt': 'a\n' });
  const running = start(['run', 'job.ts', 'in.txt', '-w', '1'], { cwd });
  const ahead = () =>
    descendantsOf(running.pid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('child-main'),
    );
  await until('a process is started ahead', () => ahead().length > 0);
  const hung = ahead();
  for (const pid of hung) process.kill(pid, 'SIGSTOP');
  writeFileSync(join(cwd, 'go'), '');
  expect((await running.ended).err).toContain('error[J006]');
  await until('they are gone', () => !hung.some(isAlive));
});

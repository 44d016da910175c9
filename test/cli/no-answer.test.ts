/** Code of a job that runs in the command's own process and ends it, or never comes to an end: that is no answer. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { jobOf, newFolder, outputOf, rehearse, succeed } from './command.js';

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

/** Code of a job that runs in the command's own process and ends it, or never comes to an end: that is no answer. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { jobOf, newFolder, rehearse } from './command.js';

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
    const ended = await rehearse(args, { cwd });
    expect(ended.err.match(/^error\[/gm), ended.err).toEqual(['error[']);
    expect(ended.err).toContain(`error[${code}]: `);
    expect(ended.err).toContain(says);
    expect(ended.code).toBe(1);
    expect(readdirSync(cwd)).not.toContain('out');
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

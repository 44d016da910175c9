/** A scenario that runs a job of the user's own: on both drivers, and wherever it cannot. */
import { mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { jobOf, linesOf, newFolder, rehearse, succeed } from './command.js';

const scenario = (expectation = 'job: succeeded', file = '../lines.ts'): string => `
name: own
cluster: { workers: 3 }
job:
  run: ${file}
  input: ["a\\nb\\n", "éé\\r\\nb\\n"]
  maps: 2
faults:
  - { when: "map-0@1 started", crash: "its worker", restartAfter: 1s }
expect: { ${expectation} }
`;
const code = `map(line, emit, ctx) { emit(line, 1); emit('drawn', ctx.random()); console.log('printed'); }`;
const cwd = newFolder({
  'lines.ts': jobOf(code),
  'one.yaml': scenario(),
  'two.yaml': scenario('not: [worker-lost]'),
});
mkdirSync(join(cwd, 'stories'));
for (const name of ['one.yaml', 'two.yaml']) renameSync(join(cwd, name), join(cwd, 'stories', name));

it('is simulated, on one seed and on many, traced and explained', async () => {
  const { out, err } = await succeed(['sim', 'stories/one.yaml', '--trace', 'traces', '--json'], { cwd });
  expect(JSON.parse(out).runs).toMatchObject([
    { verdict: 'passed', jobs: [{ output: 'same-as-sequential' }] },
  ]);
  expect(err).toMatch(/^(printed\n)+$/); // and none of it among the data
  await succeed(['sim', 'stories/one.yaml', '--seeds', '1..20', '-q'], { cwd });
  expect((await succeed(['explain', 'stories/one.yaml', 'map-0'], { cwd })).out).toContain('map-0@2');
});

it('is performed on real processes, with the answer of the same code', async () => {
  const { err } = await succeed(['run', '--faults', 'stories/one.yaml', '-o', 'out'], { cwd });
  expect(err).toContain('ok    stories/one.yaml on real processes');
  const lines = linesOf(cwd).filter((line) => !line.startsWith('drawn'));
  expect(lines).toEqual(['a 1', 'b 2', Buffer.from('éé 1').toString('latin1')]);
});

it('is found by the folder of the scenario, through links to that folder', async () => {
  mkdirSync(join(cwd, 'links'));
  symlinkSync('../stories', join(cwd, 'links', 'folder'));
  await succeed(['sim', 'links/folder/one.yaml', '-q'], { cwd });
});

it('of a scenario that is a link is found from the link, by every command and what it leaves', async () => {
  const linked = newFolder({ 'lines.ts': jobOf(`map(line, emit) { emit('of the link', 1); }`) });
  mkdirSync(join(linked, 'stories'));
  for (const name of ['one.yaml', 'two.yaml'])
    symlinkSync(join(cwd, 'stories', name), join(linked, 'stories', name));
  await succeed(['run', '--faults', 'stories/one.yaml', '-o', 'out'], { cwd: linked });
  expect(linesOf(linked)).toEqual(['of the link 4']);
  const missing = newFolder({});
  symlinkSync(join(cwd, 'stories', 'one.yaml'), join(missing, 'one.yaml'));
  for (const words of [
    ['sim', 'one.yaml'],
    ['run', '--faults', 'one.yaml'],
  ]) {
    const { code, err } = await rehearse(words, { cwd: missing });
    expect([code, err]).toEqual([2, expect.stringContaining('no such job file: ')]);
  }
  expect((await rehearse(['sim', 'stories/two.yaml', '--shrink'], { cwd: linked })).code).toBe(1);
  const again = await rehearse(['sim', 'stories/two.shrunk.yaml'], { cwd: linked });
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('worker-lost occurred and must not')]);
});

it('is found by the shrunk scenario as well', async () => {
  const { code } = await rehearse(['sim', 'stories/two.yaml', '--shrink'], { cwd });
  expect(code).toBe(1);
  expect(readFileSync(join(cwd, 'stories/two.shrunk.yaml'), 'utf8')).toContain('run: ../lines.ts\n');
  const again = await rehearse(['sim', 'stories/two.shrunk.yaml'], { cwd });
  expect(again.code).toBe(1);
  expect(again.err).toContain('worker-lost occurred and must not');
});

it('is refused by explore, which runs no code', async () => {
  const { code, err } = await rehearse(['explore', 'stories/one.yaml'], { cwd });
  expect(code).toBe(2);
  expect(err).toContain('error[S019]: explore runs no code of jobs: it takes only built-in ones\n');
  expect(err).toContain('  --> stories/one.yaml:5:8\n');
});

const reasons = {
  'missing.ts': [undefined, 'no such job file: missing.ts', ''],
  'empty.ts': ['export const a = 1;', 'empty.ts has no default export', ''],
  'broken.ts': [
    'export default {\n  a: 1 b: 2 };',
    'the job does not compile: Expected "}"',
    ' broken.ts:2:8',
  ],
  'throws.ts': [
    'throw new Error("at once");',
    'the job threw while it was loaded: Error: at once',
    ' throws.ts:1:7',
  ],
  'wrong.ts': ['export default { name: "a", mapp() {} };', 'job "a": unknown field "mapp"', ''],
} as const;

it.each(Object.entries(reasons))('%s is told at its place', async (file, [text, message, label]) => {
  const folder = newFolder({
    'x.yaml': scenario('job: succeeded', file),
    ...(text === undefined ? {} : { [file]: text }),
  });
  for (const words of [
    ['sim', 'x.yaml'],
    ['run', '--faults', 'x.yaml'],
  ]) {
    const { code, err, out } = await rehearse(words, { cwd: folder });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`error[S019]: ${message}`);
    expect(err).toContain('  --> x.yaml:5:8\n');
    expect(err).toMatch(new RegExp(`\\^+${label}\n`));
  }
});

it('what user code throws cannot colour a terminal, and JSON has it as it was', async () => {
  const thrown = '\u001b[31mred\u0007\u009b2J';
  const folder = newFolder({
    'throws.ts': jobOf(`map() { throw new Error(${JSON.stringify(thrown)} + '\\r\\nsecond'); }`),
    'x.yaml': scenario('job: any', 'throws.ts'),
    'in.txt': 'a\n',
  });
  const controls = /(?!\r\n)[^\P{Cc}\n]/u;
  const told = '\\u001b[31mred\\u0007\\u009b2J';
  for (const words of [
    ['sim', 'x.yaml'],
    ['explain', 'x.yaml'],
  ]) {
    const { out, err } = await rehearse(words, { cwd: folder });
    expect(out + err).toContain(told);
    expect(out + err).not.toMatch(controls);
  }
  const { err } = await rehearse(['run', 'throws.ts', 'in.txt', '-o', 'out'], { cwd: folder });
  expect(err).toContain(`map-0 failed on worker-1: Error: ${told}\n`);
  expect(err).not.toMatch(controls);
  const { out } = await rehearse(['explain', 'last', '--json'], { cwd: folder });
  const { moments } = JSON.parse(out).attempts[0];
  expect(moments.map(({ text }: { text: string }) => text).join(' ')).toContain(thrown);
});

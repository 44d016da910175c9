/** `rehearse sim --step`: here with its commands from a pipe, line by line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Ended, newFolder, rehearse, succeed } from './command.js';

const scenario = `
name: small
cluster: { workers: 2 }
job: { maps: 2, reduces: 1 }
faults:
  - { when: "map-0@1 started", crash: "its worker", restartAfter: 2s }
expect: { job: succeeded }
`;
const cwd = newFolder({
  'ok.yaml': scenario,
  'bad.yaml': scenario.replace('succeeded', 'failed'),
  'two.yaml': `${scenario.replace('2s', '"{time}"')}vary: { time: [1s, 2s] }\n`,
});

function step(file: string, words: readonly string[], ...flags: string[]): Promise<Ended> {
  return rehearse(['sim', file, '--step', ...flags], {
    cwd,
    stdin: words.map((word) => `${word}\n`).join(''),
  });
}

it('shows one step after the other, and quits', async () => {
  const { code, out, err } = await step('ok.yaml', ['', '', 'q', '']);
  expect(code).toBe(0);
  expect(out).toMatch(/^1\/\d+ {2}\S+\.1 step 1 at .*: node\.started\n( {2}.*\n)*2\/\d+ {2}\S+\.1 step \d/);
  expect(out).not.toContain('3/');
  expect(err).toMatch(/^\d+ steps; h lists what can be typed\n$/);
});

it('goes on to a step, past what befell nodes, and shows the state as replay does', async () => {
  const { out, err } = await step('ok.yaml', ['60', 's', 's', '5', 'g 61', '9999', 'what']);
  expect(out).toMatch(/^ +worker-\d {2}node-crashed\n60\/\d+ {2}/);
  const [, life, number] = /60\/\d+ {2}(\S+) step (\d+) /.exec(out)!;
  await succeed(['sim', 'ok.yaml', '--trace', 'traces'], { cwd });
  const file = join('traces', `${life}.ndjson`);
  expect(readFileSync(join(cwd, file), 'utf8').split('\n').length).toBeGreaterThan(Number(number));
  const shown = (await succeed(['replay', file, '--at', number!], { cwd })).out;
  const [head, ...rest] = shown.split(/^(?=changed$|the state stays)/m);
  expect(out).toContain(`  ${life} ${head}${rest.join('')}${rest.join('')}61/`);
  expect(err).toContain('it only goes on, and 60 steps are taken\n');
  expect(err).toMatch(/the last step is \d+\n"what" means nothing here\nEnter {6}the next step\n/);
});

it('shows what befell a node after the step that brought it about', async () => {
  const { out } = await step('ok.yaml', Array(60).fill(''));
  expect(out).toMatch(
    /\d+\/\d+ {2}worker-(\d)\.1 step .*\n( {2}attempt\.run\n)( {2}.*\n)* +worker-\1 {2}node-crashed\n/,
  );
  expect(out.match(/node-crashed/g)).toHaveLength(1);
});

it('ends with the verdict and the exit code of a scenario that was played to its end', async () => {
  const passed = await step('ok.yaml', ['e', 's']);
  expect([passed.code, passed.err.split('\n').at(-2)]).toEqual([
    0,
    expect.stringMatching(/^ok {4}ok\.yaml seed 1: /),
  ]);
  const failed = await step('bad.yaml', ['', 'e', '', 'never read'], '--seed', '3');
  expect(failed.code).toBe(1);
  expect(failed.err).toContain('FAIL  bad.yaml seed 3: ');
  expect(failed.err).toContain('again: rehearse sim bad.yaml --seed 3\n');
  expect(failed.err).not.toContain('never read');
  expect((await step('bad.yaml', ['', '5'])).code).toBe(0);
});

it.each([
  ['two.yaml', [], '--step shows one run, not 2'],
  ['ok.yaml', ['--seeds', '1..3'], '--step shows one run, not 3'],
  ['ok.yaml', ['--json'], '--step and --json do not go together'],
  ['ok.yaml', ['--trace', 't'], '--step and --trace do not go together'],
])('%s %j is refused', async (file, flags, what) => {
  const { code, err, out } = await step(file, [], ...flags);
  expect(code).toBe(2);
  expect(err + out).toContain(what);
});

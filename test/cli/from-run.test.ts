/** `rehearse sim --from RUN`: a recorded run, played again as a scenario. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { newFolder, rehearse, succeed } from './command.js';

const scenario = `
name: made
cluster: { workers: 2 }
job: { maps: 3, reduces: 1 }
faults:
  - { when: "map-0@1 started", crash: "its worker" }
expect: { exercised: [worker-lost] }
`;
const cwd = newFolder({ 'made.yaml': scenario, 'words.txt': 'a b\nb c\n' });

beforeAll(async () => {
  await succeed(['run', 'word-count', 'words.txt', '-m', '2', '-r', '2', '-w', '2', '--lease', '7s'], {
    cwd,
  });
  await succeed(['sim', 'made.yaml', '--trace', 'traces'], { cwd });
});

it('plays the last run, with its policy, and repeats it in a command', async () => {
  const { err } = await succeed(['sim', '--from', 'last', '--seeds', '1..3'], { cwd });
  expect(err).toContain('3 seeds: 3 passed');
  const { out } = await succeed(['sim', '--from', 'last', '--json'], { cwd });
  expect(JSON.parse(out).runs).toMatchObject([{ scenario: 'last', verdict: 'passed' }]);
});

it('writes the scenario, which is played as the run was', async () => {
  const told = await succeed(['sim', '--from', 'traces', '-o', 'told.yaml', '--seed', '5'], { cwd });
  expect(told.err).toContain('the run as a scenario: told.yaml\n');
  const text = readFileSync(join(cwd, 'told.yaml'), 'utf8');
  expect(text).toMatch(/^# fault 1: worker-\d ended and did not come back; why is not known\n# not known: /);
  expect(text).toMatch(/\n {2}times:\n {4}map-0: \d+ms\n/);
  expect(text).toContain('  - when: map-0@1 started\n    crash: its worker\n');
  const again = await succeed(['sim', 'told.yaml', '--seed', '5'], { cwd });
  expect(again.out).toBe(told.out);
  expect(again.err.split('\n').at(-2)).toBe(told.err.split('\n').at(-2));
  const real = await succeed(['sim', '--from', 'last', '-o', 'real.yaml', '-q'], { cwd });
  expect([real.out, real.err]).toEqual(['', '']);
  expect(readFileSync(join(cwd, 'real.yaml'), 'utf8')).toContain('lease: 7s');
});

it('writes the scenario to standard output, where nothing else goes there', async () => {
  const { out } = await succeed(['sim', '--from', 'traces', '-o', '-', '-q'], { cwd });
  expect(out).toMatch(/^# fault 1: .*\nname: traces\n.*\nexpect: \{\}\n$/s);
  for (const [words, what] of [
    [[], 'the time line'],
    [['-q', '--json'], 'what --json says'],
    [['-q', '--step'], 'what --step shows'],
  ] as const) {
    const refused = await rehearse(['sim', '--from', 'traces', '-o', '-', ...words], { cwd });
    expect([refused.code, refused.err + refused.out]).toEqual([
      2,
      expect.stringContaining(`-o - and ${what} would both go to standard output`),
    ]);
  }
  expect(readdirSync(cwd)).not.toContain('-');
});

it('says why a run that is told may test nothing, and only then', async () => {
  const story = join(import.meta.dirname, '../../scenarios/lease-too-short.yaml');
  await succeed(['sim', story, '--trace', 'slow', '-q'], { cwd });
  const told = await rehearse(['sim', '--from', 'slow/1', '-o', 'slow.yaml', '--seeds', '1..40'], { cwd });
  const count = (text: string): number => told.err.split(text).length - 1;
  expect(count('NOTHING TESTED')).toBeGreaterThan(0);
  expect(count('  it went another way here than when it was recorded; ')).toBe(1);
  const file = await rehearse(['sim', 'slow.yaml', '--seeds', '1..40'], { cwd });
  expect(file.err).toContain('NOTHING TESTED');
  expect(file.err).not.toContain('when it was recorded');
});

it('shrinks to files in the working directory that are called as the run is', async () => {
  const failing = scenario.replace('reduces: 1', 'reduces: 1, misbehave: { map-1@1: throws }');
  writeFileSync(join(cwd, 'failing.yaml'), failing);
  await succeed(['sim', 'failing.yaml', '--trace', 'sub/fails'], { cwd });
  for (const file of readdirSync(join(cwd, 'sub/fails'))) {
    const path = join(cwd, 'sub/fails', file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"maxAttempts":4', '"maxAttempts":1'));
  }
  const before = readdirSync(join(cwd, 'sub/fails'));
  const { code, err } = await rehearse(['sim', '--from', 'sub/fails/', '--shrink'], { cwd });
  expect(code).toBe(1);
  expect(err).toContain(': fails.shrunk.yaml\n');
  expect(readdirSync(cwd)).toEqual(expect.arrayContaining(['fails.shrunk.txt', 'fails.shrunk.yaml']));
  expect(readdirSync(join(cwd, 'sub/fails'))).toEqual(before);
  const named = await rehearse(['sim', '--from', 'sub/fails', '--shrink', '-o', 'sub/own.yaml'], { cwd });
  expect(named.err).toContain(': sub/own.shrunk.yaml\n');
});

it('what would be written over the traces that are read is refused, and they stay as they are', async () => {
  const text = readFileSync(join(cwd, 'traces/master-1.1.ndjson'), 'utf8');
  mkdirSync(join(cwd, 'many'));
  cpSync(join(cwd, 'traces'), join(cwd, 'many/1'), { recursive: true });
  mkdirSync(join(cwd, 'links'));
  symlinkSync('../traces', join(cwd, 'links/3'));
  for (const [words, what] of [
    [['traces', '-o', './traces/master-1.1.ndjson'], '-o names one of the traces that are read'],
    [['traces', '--trace', './traces'], '--trace names the folder of the traces that are read'],
    [
      ['many/1', '--seeds', '1..2', '--trace', 'many'],
      '--trace would write into the folder of the traces that are read',
    ],
    [
      ['traces', '--seeds', '1..3', '--trace', 'links'],
      '--trace would write into the folder of the traces that are read',
    ],
  ] as const) {
    const { code, err } = await rehearse(['sim', '--from', ...words], { cwd });
    expect([code, err]).toEqual([2, expect.stringContaining(`error[U031]: ${what}\n`)]);
  }
  expect(readFileSync(join(cwd, 'traces/master-1.1.ndjson'), 'utf8')).toBe(text);
});

it('what would be written beside the traces that are read is not refused, and they stay as they are', async () => {
  const folder = join(cwd, 'beside');
  cpSync(join(cwd, 'traces'), join(folder, '7'), { recursive: true });
  const text = readFileSync(join(folder, '7/master-1.1.ndjson'), 'utf8');
  for (const [words, written] of [
    [['--trace', 'beside'], ['.']],
    [
      ['--trace', 'beside', '--seeds', '1..2'],
      ['1', '2'],
    ],
    [
      ['--trace', 'beside/7', '--seeds', '1..2'],
      ['7/1', '7/2'],
    ],
  ] as const) {
    await succeed(['sim', '--from', 'beside/7', ...words, '-q'], { cwd });
    for (const place of written) expect(readdirSync(join(folder, place))).toContain('master-1.1.ndjson');
  }
  expect(readFileSync(join(folder, '7/master-1.1.ndjson'), 'utf8')).toBe(text);
});

it('traces of two runs are refused', async () => {
  cpSync(join(cwd, 'traces'), join(cwd, 'mixed'), { recursive: true });
  cpSync(join(cwd, 'traces/worker-1.1.ndjson'), join(cwd, 'mixed/other.ndjson'));
  for (const words of [
    ['sim', '--from', 'mixed'],
    ['explain', 'mixed', 'map-0'],
  ]) {
    const { code, err } = await rehearse(words, { cwd });
    expect([code, err]).toEqual([2, expect.stringContaining('error[T006]: two traces are of worker-1.1')]);
  }
});

it('traces of workers alone are refused: what was asked for is not in them', async () => {
  const files = readdirSync(join(cwd, 'traces'));
  mkdirSync(join(cwd, 'early'));
  for (const file of files.filter((name) => name.startsWith('worker'))) {
    renameSync(join(cwd, 'traces', file), join(cwd, 'early', file));
  }
  const { code, err } = await rehearse(['sim', '--from', 'early'], { cwd });
  expect(code).toBe(2);
  expect(err).toContain(
    'error[U034]: no scenario can be made of these traces: they tell of no job\n  --> early\n',
  );
});

it.each([
  [['sim'], 'error[U032]: there is nothing to play\n'],
  [['sim', 'made.yaml', '--from', 'last'], 'error[U032]: --from and scenario files do not go together\n'],
  [['sim', 'made.yaml', '-o', 'x.yaml'], 'error[U033]: -o is for the scenario that --from makes\n'],
  [['sim', '--from', 'nobody'], 'error[R001]: there is no run "nobody"\n'],
])('%j is refused', async (words, message) => {
  const { code, err, out } = await rehearse(words, { cwd });
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(message);
});

it('a place that takes no file is said at once', async () => {
  const { code, err, out } = await rehearse(['sim', '--from', 'last', '-o', 'none/x.yaml'], { cwd });
  expect([code, out]).toEqual([4, '']);
  expect(err).toContain('error[U025]: -o: there is no such folder\n  --> none/x.yaml\n');
});

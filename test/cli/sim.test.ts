/** `rehearse sim`: what it says of one run and of many. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ended, newFolder, type Running, rehearse, start, succeed, until } from './command.js';

const scenario = `
name: small
cluster: { workers: 1 }
job: { maps: 1, reduces: 1 }
expect: { job: succeeded }
`;
const cwd = newFolder({ 'ok.yaml': scenario, 'bad.yaml': scenario.replace('succeeded', 'failed') });

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}

describe('many runs', () => {
  it('end with a line that counts their verdicts, on stderr', async () => {
    const { err, out } = await succeed(['sim', 'ok.yaml', '--seeds', '1..1000'], { cwd });
    expect(lastLine(err)).toBe('1,000 seeds: 1,000 passed');
    expect(out).toBe('');
  });

  it('tell the story of the first that fails, a line of each other one, and how to see its story', async () => {
    const { err, out } = await rehearse(['sim', 'bad.yaml', '--seeds', '3..6'], { cwd });
    expect(out.match(/job-published/g)).toHaveLength(1);
    const reason = 'job 1 was expected to have failed, but it is succeeded';
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^FAIL {2}bad\.yaml seed 3: \d+ steps, /),
      `  ${reason}`,
      '  again: rehearse sim bad.yaml --seed 3',
      `FAIL  bad.yaml seed 4: ${reason}`,
      `FAIL  bad.yaml seed 5: ${reason}`,
      `FAIL  bad.yaml seed 6: ${reason}`,
      'the time line of another: rehearse sim bad.yaml --seed 4',
      '4 seeds: 4 failed (seeds 3, 4, 5, 6)',
      '',
    ]);
    const verbose = await rehearse(['sim', 'bad.yaml', '--seeds', '3..6', '-v'], { cwd });
    expect(verbose.out.match(/job-published/g)).toHaveLength(4);
    const help = await succeed(['sim', '--help'], { cwd });
    expect(help.out).not.toContain('golden');
  });

  it('name what failed: ten seeds, or the files', async () => {
    const seeds = await rehearse(['sim', 'bad.yaml', '--seeds', '3..14', '-q'], { cwd });
    expect(lastLine(seeds.err)).toBe(
      '12 seeds: 12 failed (seeds 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more)',
    );
    const files = await rehearse(['sim', 'ok.yaml', 'bad.yaml'], { cwd });
    expect(lastLine(files.err)).toBe('2 runs: 1 passed, 1 failed (bad.yaml)');
  });
});

it('many seeds of many variants that failed are told apart', async () => {
  const varied = `${scenario.replace('succeeded', 'failed').replace('small', '"{size}"')}vary: { size: [a, b] }\n`;
  const folder = newFolder({ 'varied.yaml': varied });
  const { err } = await rehearse(['sim', 'varied.yaml', '--seeds', '3..4', '-q'], { cwd: folder });
  const names = ['(a) seed 3', '(a) seed 4', '(b) seed 3', '(b) seed 4'].map((name) => `varied.yaml ${name}`);
  expect(lastLine(err)).toBe(`4 runs: 4 failed (${names.join(', ')})`);
});

it('a file is text in UTF-8, with a mark of its byte order or without', async () => {
  const folder = newFolder({
    'marked.yaml': `\uFEFF${scenario.trimStart()}`,
    'wrong.yaml': '\uFEFFnmae: x\nexpect: {}\n',
    'latin.yaml': Buffer.from(`${scenario}about: caf\xe9\n`, 'latin1'),
    'key.yaml': `${scenario}? [a, b]\n: c\n`,
  });
  await succeed(['sim', 'marked.yaml'], { cwd: folder });
  const wrong = await rehearse(['sim', 'wrong.yaml'], { cwd: folder });
  expect(wrong.err).toContain('--> wrong.yaml:1:1\n   1 | nmae: x\n     | ^^^^ ');
  const latin = await rehearse(['sim', 'latin.yaml'], { cwd: folder });
  expect([latin.code, latin.err]).toEqual([2, 'error[S025]: this is no text in UTF-8\n  --> latin.yaml\n']);
  const key = await rehearse(['sim', 'key.yaml'], { cwd: folder });
  expect(key.err).toMatch(/^error\[S002\]: a key is a word, not a list or a map\n/);
  expect(key.err).not.toContain('Warning');
});

describe('with --quiet', () => {
  it('nothing is said where nothing failed', async () => {
    for (const how of [[], ['--seeds', '1..3'], ['--verbose']]) {
      const ended = await succeed(['sim', 'ok.yaml', '-q', ...how], { cwd });
      expect([ended.out, ended.err]).toEqual(['', '']);
    }
  });

  it('a failure is said without its story', async () => {
    const { code, out, err } = await rehearse(['sim', 'bad.yaml', '-q'], { cwd });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^FAIL {2}bad\.yaml seed .*\n {2}\S.*\n {2}again: rehearse sim bad\.yaml --seed /);
  });
});

it('a folder is told from a scenario file', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'all'));
  const { code, err } = await rehearse(['sim', 'all'], { cwd: folder });
  expect(err).toBe(
    'error[S000]: this is a folder, and no scenario file\n  --> all\n  name the scenario files in it: all/*.yaml\n',
  );
  expect(code).toBe(2);
});

it.each([['sim'], ['explore'], ['explain'], ['run', '--faults']])(
  '%s refuses a misspelt job with its place',
  async (...words) => {
    const folder = newFolder({ 'job.yaml': 'name: x\njob: { run: wordcount }\nexpect: {}\n' });
    const { code, err } = await rehearse([...words, 'job.yaml'], { cwd: folder });
    expect(err).toContain('error[S016]: no job is called "wordcount"\n  --> job.yaml:2:13\n');
    expect(err).toContain('did you mean "word-count"?\n');
    expect(code).toBe(2);
  },
);

describe('with --trace', () => {
  it.each([
    ['/proc/none', 'this folder cannot be made'],
    ['ok.yaml', 'a file stands where a folder should be'],
  ])('%s is refused before anything is played', async (place, why) => {
    const ended = start(['sim', 'ok.yaml', 'bad.yaml', '--trace', place], { cwd });
    const { code, err, out } = await within(ended, 20_000);
    expect(err).toBe(`error[U025]: --trace: ${why}\n  --> ${place}\n  choose another place with --trace\n`);
    expect([code, out]).toEqual([4, '']);
  });
});

describe('the line that repeats a failure', () => {
  it.each(["it's bad.yaml", '-dash.yaml', '$HOME;x.yaml'])('is a command, for %s too', async (name) => {
    const folder = newFolder({ [name]: scenario.replace('succeeded', 'failed') });
    const { err } = await rehearse(['sim', '-q', '--seed', 'a b', '--', name], { cwd: folder });
    const [, command] = / {2}again: (rehearse sim .*)/.exec(err)!;
    const words = execFileSync('sh', ['-c', `rehearse() { printf '%s\\n' "$@"; }; ${command}`]).toString();
    const again = await rehearse([...words.trimEnd().split('\n'), '-q'], { cwd: folder });
    expect(again.err).toBe(err);
    expect(again.code).toBe(1);
  });
});

it('--seed and --seeds do not go together', async () => {
  const { code, err } = await rehearse(['sim', 'ok.yaml', '--seed', '1', '--seeds', '1..3'], { cwd });
  expect(err).toMatch(/^error\[U028\]: --seed and --seeds do not go together\n/);
  expect(code).toBe(2);
});

it('a range of seeds may be longer than any list: it is begun', async () => {
  const args = ['sim', 'bad.yaml', '--seeds', '1..1000000000000', '-v'];
  const running = start(args, { cwd });
  await until(
    'the first seed is played',
    () => /^FAIL .* seed 1: /m.test(running.err()) || running.child.exitCode !== null,
  );
  expect(running.child.exitCode).toBeNull();
  running.child.kill('SIGKILL');
  await running.ended;
});

it('--shrink says that nothing was shrunk where nothing failed', async () => {
  const faults = 'faults: [{ at: 1h, crash: worker-1 }, { at: 2h, pause: worker-1, for: 1s }]';
  const idle = scenario.replace('expect', `${faults}\nexpect`);
  const folder = newFolder({ 'ok.yaml': scenario, 'idle.yaml': idle });
  const shrunk = async (name: string) =>
    lastLine((await rehearse(['sim', name, '--shrink'], { cwd: folder })).err);
  expect(await shrunk('ok.yaml')).toBe('nothing was shrunk: no rule and no expectation is broken');
  expect(await shrunk('idle.yaml')).toBe(
    'nothing was shrunk: nothing is broken, but nothing was tested either: ' +
      'fault 1 (crash worker-1 at 1h) had no effect; fault 2 (pause worker-1 at 2h for 1s) had no effect',
  );
});

async function within({ child, ended }: Running, limitMs: number): Promise<Ended> {
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  return await ended.finally(() => clearTimeout(timer));
}

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../../bench/', import.meta.url));
const load = (path: string) => import(/* @vite-ignore */ join(bench, path));
const { judge, median, ratioOf } = await load('harness/statistics.mjs');
const { canonicalDigest, EqualOutputs } = await load('harness/canonical.mjs');
const { contest } = await load('harness/contest.mjs');
const { seriesOf } = await load('report/series.mjs');
const { plot } = await load('report/plot.mjs');

const root = mkdtempSync(join(tmpdir(), 'rehearse-bench-test-'));
let scratch = '';
let tests = 0;

beforeEach(() => {
  scratch = join(root, String(++tests));
  mkdirSync(scratch);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return join(scratch, name);
}

function prints(name: string, text: string) {
  const output = join(scratch, name);
  return { name, output, stdout: output, command: ['printf', text] };
}

const quiet = () => undefined;

describe('statistics', () => {
  test('a median is the middle value, or the mean of the two in the middle', () => {
    expect(median([10, 1, 9])).toBe(9);
    expect(median([10, 1, 9, 2])).toBe(5.5);
  });

  test('a ratio is taken round by round, so that a slow round of all changes nothing', () => {
    expect(ratioOf([2, 20, 4], [1, 10, 2])).toEqual({ median: 2, least: 2, greatest: 2 });
  });

  test('a goal is missed, met at its bar, or met at its aim, from either side', () => {
    const faster = { atLeast: 1.15, aim: 1.8 };
    expect([1.1, 1.2, 1.9].map((value) => judge(value, faster))).toEqual(['no', 'bar', 'yes']);
    const smaller = { atMost: 6, aim: 4 };
    expect([7, 5, 3].map((value) => judge(value, smaller))).toEqual(['no', 'bar', 'yes']);
    expect(judge(0.9, { aim: 1 })).toBe('bar');
    expect(judge(1.5, {})).toBe('told');
  });
});

describe('equality of outputs', () => {
  test('the order of lines and the cutting into parts do not matter', async () => {
    const whole = file('whole', 'b 2\na 1\nÄ 3\n');
    const parts = join(scratch, 'parts');
    mkdirSync(parts);
    writeFileSync(join(parts, 'part-00001'), 'b 2\n');
    writeFileSync(join(parts, 'part-00000'), 'Ä 3\na 1\n');
    writeFileSync(join(parts, '_SUCCESS.json'), '{}');
    expect(await canonicalDigest(parts)).toBe(await canonicalDigest(whole));
  });

  test('one count that differs is refused, with the line and who wrote it', async () => {
    const outputs = new EqualOutputs();
    await outputs.demand('ours', file('ours', 'a 1\nb 2\n'));
    await expect(outputs.demand('theirs', file('theirs', 'b 3\na 1\n'))).rejects.toThrow(
      /theirs.*ours[\s\S]*b 2[\s\S]*b 3/,
    );
  });

  test('a line that is there twice is not the same as once', async () => {
    const outputs = new EqualOutputs();
    await outputs.demand('ours', file('ours', 'a 1\n'));
    await expect(outputs.demand('theirs', file('theirs', 'a 1\na 1\n'))).rejects.toThrow('theirs');
  });
});

describe('a contest', () => {
  test('contestants run in turn, round after round', async () => {
    const log = join(scratch, 'log');
    const entrant = (name: string) => {
      const output = join(scratch, name);
      return { name, output, command: ['sh', '-c', `echo ${name} >> ${log}; echo x > ${output}`] };
    };
    await contest({ contestants: [entrant('a'), entrant('b')], rounds: 3, scratch, say: quiet });
    expect(readFileSync(log, 'utf8').split('\n').join('')).toBe('ababab');
  });

  test('who gives another answer is out, and named', async () => {
    const contestants = [prints('honest', 'a 1\n'), prints('liar', 'a 2\n'), prints('other', 'a 1\n')];
    const { contestants: results, failures } = await contest({ contestants, rounds: 2, scratch, say: quiet });
    expect(failures).toMatchObject([{ contestant: 'liar' }]);
    expect(results.map(({ runs }: { runs: unknown[] }) => runs.length)).toEqual([2, 0, 2]);
  });

  test('who fails is out, with what it said', async () => {
    const broken = { ...prints('broken', ''), command: ['sh', '-c', 'echo no such thing >&2; exit 3'] };
    const { failures } = await contest({ contestants: [broken], rounds: 2, scratch, say: quiet });
    expect(failures).toHaveLength(1);
    expect(failures[0].message).toMatch(/exit 3[\s\S]*no such thing/);
  });
});

test('an efficiency is the time alone, divided by that of all workers together', () => {
  const wall = (seconds: number) => ({ median: seconds, least: seconds, greatest: seconds });
  const [series] = seriesOf({
    plot: { value: 'efficiency' },
    contestants: [
      { name: 'alone', wallSeconds: wall(8) },
      { at: { series: 'ours', x: 2, workers: 2, sequential: 'alone' }, wallSeconds: wall(5) },
    ],
  });
  expect(series.points).toEqual([{ x: 2, y: 0.8, least: 0.8, greatest: 0.8 }]);
});

test('a plot has a point for every x of every series, and no number that is none', () => {
  const points = [1, 10, 100].map((x) => ({ x, y: x / 7, least: x / 8, greatest: x / 6 }));
  const drawn: string = plot(
    [
      { name: 'one', points },
      { name: '<two>', points },
    ],
    { x: 'x', y: 'y' },
    true,
  );
  expect(drawn.match(/<circle/g)).toHaveLength(6);
  expect(drawn).toContain('&lt;two>');
  expect(drawn).not.toMatch(/NaN|Infinity|undefined/);
});

const compiler = spawnSync('gcc', ['--version']).status === 0;
test.skipIf(!compiler)('a quick run of the real thing ends well and writes both results (needs gcc)', () => {
  const flags = ['--quick', '--only', 'words,small', '--cache', join(scratch, 'cache'), '--output', scratch];
  const shown = execFileSync(process.execPath, [join(bench, 'run.mjs'), ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(String(shown)).toMatch(/REF \(wcs\) ÷ rehearse +[\d.]+ ×/);
  const { results } = JSON.parse(readFileSync(join(scratch, 'results.json'), 'utf8'));
  expect(
    results.map(({ name, failures }: { name: string; failures: unknown[] }) => [name, failures]),
  ).toEqual([
    ['words', []],
    ['small', []],
  ]);
  expect(existsSync(join(scratch, 'index.html'))).toBe(true);
});

import { describe, expect, test } from 'vitest';
import { type Builtin, checkParams, ParamsError, programOf } from '../../jobs/builtin/builtin.js';
import { builtinJobs, builtinPipelines } from '../../jobs/builtin/registry.js';
import { jobOf } from '../../jobs/pipeline.js';
import { type PlainOutput, runPlain } from '../../jobs/plain.js';

const builtin = (name: string): Builtin => builtinJobs.get(name)!;
const documented = (name: string) => builtinJobs.get(name) ?? builtinPipelines.get(name)!;

function run(name: string, inputs: Record<string, string>, params: Record<string, string> = {}): string {
  const splits = Object.entries(inputs).map(([input, text]) =>
    text.split('\n').map((line, offset) => ({ record: line, offset, input })),
  );
  const job = jobOf(programOf(builtin(name)), params);
  return (runPlain({ job, splits, reduces: 1, budgetBytes: 300, params, seed: '' }) as PlainOutput).parts[0]!;
}

describe('the built-in jobs', () => {
  test('are found by name', () => {
    expect([...builtinJobs.keys(), ...builtinPipelines.keys()]).toEqual([
      'word-count',
      'grep',
      'inverted-index',
      'sort',
      'distinct',
      'join',
      'log-statistics',
      'modelled',
      'top-k',
      'page-rank',
    ]);
  });

  test('word-count counts runs of Unicode letters and keeps their case', () => {
    expect(run('word-count', { a: "Ça va? ça VA, don't 42 x1y 中文字" })).toBe(
      'VA 1\ndon 1\nt 1\nva 1\nx 1\ny 1\nÇa 1\nça 1\n中文字 1\n',
    );
  });

  test('modelled counts words too', () => {
    const text = { a: 'b a b' };
    expect(run('modelled', text)).toBe(run('word-count', text));
  });

  test('inverted-index lists the distinct inputs of a word in order', () => {
    const inputs = { 'c.txt': 'x x y', 'a.txt': 'x', 'b.txt': 'x z\nx' };
    expect(run('inverted-index', inputs)).toBe('x 3 a.txt,b.txt,c.txt\ny 1 c.txt\nz 1 b.txt\n');
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}`.padStart(3, '0'), 'x']));
    expect(run('inverted-index', many)).toBe(`x 100 ${Object.keys(many).sort().join(',')}\n`);
    expect(run('inverted-index', { 'it\'s [1], "2"': 'x' })).toBe('x 1 it\'s [1], "2"\n');
  });

  test('grep gives each matching line with how often it occurs', () => {
    const inputs = { a: 'an error\nfine\nan error', b: 'Error: \\d' };
    expect(run('grep', inputs, { pattern: 'err' })).toBe('an error 2\n');
    expect(run('grep', inputs, { pattern: 'ERR', ignoreCase: 'true' })).toBe('Error: \\\\d 1\nan error 2\n');
    expect(run('grep', inputs, { pattern: '^f' })).toBe('fine 1\n');
  });
});

describe('log-statistics', () => {
  const common =
    'h1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326\n' +
    'h2 - bob [10/Oct/2000:13:55:37 -0700] "POST /b HTTP/1.0" 404 -\n' +
    'nonsense\nh1 - - [x] "GET /b HTTP/1.1" 304 74 "-" "agent"';

  test('adds up log lines by a field', () => {
    expect(run('log-statistics', { a: common })).toBe('h1\t2\t2400\t74\t2326\nh2\t1\t0\t0\t0\n');
    expect(run('log-statistics', { a: common }, { by: 'path' })).toBe(
      '/a\t1\t2326\t2326\t2326\n/b\t2\t74\t0\t74\n',
    );
  });

  test('adds up NDJSON by any field', () => {
    const lines = '{"host":"x","ms":1.5}\n{"host":"x","ms":2}\n{"host":7,"ms":-1}\n{"ms":1}\nno json';
    expect(run('log-statistics', { a: lines }, { format: 'ndjson', value: 'ms' })).toBe(
      '7\t1\t-1\t-1\t-1\nx\t2\t3.5\t1.5\t2\n',
    );
  });
});

describe('the params of a built-in job', () => {
  test.each([
    ['grep: needs --param pattern=…, a JavaScript regular expression', 'grep', {}],
    ['grep: the pattern is empty', 'grep', { pattern: '' }],
    ['grep: the pattern does not compile: Invalid regular expression', 'grep', { pattern: '(' }],
    ['grep: ignoreCase is one of true, false, not "yes"', 'grep', { pattern: 'x', ignoreCase: 'yes' }],
    ['grep: unknown param "patern"; did you mean "pattern"?', 'grep', { patern: 'x' }],
    ['grep: unknown param "color"; it takes pattern, ignoreCase', 'grep', { pattern: 'x', color: 'red' }],
    ['page-rank: damping is a number from 0 to 1, not ""', 'page-rank', { damping: '' }],
    ['page-rank: rounds is a whole number from 0 on, not " "', 'page-rank', { rounds: ' ' }],
    ['word-count: unknown param "x"; it takes none', 'word-count', { x: '1' }],
  ])('are refused: %s', (message, name, params) => {
    expect(() => checkParams(documented(name), params)).toThrow(ParamsError);
    expect(() => checkParams(documented(name), params)).toThrow(message);
  });

  test('are accepted when they are right', () => {
    expect(() => checkParams(builtin('grep'), { pattern: 'x', ignoreCase: 'false' })).not.toThrow();
    expect(() => checkParams(builtin('word-count'), {})).not.toThrow();
  });
});

/**
 * The answer of a real run, byte for byte: that of `--sequential`, and that of small programs written here, which share
 * nothing with ours but the definition of the answer.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { expectTidy, jobOf, linesOf, newFolder, partsOf, rehearse, runsOf, succeed } from './command.js';

/** The lines of a file as text: LF or CRLF, no mark at the start, what is no UTF-8 replaced. */
function linesIn(bytes: Uint8Array): string[] {
  const lines = new TextDecoder('utf-8').decode(bytes).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function countWords(files: Iterable<Uint8Array>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const bytes of files) {
    for (const word of linesIn(bytes).flatMap((line) => line.match(/\p{L}+/gu) ?? [])) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

function asLines(counts: ReadonlyMap<string, unknown>): string[] {
  const escaped = (text: string): string =>
    [...text].map((one) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[one] ?? one).join('');
  return [...counts].map(([key, value]) => Buffer.from(`${escaped(key)} ${value}`).toString('latin1')).sort();
}

/** Runs a job both ways into `out` and `sequential` and expects the same bytes. */
async function runBothWays(folder: string, args: readonly string[]): Promise<Record<string, number>> {
  const ended = await succeed(['run', ...args, '-o', 'out', '-w', '2', '--json'], { cwd: folder });
  await succeed(['run', ...args, '-o', 'sequential', '--sequential', '-q'], { cwd: folder });
  const parts = partsOf(folder);
  expect(partsOf(folder, 'sequential')).toEqual(parts);
  for (const part of Object.values(parts)) expectSorted(part);
  expectTidy(folder);
  return (JSON.parse(ended.out) as { counters: Record<string, number> }).counters;
}

/** Keys in the order of their bytes; `text` has a character per byte, and values are numbers. */
function expectSorted(text: string): void {
  const keys = text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
  for (let at = 1; at < keys.length; at++)
    if (keys[at - 1]! >= keys[at]!) expect(keys).toEqual([...keys].sort());
}

const words = Array.from({ length: 4000 }, (_, index) =>
  [
    'un',
    'deux',
    'trois',
    'été',
    'Ω',
    '漢字',
    `w${'abcdefghij'[index % 10]}${'klmnopqrst'[(index >> 4) % 10]}`,
  ].slice(index % 5),
);
const prose = words.map((line) => line.join(' ')).join('\n');

describe('word-count', () => {
  it('is right for every kind of file at once', async () => {
    const files: Record<string, Uint8Array> = {
      'empty.txt': Buffer.from(''),
      'newline.txt': Buffer.from('\n'),
      'no-end.txt': Buffer.from('alpha beta\ngamma'),
      'crlf.txt': Buffer.from('alpha beta\r\ngamma\r\n\r\ndelta\r'),
      'bom.txt': Buffer.from('\ufeffalpha \ufeffbeta\n'),
      'invalid.txt': Buffer.from([
        97, 0xff, 98, 10, 0xc3, 10, 0xe2, 0x82, 99, 32, 0xf0, 0x9f, 10, 0xed, 0xa0, 0x80, 100,
      ]),
      'long.txt': Buffer.from(`${'longest ever '.repeat(20_000)}end\nshort\n`),
      'prose.txt': Buffer.from(prose),
      'prose.txt.gz': gzipSync(`${prose}\nzipped only`),
      'two.gz': Buffer.concat([gzipSync('member one\nfi'), gzipSync('rst\nsecond')]),
      'proto.txt': Buffer.from('__proto__ constructor toString\n'),
    };
    const folder = newFolder();
    mkdirSync(join(folder, 'in'));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, 'in', name), bytes);
    await runBothWays(folder, ['word-count', 'in', '-m', '40', '-r', '5']);
    const plain = { ...files };
    plain['prose.txt.gz'] = Buffer.from(`${prose}\nzipped only`);
    plain['two.gz'] = Buffer.from('member one\nfirst\nsecond');
    expect(linesOf(folder)).toEqual(asLines(countWords(Object.values(plain))));

    // Words hide a mark, a carriage return or a replaced byte: whole lines do not.
    writeFileSync(join(folder, 'job.ts'), jobOf('map(line, emit) { emit(line, 1); }'));
    await runBothWays(folder, ['job.ts', 'in', '-m', '40', '-r', '5', '--overwrite']);
    const counts = new Map<string, number>();
    for (const line of Object.values(plain).flatMap(linesIn)) counts.set(line, (counts.get(line) ?? 0) + 1);
    expect(linesOf(folder)).toEqual(asLines(counts));
  });

  it('is right with more maps than lines and more reduces than keys', async () => {
    const folder = newFolder({ 'in.txt': 'x\ny x\nz' });
    await runBothWays(folder, ['word-count', 'in.txt', '-m', '50', '-r', '9']);
    expect(Object.keys(partsOf(folder))).toHaveLength(9);
    expect(linesOf(folder)).toEqual(['x 2', 'y 1', 'z 1']);
  });

  it('is right without any input bytes', async () => {
    const folder = newFolder({ 'in.txt': '' });
    await runBothWays(folder, ['word-count', 'in.txt', '-r', '2']);
    expect(partsOf(folder)).toEqual({ 'part-00000': '', 'part-00001': '' });
  });

  it('is without the records at which user code fails twice, and the same when reduces begin early', async () => {
    const lines = Array.from({ length: 300 }, (_, index) =>
      index % 100 === 50 ? `bad ${index}` : `good ${index}`,
    );
    const folder = newFolder({
      'in.txt': `${lines.join('\n')}\n`,
      'job.ts': jobOf(
        'map(line, emit) { emit(line.slice(0, 8), 1); if (line.startsWith("bad")) throw new Error(line); }',
      ),
    });
    const counters = await runBothWays(folder, [
      ...['job.ts', 'in.txt', '-m', '3', '-r', '3'],
      ...['--skip-bad-records', '--slowstart', '0'],
    ]);
    expect(counters).toMatchObject({ 'map.records.in': 297, 'map.records.skipped': 3 });
    expect(linesOf(folder).join('\n')).not.toContain('bad');
  });

  it('is without the lines of NDJSON that are no JSON, when that is asked for', async () => {
    const folder = newFolder({
      'in.ndjson': '{"name":"a"}\n{bad\n{"name":"c"}\n',
      'job.ts': jobOf("inputFormat: 'ndjson', map(record: any, emit) { emit(record.name, 1); }"),
    });
    const counters = await runBothWays(folder, ['job.ts', 'in.ndjson', '-r', '1', '--skip-bad-records']);
    expect(counters).toMatchObject({ 'map.records.in': 2, 'map.records.skipped': 1 });
    expect(linesOf(folder)).toEqual(['a 1', 'c 1']);
  });

  it('spills under a tiny budget, says how often, and gives the same bytes', async () => {
    const many = Array.from(
      { length: 30_000 },
      (_, index) => `k${index.toString(36).replace(/\d/g, 'z')} `,
    ).join('\n');
    const folder = newFolder({ 'in.txt': many });
    const counters = await runBothWays(folder, [
      'word-count',
      'in.txt',
      '-m',
      '3',
      '-r',
      '2',
      '--budget',
      '64KiB',
    ]);
    expect(counters['map.spills']).toBeGreaterThan(10);
    expect(linesOf(folder)).toEqual(asLines(countWords([Buffer.from(many)])));
    const roomy = await succeed(
      ['run', 'word-count', 'in.txt', '-m', '3', '-r', '2', '-o', 'roomy', '--json'],
      {
        cwd: folder,
      },
    );
    expect(JSON.parse(roomy.out).counters).not.toHaveProperty('map.spills');
    expect(partsOf(folder, 'roomy')).toEqual(partsOf(folder));
  });
});

describe('standard input and output', () => {
  it('go through grep with a parameter, and nothing else is on stdout', async () => {
    const folder = newFolder();
    const stdin = 'one Error\nfine\nanother error here\none Error\r\n';
    const args = [
      'run',
      'grep',
      '-',
      '-o',
      '-',
      '-r',
      '1',
      '--param',
      'pattern=error',
      '--param',
      'ignoreCase=true',
    ];
    const ended = await succeed(args, { cwd: folder, stdin });
    expect(ended.out).toBe('another error here 1\none Error 2\n');
    const sequential = await succeed([...args, '--sequential'], { cwd: folder, stdin });
    expect(sequential.out).toBe(ended.out);
    expect(readdirSync(folder)).toEqual(['.rehearse']);
    for (const run of runsOf(folder))
      expect(readdirSync(run), 'what was spooled is gone').not.toContain('stdin');
  });
});

describe('inverted-index', () => {
  it('names the files of each word', async () => {
    const texts: Record<string, string> = { 'b.txt': 'tea milk\ntea\n', 'a.txt': 'milk', 'c,d.txt': 'tea' };
    const folder = newFolder(texts);
    await runBothWays(folder, ['inverted-index', '*.txt', '-m', '3', '-r', '2']);
    expect(linesOf(folder)).toEqual(['milk 2 a.txt,b.txt', 'tea 2 b.txt,c,d.txt']);
  });
});

describe('a job of one’s own, in a folder that knows nothing of us', () => {
  it('may emit any string as a key', async () => {
    const long = 'x'.repeat(2 ** 20);
    const keys = [
      '__proto__',
      'constructor',
      '',
      ' ',
      '\t',
      'a\tb',
      'line\nbreak',
      '\r',
      '\\n',
      'é',
      '𝔘',
      `${long}1`,
      `${long}2`,
    ];
    const lines = [...keys, ...keys, 'once'].map((key) => JSON.stringify(key));
    const folder = newFolder({
      'in.ndjson': lines.join('\n'),
      'job.ts': jobOf('map(line, emit) { emit(JSON.parse(line), 1); }'),
    });
    await runBothWays(folder, ['job.ts', 'in.ndjson', '-m', '4', '-r', '20']);
    const expected = new Map<string, number>([...keys.map((key) => [key, 2] as const), ['once', 1]]);
    expect(linesOf(folder)).toEqual(asLines(expected));
  });

  it('may yield, wait, use a module beside it, and take parameters and random numbers', async () => {
    const folder = newFolder({
      'in.txt': Array.from({ length: 50 }, (_, index) => `line ${index % 7}`).join('\n'),
      'words.ts': 'export const wordsOf = (line: string): string[] => line.split(" ");\n',
      'yields.ts': jobOf(
        '*map(line, ctx) { for (const word of wordsOf(line)) yield [word + ctx.params.tail, 1] as [string, number]; }',
        'sum',
        "import { wordsOf } from './words.js';",
      ),
      'waits.mjs': jobOf(
        'async map(line, emit) { for (const word of line.split(" ")) { await new Promise(setImmediate); emit(word + emit.params.tail, 1); } }',
      ),
      'random.ts': jobOf('map(line, emit) { emit(String(emit.random()), 1); }'),
    });
    const expected = asLines(
      new Map([
        ['line!', 50],
        ...Array.from({ length: 7 }, (_, index) => [`${index}!`, index === 0 ? 8 : 7] as const),
      ]),
    );
    for (const job of ['yields.ts', 'waits.mjs']) {
      await runBothWays(folder, [job, 'in.txt', '-m', '4', '-r', '3', '--param', 'tail=!', '--overwrite']);
      expect(linesOf(folder), job).toEqual(expected);
    }
    await runBothWays(folder, ['random.ts', 'in.txt', '-m', '4', '-r', '3', '--overwrite']);
    const drawn = linesOf(folder);
    expect(drawn).toHaveLength(50);
    await runBothWays(folder, [
      'random.ts',
      'in.txt',
      '-m',
      '4',
      '-r',
      '3',
      '--overwrite',
      '--seed',
      'other',
    ]);
    expect(linesOf(folder)).not.toEqual(drawn);
  });
});

describe('an output', () => {
  it('is replaced as a whole with --overwrite only, and a second run never collides', async () => {
    const folder = newFolder({ 'in.txt': 'a b', 'other.txt': 'c' });
    await succeed(['run', 'word-count', 'in.txt', '-o', 'out', '-r', '3'], { cwd: folder });
    const refused = await rehearse(['run', 'word-count', 'other.txt', '-o', 'out'], { cwd: folder });
    expect(refused.code).toBe(2);
    expect(linesOf(folder)).toEqual(['a 1', 'b 1']);
    const again = ['run', 'word-count', 'other.txt', '-o', 'out', '-r', '1', '--overwrite'];
    await succeed(again, { cwd: folder });
    expect(partsOf(folder)).toEqual({ 'part-00000': 'c 1\n' });
    await Promise.all([1, 2].map(() => succeed(['run', 'word-count', 'in.txt'], { cwd: folder })));
    expectTidy(folder);
  });
});

describe('without the address space that WebAssembly reserves', () => {
  const narrow = { before: 'ulimit -v 6000000' };

  it.each([
    ['words', ['word-count'], 'two one two\n'],
    [
      'JSON grouped',
      ['log-statistics', '--param', 'format=ndjson', '--param', 'value=ms'],
      '{"host":"a","ms":1}\n{"host":"b","ms":2}\n{"host":"a","ms":3}\n',
    ],
  ])('%s give the same answer', async (_, job, text) => {
    const folder = newFolder({ 'in.txt': text });
    const run = (output: string, options = {}): Promise<unknown> =>
      succeed(['run', ...job, 'in.txt', '-o', output, '-w', '1', '-r', '2'], { cwd: folder, ...options });
    await run('wide');
    await run('narrow', narrow);
    expect(partsOf(folder, 'narrow')).toEqual(partsOf(folder, 'wide'));
    expect(linesOf(folder, 'wide')).toHaveLength(2);
  });
});

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { count, max, min, sum } from '../../../jobs/aggregates.js';
import { validateJob } from '../../../jobs/define.js';
import type { BytesContext, Emit, EmitBytes, Job, MapEmit, WordContext } from '../../../jobs/types.js';
import { runMapAttempt } from '../../../runtime/data/map-attempt.js';
import { runReduceAttempt } from '../../../runtime/data/reduce-attempt.js';
import { SegmentReader } from '../../../runtime/data/segments/reader.js';
import { filesOf, inAttempts, plainly, shapes } from './both-ways.js';
import { temporaryDirectory } from './temporary.js';

const split = (names: string): string[] => names.split(',');
/** Adds to the first value that it is given, if that is a list. */
function sumOfFirsts(values: Iterable<unknown>): unknown {
  const [first, ...others] = values;
  if (typeof first === 'number') return others.reduce((total: number, one) => total + (one as number), first);
  const list = first as number[];
  for (const other of others as number[][]) list[0]! += other[0]!;
  return list;
}
/** Reads its values more than once, and by index, and changes them: they are an array of its own. Never throws. */
function sumByAllMeans(_key: string, values: Iterable<number>): number {
  const list = values as number[];
  const byIndex = Array.from({ length: list.length }, (_, index) => list[index]!);
  const readings = [[...values], [...values], byIndex].map((all) => all.reduce((a, b) => a + b, 0));
  list.length = 0;
  return Math.min(...readings);
}
const splitWords = (line: string): string[] => line.split(/[ ,]/);
/** How many UTF-16 units a piece of UTF-8 is of. */
function characters(lines: Uint8Array, from: number, to: number): number {
  let units = 0;
  for (const byte of lines.subarray(from, to)) {
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}

/** One job or more for each lane of map and reduce, and for each way from one to another. */
const jobs: readonly Job[] = [
  { name: 'letters', words: 'letters', combine: sum, reduce: sum },
  { name: 'whitespace', words: 'whitespace', combine: sum, reduce: sum, outputFormat: 'tsv' },
  { name: 'distinct letters', words: 'letters', combine: max, reduce: min },
  {
    name: 'lower case',
    words: 'letters',
    map: (word: string, emit: Emit) => emit(word.toLowerCase(), word.length),
    combine: sum,
    reduce: sum,
  },
  {
    name: 'greatest of words',
    words: 'whitespace',
    map(word: string, emit: Emit) {
      emit(word.slice(0, 1), word.length / 4);
      emit('all', -word.length);
    },
    combine: max,
    reduce: max,
  },
  {
    name: 'inputs of words',
    words: 'letters',
    map: (word: string, emit: Emit<string, string>, ctx: WordContext) => emit(word, ctx.input.name),
    combine: (_key: string, values: Iterable<string>) => [...new Set([...values].flatMap(split))].join(),
    reduce: (_key: string, values: Iterable<string>) => [...new Set([...values].flatMap(split))].join(),
  },
  {
    name: 'lengths of words, with a combiner of its own',
    words: 'whitespace',
    map(word: string, emit: Emit, ctx: WordContext) {
      if (word.length !== 2) emit(word, word.length + ctx.input.name.length);
    },
    combine: (_key: string, values: Iterable<number>) => [...values].reduce((a, b) => a + b),
    reduce: (_key: string, values: Iterable<number>) => [...values].reduce((a, b) => a + b),
  },
  {
    name: 'a combiner that reads its values more than once',
    words: 'letters',
    map: (word: string, emit: Emit) => emit(word, word.length),
    combine: sumByAllMeans,
    reduce: sum,
  },
  {
    name: 'a combiner that reads its values more than once, of lines',
    map(line: string, emit: Emit) {
      for (const word of splitWords(line)) emit(word, word.length);
    },
    combine: sumByAllMeans,
    reduce: sum,
  },
  {
    name: 'other keys than the word',
    words: 'letters',
    map: (word: string, emit: Emit<string, string>) => emit(word.slice(0, 1), word),
    combine: (_key: string, values: Iterable<string>) => [...values].join('+'),
    reduce: (_key: string, values: Iterable<string>) => [...values].join('+'),
  },
  {
    name: 'two values of a word',
    words: 'letters',
    map(word: string, emit: Emit<string, string>) {
      emit(word, '1');
      emit(word, '2');
    },
    combine: (_key: string, values: Iterable<string>) => [...values].join('+'),
    reduce: (_key: string, values: Iterable<string>) => [...values].join('+'),
  },
  {
    name: 'fractions and lists of words',
    words: 'letters',
    map: (word: string, emit: Emit<string, unknown>) => emit(word, word < 'b' ? 0.1 : [word.length]),
    combine: (_key: string, values: Iterable<unknown>) => sumOfFirsts(values),
    reduce: (_key: string, values: Iterable<unknown>) => sumOfFirsts(values),
  },
  {
    name: 'numbers by the input',
    words: 'letters',
    map: (word: string, emit: Emit, ctx: WordContext) => emit(word.slice(0, 1), ctx.input.name.length),
    combine: sum,
    reduce: sum,
  },
  {
    name: 'fractions of words',
    words: 'whitespace',
    map: (word: string, emit: Emit) => emit(word.slice(0, 1), 1 / (1 + word.length)),
    combine: sum,
    reduce: sum,
  },
  {
    name: 'bytes',
    map(line: string, emit: MapEmit) {
      for (const word of splitWords(line)) emit(word, word === 'b' ? -2.5 : word.length === 1 ? 40 : 1);
      emit.count(`read of ${emit.input.name}`);
    },
    mapBytes(lines: Uint8Array, emit: EmitBytes, { count, input }: BytesContext) {
      for (let at = 0, from = 0; at < lines.length; at++) {
        const byte = lines[at]!;
        if (byte === 10) count(`read of ${input.name}`);
        if (byte !== 10 && byte !== 32 && byte !== 44) continue;
        const isOne = characters(lines, from, at) === 1;
        emit(from, at, at - from === 1 && lines[from] === 98 ? -2.5 : isOne ? 40 : 1);
        from = at + 1;
      }
    },
    combine: sum,
    reduce: sum,
  },
  {
    name: 'the longest of bytes, which fail at some',
    map(line: string, emit: Emit) {
      emit(line, line.length);
    },
    mapBytes(lines: Uint8Array, emit: EmitBytes) {
      for (let from = 0; from < lines.length; ) {
        const end = lines.indexOf(10, from);
        if (lines.subarray(from, end).some((byte) => byte > 0x7f)) throw new Error('not in ASCII');
        emit(from, end, end - from);
        from = end + 1;
      }
    },
    combine: max,
    reduce: max,
  },
  {
    name: 'bytes that are no whole characters',
    map(line: string, emit: Emit) {
      if (line !== '') emit(line.slice(0, 1), 1);
    },
    mapBytes(lines: Uint8Array, emit: EmitBytes) {
      for (let from = 0; from < lines.length; from = lines.indexOf(10, from) + 1) {
        if (lines[from] !== 10) emit(from, from + 1, 1);
      }
    },
    combine: sum,
    reduce: (key: string, values: Iterable<number>) => `${key}:${[...values].join('+')}`,
  },
  {
    name: 'fractions',
    map(line: string, emit: Emit) {
      for (const word of splitWords(line)) emit(word.slice(0, 2), word.length / 3 - 1.1);
    },
    combine: sum,
    reduce: sum,
  },
  {
    name: 'extremes',
    map(line: string, emit: Emit) {
      for (const word of splitWords(line)) emit(word, emit.length - word.length * 0.25);
    },
    combine: min,
    reduce: min,
  },
  {
    name: 'overflow',
    map(line: string, emit: Emit) {
      for (const word of splitWords(line)) emit(word.slice(0, 1), word.length % 2 === 0 ? 2 ** 53 - 1 : -3);
    },
    combine: sum,
    reduce: max,
  },
  {
    name: 'counted without combining',
    map(line: string, emit: Emit<string, unknown>) {
      for (const word of splitWords(line)) emit(word, { word });
    },
    reduce: count,
  },
  {
    name: 'now and then a string',
    map(line: string, emit: Emit<string, unknown>) {
      for (const word of splitWords(line)) emit(word, word === 'b' ? 'text' : 1);
    },
    combine: sum,
    reduce: sum,
  },
  {
    name: 'order of values',
    map(line: string, emit: MapEmit<string, string>) {
      for (const word of splitWords(line)) emit(word, `${emit.input.name}:${emit.input.offset}`);
    },
    reduce: (_key: string, values: Iterable<string>) => [...values].join(','),
  },
  {
    name: 'asynchronous',
    async map(line: string, emit: MapEmit) {
      await null;
      emit(line, line.length);
      emit.count('lines');
    },
    combine: sum,
    async *reduce(key: string, values: Iterable<number>) {
      for (const value of values) yield { key, value };
    },
  },
  {
    name: 'own reduce',
    map(line: string, emit: Emit) {
      for (const word of splitWords(line)) emit(word, 1);
    },
    combine: sum,
    reduce: (key: string, values: Iterable<number>) => `${key}:${[...values].join('+')}`,
  },
].map((job) => validateJob(job));

const word = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a', 'b', 'C', 'é', 'été', 'Æsir', '漢字', '\u{1f600}', "don't", ''),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 0, max: 500 }).map((index) => `word${'x'.repeat(index % 20)}${index}`),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  // About as many bytes as one byte of a length can say, of two and three bytes a letter.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('я', '漢'), fc.integer({ min: 40, max: 66 }))
      .map(([letter, length]) => letter.repeat(length)),
  },
);
const gap = fc.constantFrom(' ', ' ', ',', '\t', '\u00a0', '\u3000', '\r', '\0', '\\');
const text = fc
  .array(fc.tuple(fc.array(fc.tuple(word, gap), { maxLength: 12 }), fc.constantFrom('\n', '\n', '\r\n')), {
    maxLength: 40,
  })
  .map((lines) => lines.map(([line, end]) => line.flat().join('') + end).join(''));
/** As text, but here and there a byte that UTF-8 does not have. */
const bytes = fc
  .tuple(text, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0x80, max: 0xff }))))
  .map(([one, broken]) => {
    const all = Buffer.from(one);
    for (const [at, byte] of broken) if (all.length > 0) all[at % all.length] = byte;
    return all;
  });
const content = fc
  .tuple(
    fc.constantFrom('', '\ufeff'),
    fc.oneof(
      text.map((one) => Buffer.from(one)),
      bytes,
    ),
  )
  .map(([mark, one]) => Buffer.concat([Buffer.from(mark), one]));
// Each attempt that gives mapBytes up says so in its log, which is standard error here.
beforeAll(() => void vi.spyOn(process.stderr, 'write').mockReturnValue(true));

describe('every lane', () => {
  it.each(jobs)('gives the bytes and the counters of the plain path: $name', async (job) => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 3 }), shapes, async (contents, shape) => {
        const directory = temporaryDirectory();
        const files = await filesOf(directory, contents);
        const { parts, counters } = await plainly(job, files, shape);
        expect(await inAttempts(directory, job, files, shape)).toEqual({ parts, counters });
        rmSync(directory, { recursive: true });
      }),
      { numRuns: 60 },
    );
  });

  it.each(jobs.slice(0, 2))('takes words of any length, and chunks without an end: $name', async (job) => {
    const directory = temporaryDirectory();
    const contents = [
      Buffer.from(`${'long'.repeat(300_000)} a ${'é'.repeat(100_000)}. b`),
      Buffer.from('x'),
      Buffer.from(`${'word '.repeat(200_000)}\xff`, 'latin1'),
      Buffer.from('漢字。'.repeat(200_000)),
      ...[65_535, 65_536, 65_537, 200_000, 300_000].map((length) => Buffer.from(`${'w'.repeat(length)} v`)),
    ];
    const files = await filesOf(directory, contents);
    for (const targetMaps of [1, 7]) {
      const shape = { targetMaps, reduces: 2, budgetBytes: 1 << 20, fanIn: 64 };
      const { parts, counters } = await plainly(job, files, shape);
      expect(await inAttempts(directory, job, files, shape)).toEqual({ parts, counters });
    }
  });

  it('combines the values of a word in their order and a few thousand at a time, however often it occurs', async () => {
    const directory = temporaryDirectory();
    const files = await filesOf(directory, [Buffer.from('often '.repeat(100_000))]);
    let longest = 0;
    const job = validateJob({
      name: 'joined',
      words: 'letters',
      map: (word: string, emit: Emit<string, string>) => emit(word, 'v'),
      combine(_key: string, values: Iterable<string>) {
        const all = values as string[];
        longest = Math.max(longest, all.length);
        return all.join('+');
      },
      reduce: (_key: string, values: Iterable<string>) => [...values].join('+'),
    });
    const shape = { targetMaps: 1, reduces: 1, budgetBytes: 1e8, fanIn: 2 };
    const { parts } = await inAttempts(directory, job, files, shape);
    expect(parts).toEqual([`often ${Array(100_000).fill('v').join('+')}\n`]);
    expect(longest).toBeLessThan(10_000);
  });

  it('sorts what maps left unsorted when all their keys exceed the budget', async () => {
    const job = jobs[0]!;
    const directory = temporaryDirectory();
    const line = (map: number): string =>
      [9, 2, 7, 1, 8].map((key) => `${'xyz'[map]}${'w'.repeat(key)} w${'v'.repeat(key)} `).join('');
    const files = await filesOf(
      directory,
      [0, 1, 2].map((map) => Buffer.from(`${line(map)}\n`)),
    );
    // Ten keys of 168 bytes and more fit, and twenty do not.
    const shape = { targetMaps: 3, reduces: 1, budgetBytes: 2500, fanIn: 2 };
    const { parts, counters } = await plainly(job, files, shape);
    const made = await inAttempts(directory, job, files, shape);
    expect(made).toEqual({ parts, counters });
    const maps = readdirSync(join(directory, 'maps')).map(
      (name) => new SegmentReader(join(directory, 'maps', name)),
    );
    expect(maps.map((map) => map.sorted)).toContain(false);
    for (const map of maps) map.close();
  });

  it('takes values that no window of the kernel holds, and keys with very many values', async () => {
    const directory = temporaryDirectory();
    const files = await filesOf(directory, [
      Buffer.from('2 300000 7 300000\n'),
      Buffer.from(''),
      Buffer.from('5 1\n'),
    ]);
    const lengths: Job = {
      name: 'lengths',
      map(line: string, emit: Emit<string, string>) {
        for (const length of splitWords(line)) {
          emit(length, 'v'.repeat(Number(length)));
          for (let index = 0; index < 30_000; index++) emit('all', `${length} "${index}"`);
        }
      },
      reduce(_key: string, values: Iterable<string>) {
        let all = 0;
        for (const value of values) all = (all * 31 + value.length + (value.codePointAt(3) ?? 0)) % 1_000_003;
        return all;
      },
    };
    const job = validateJob(lengths);
    for (const budgetBytes of [1e5, 1e8]) {
      const shape = { targetMaps: 2, reduces: 2, budgetBytes, fanIn: 3 };
      const { parts, counters } = await plainly(job, files, shape);
      expect(await inAttempts(directory, job, files, shape)).toEqual({ parts, counters });
    }
  });

  it('shows nothing of a damaged segment to user code', async () => {
    const directory = temporaryDirectory();
    const [file] = await filesOf(directory, [Buffer.from('w'.repeat(20).concat('\n').repeat(60_000))]);
    let seen = 0;
    const job = validateJob({
      name: 'seeing',
      map: (line: string, emit: Emit<string, string>) => emit(line, line),
      reduce: (_key: string, values: Iterable<string>) => {
        for (const _ of values) seen++;
      },
    });
    const setting = {
      job,
      budgetBytes: 1e8,
      context: { task: '', params: {}, seed: '' },
      kernelFromBytes: 0,
    };
    const target = join(directory, 'map');
    const ranges = [{ file: 0, start: 0, end: file!.sizeBytes }];
    const privateDirectory = join(directory, 'private');
    await runMapAttempt({ ...setting, files: [file!], ranges, reduces: 1, privateDirectory, target });
    const damaged = readFileSync(target);
    damaged[damaged.length - 1000]! ^= 1;
    writeFileSync(target, damaged);
    const sources = [{ task: 0, path: target }];
    const part = { partition: 0, sources, privateDirectory, target: join(directory, 'part') };
    await expect(runReduceAttempt({ ...setting, ...part })).rejects.toMatchObject({ name: 'SourceError' });
    expect(seen).toBe(0);
  });

  it('of bytes asks mapBytes, and takes keys and lines of any length', async () => {
    let asked = 0;
    const job = validateJob({
      ...jobs.find(({ name }) => name === 'bytes'),
      mapBytes: (...given: Parameters<NonNullable<Job['mapBytes']>>) => {
        asked++;
        jobs.find(({ name }) => name === 'bytes')!.mapBytes!(...given);
      },
    });
    const long = [127, 128, 20_000, 65_535, 65_536, 65_537, 700_000].map((length) => 'w'.repeat(length));
    for (const [index, contents] of [
      ['a b\r\nb\r'],
      ['a\n'.repeat(300_000)],
      ...long.map((one) => [`${one} v\n`]),
    ].entries()) {
      const directory = temporaryDirectory();
      const files = await filesOf(
        directory,
        contents.map((one) => Buffer.from(one)),
      );
      const shape = { targetMaps: 2, reduces: 2, budgetBytes: 1 << 20, fanIn: 64 };
      const { parts, counters } = await plainly(job, files, shape);
      expect(await inAttempts(directory, job, files, shape), `${index}`).toEqual({ parts, counters });
    }
    expect(asked).toBeGreaterThan(8);
  });

  it('of words names the line where map threw', async () => {
    const directory = temporaryDirectory();
    const files = await filesOf(directory, [Buffer.from('one two\nthree two\n')]);
    const map = (word: string): void => {
      if (word === 'three') throw new Error('no threes');
    };
    const job = validateJob({ name: 'throwing', words: 'letters', map, combine: sum, reduce: sum });
    const attempt = inAttempts(directory, job, files, {
      targetMaps: 1,
      reduces: 1,
      budgetBytes: 1e6,
      fanIn: 2,
    });
    await expect(attempt).rejects.toMatchObject({
      name: 'UserCodeError',
      message: 'no threes',
      site: { input: 'in/0.txt', offset: 8 },
    });
  });
});

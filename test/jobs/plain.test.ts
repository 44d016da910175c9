import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordCount } from '../../jobs/builtin/word-count.js';
import { defineJob, type Emit, sum } from '../../jobs/index.js';
import { partitionOf } from '../../jobs/murmur3.js';
import { addCounters, type PlainOutput, type PlainRecord, runPlain } from '../../jobs/plain.js';
import type { Job } from '../../jobs/types.js';

const options = { reduces: 2, budgetBytes: 1e9, params: {}, seed: '7' };

function split(lines: readonly string[], input = 'in.txt'): PlainRecord[] {
  return lines.map((line, offset) => ({ record: line, offset, input }));
}

function run(
  job: Job,
  splits: readonly (readonly string[])[],
  more: Partial<typeof options> = {},
): PlainOutput {
  return runPlain({ job, splits: splits.map((lines) => split(lines)), ...options, ...more }) as PlainOutput;
}

const line = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'É', '中', '𝒜', ' ', '1', '-', '\t') });
const splits = fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 5 });
const reduces = fc.integer({ min: 1, max: 5 });
const budgetBytes = fc.integer({ min: 1, max: 2000 });

/** Word counts character by character, without any of the code under test. */
function countNaively(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of lines) {
    let word = '';
    for (const character of [...text, ' ']) {
      if (character.toLowerCase() !== character.toUpperCase() || /[中𝒜]/u.test(character)) word += character;
      else if (word !== '') {
        counts.set(word, (counts.get(word) ?? 0) + 1);
        word = '';
      }
    }
  }
  return counts;
}

describe('the plain path', () => {
  test('counts words as a naive program does, for any text, splits, reduces and budget', () => {
    fc.assert(
      fc.property(splits, reduces, budgetBytes, (texts, reduces, budgetBytes) => {
        const { parts } = run(wordCount.job, texts, { reduces, budgetBytes });
        const expected = [...countNaively(texts.flat())]
          .map(([word, amount]) => ({ word, text: `${word} ${amount}\n` }))
          .sort((a, b) => Buffer.compare(Buffer.from(a.word), Buffer.from(b.word)));
        const inPart = (part: number) => expected.filter(({ word }) => partitionOf(word, reduces) === part);
        expect(parts).toEqual(
          parts.map((_, part) =>
            inPart(part)
              .map(({ text }) => text)
              .join(''),
          ),
        );
        expect(parts).toHaveLength(reduces);
      }),
      { numRuns: 500 },
    );
  });

  test('hands values to reduce in (map, emission) order, for any budget', () => {
    const job = defineJob({
      name: 'order',
      map(text, emit: Emit<string, string>) {
        for (const character of text) emit(character, text);
      },
      reduce: (_key, values) => [...values].join('|'),
    });
    fc.assert(
      fc.property(splits, budgetBytes, (texts, budgetBytes) => {
        const expected = new Map<string, string[]>();
        for (const text of texts.flat())
          for (const c of text) expected.set(c, [...(expected.get(c) ?? []), text]);
        const { parts } = run(job, texts, { reduces: 1, budgetBytes });
        const lines = parts[0]!.split('\n').slice(0, -1);
        expect(lines).toHaveLength(expected.size);
        for (const [c, values] of expected) {
          const escaped = `${c} ${values.join('|')}`.replaceAll('\t', '\\t');
          expect(lines).toContain(escaped);
        }
      }),
    );
  });

  test('follows the plan of combining exactly, also where the grouping shows', () => {
    const grouping = defineJob({
      name: 'grouping',
      map: (text, emit: Emit<string, string>) => emit(text, text),
      combine: (_key, values) => `(${[...values].join('')})`,
      reduce: (_key, values) => [...values].join('+'),
    });
    // Each key counts 242 bytes and each value 18 or more: with a third of a budget of 783, every second 'a' cuts a run.
    expect(run(grouping, [['a', 'a', 'a']], { reduces: 1, budgetBytes: 783 }).parts).toEqual(['a ((aa)a)\n']);
    expect(run(grouping, [['a', 'a', 'a']], { reduces: 1 }).parts).toEqual(['a (aaa)\n']);
    expect(run(grouping, [['a', 'a'], ['a']], { reduces: 1 }).parts).toEqual(['a (aa)+a\n']);
  });

  test('gives the same with asynchronous code and asynchronous splits', async () => {
    const texts = [['b a', 'a'], [], ['c a']];
    const expected = run(wordCount.job, texts);
    const job: Job = {
      ...wordCount.job,
      words: undefined,
      async map(text: string, emit: Emit) {
        await null;
        for (const word of text.split(' ')) emit(word, 1);
      },
      reduce: async (_key: string, values: Iterable<number>) => sum('', values),
    };
    const asynchronous = runPlain({ job, splits: texts.map((lines) => split(lines)), ...options });
    expect(asynchronous).toBeInstanceOf(Promise);
    expect(await asynchronous).toEqual(expected);
    async function* batches(lines: readonly string[]): AsyncGenerator<PlainRecord[]> {
      for (const text of lines) yield split([text]);
    }
    async function* all(): AsyncGenerator<AsyncGenerator<PlainRecord[]>> {
      for (const lines of texts) yield batches(lines);
    }
    expect(await runPlain({ job: wordCount.job, splits: all(), ...options })).toEqual(expected);
  });

  test('adds up the counters of all tasks', () => {
    const { counters } = run(wordCount.job, [['a b a'], ['a']]);
    expect(counters).toEqual([
      ['map.records.in', 2],
      ['map.records.out', 4],
      ['reduce.groups.in', 2],
      ['reduce.records.in', 3],
      ['reduce.records.out', 2],
    ]);
    expect(
      addCounters([
        [['x', 1]],
        [
          ['x', 2],
          ['__proto__', 4],
        ],
      ]),
    ).toEqual([
      ['__proto__', 4],
      ['x', 3],
    ]);
  });

  test('names its tasks, so that random numbers are those of a distributed run', () => {
    const job = defineJob({
      name: 'draws',
      map: (_text, emit: Emit<string, string>, ctx) => emit('k', `${ctx.task} ${ctx.random()}`),
      reduce: (_key, values, ctx) => `${[...values].join()} ${ctx.task} ${ctx.random()}`,
    });
    const draws = (seed: string): string => run(job, [['x'], ['x']], { reduces: 1, seed }).parts[0]!;
    expect(draws('7')).toMatch(/^k map-0 0\.\d+,map-1 0\.\d+ reduce-0 0\.\d+\n$/);
    expect(draws('7')).toBe(draws('7'));
    expect(draws('7')).not.toBe(draws('8'));
  });

  test('makes empty parts of no input', () => {
    expect(run(wordCount.job, []).parts).toEqual(['', '']);
  });

  test('lets what the job throws through', async () => {
    const mistake = new Error('mine');
    const throwing: Job = {
      ...wordCount.job,
      map: () => {
        throw mistake;
      },
    };
    expect(() => run(throwing, [['a']])).toThrow(mistake);
    const rejecting: Job = {
      ...wordCount.job,
      reduce: async () => {
        throw mistake;
      },
    };
    await expect(runPlain({ job: rejecting, splits: [split(['a'])], ...options })).rejects.toBe(mistake);
  });
});

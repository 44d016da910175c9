import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandJob, textsOf } from '../../../runtime/commands/command-job.js';
import { linesIn, piecesIn } from '../../../runtime/commands/printed-lines.js';

async function* chunksOf(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

async function linesOf(chunks: readonly string[], length = 1000): Promise<string[]> {
  const lines: string[] = [];
  const tooLong = (): Error => new Error('too long');
  for await (const some of linesIn(chunksOf(chunks), { length, tooLong })) lines.push(...some);
  return lines;
}

async function piecesOf(chunks: readonly string[], lengthMax = 1000): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of piecesIn(chunksOf(chunks), lengthMax)) pieces.push(piece);
  return pieces;
}

const chunks = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', ' '), maxLength: 8 }));

describe('lines that are printed', () => {
  it('are those of the whole text, however it comes', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (given) => {
        const text = given.join('');
        const lines = text.split('\n');
        if (lines.at(-1) === '') lines.pop();
        expect(await linesOf(given)).toEqual(lines);
      }),
    );
  });

  it('are refused where one is too long, also before it has come to its end', async () => {
    expect(await linesOf(['ab\nabc', 'de\n'], 5)).toEqual(['ab', 'abcde']);
    await expect(linesOf(['ab\nabc', 'def\n'], 5)).rejects.toThrow('too long');
    await expect(linesOf(['ab\nabc', 'def'], 5)).rejects.toThrow('too long');
  });

  it('of complaints end as terminals end them, and come in pieces where they never do', async () => {
    expect(await piecesOf(['10 %\r', '20 %\r\n', 'done\r', '\nlast\r'])).toEqual([
      '10 %',
      '20 %',
      'done',
      'last',
    ]);
    expect(await piecesOf(['x'.repeat(7), 'x', 'y\n'], 6)).toEqual(['x'.repeat(7), 'xy']);
  });
});

it('what is given to a program at once is bounded by its size as well', () => {
  const values = Array.from({ length: 5 }, (_, index) => [`k${index}`, 'x'.repeat(1 << 20)] as const);
  const given: number[] = [];
  const texts = [...textsOf('tsv', values, (records) => given.push(records))];
  expect(texts.map((text) => text.length)).toEqual(Array(5).fill((1 << 20) + 4));
  expect(given).toEqual([1, 1, 1, 1, 1, 0]);
});

it.each([
  ['tsv', '', [['', '']]],
  ['ndjson', ' ', []],
] as const)('an empty line of a mapper: %s', (io, line, pairs) => {
  const emitted: unknown[] = [];
  commandJob({ mapper: 'cat', io }).map!(
    line,
    ((...pair: unknown[]) => emitted.push(pair)) as never,
    {} as never,
  );
  expect(emitted).toEqual(pairs);
});

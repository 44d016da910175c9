import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur3 } from '../../jobs/murmur3.js';
import {
  type Kernel,
  type MergeOutput,
  NotForKernelError,
  operations,
  type WordKind,
  wordKinds,
} from '../../kernel/kernel.js';
import { PlainKernel } from '../../kernel/plain-kernel.js';
import { murmur3 as murmur3OfBytes, writeRecord } from '../../kernel/plain-records.js';
import { WasmKernel } from '../../kernel/wasm-kernel.js';

// One of each for all tests: what one use leaves behind must not matter to the next.
const compiled = new WasmKernel(readFileSync(new URL('../../dist/kernel/kernel.wasm', import.meta.url)));
const plain = new PlainKernel();

type Pair = readonly [key: string, value: number];

const letters = fc.constantFrom('a', 'b', 'Z', 'é', 'ß', '漢', 'ł', '\u{10400}', 'ﬀ');
const gaps = fc.constantFrom(
  ...[
    ' ',
    '\n',
    '\r\n',
    '\t',
    '.',
    '\u00a0',
    '\u2003',
    '\u3000',
    '\ufeff',
    '—',
    '\u{1f600}',
    '7',
    '\0',
    '\ufffd',
  ],
);
const word = fc.oneof(
  { weight: 6, arbitrary: fc.array(letters, { maxLength: 6 }).map((all) => all.join('')) },
  { weight: 2, arbitrary: fc.array(letters, { minLength: 8, maxLength: 40 }).map((all) => all.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }) },
);
const text = fc
  .array(fc.tuple(word, fc.array(gaps, { maxLength: 3 })), { maxLength: 400 })
  .map((all) => all.map(([one, gap]) => one + gap.join('')).join(''));

/** Keys that share beginnings, hold zeros, and are longer than what a slot holds. */
const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc
    .tuple(fc.constantFrom('', 'shared', 'a long shared beginning of', 'x\0'), fc.nat(99))
    .map((all) => all.join('')),
  fc.string({ unit: fc.constantFrom('\0', 'a'), maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('a', 'b', '\\', '\t'), minLength: 10, maxLength: 300 }),
);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0) },
);
const pairs = fc.array(fc.tuple(key, value), { maxLength: 600 });
const operation = fc.constantFrom(...operations);
const budgetBytes = fc.constantFrom(1, 500, 3000, 20_000, 1 << 20);
const partitions = fc.integer({ min: 1, max: 7 });

const byteKey = (of: string): string => Buffer.from(of).toString('latin1');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function encode(all: readonly Pair[]): Uint8Array {
  const bytes = new Uint8Array(all.reduce((sum, [one]) => sum + 3 * one.length + 40, 0));
  let end = 0;
  for (const [one, number] of all) end = writeRecord(bytes, end, byteKey(one), number)!;
  return bytes.subarray(0, end);
}

/** What can be seen of a kernel that takes all of `input` in, each time it is full and in the end. */
function whatComes(
  kernel: Kernel,
  input: Uint8Array,
  parts: number,
  take: (from: number, to: number) => { next: number; count: number },
): unknown[] {
  const seen: unknown[] = [];
  const cut = (): void => {
    kernel.encode();
    for (let partition = 0; partition < parts; partition++) {
      const { bytes, records } = kernel.encoded(partition);
      seen.push(records, hex(bytes));
    }
    kernel.arrange();
    for (let partition = 0; partition < parts; partition++) {
      const written = kernel.writeRecords(partition, 3);
      seen.push(written, hex(kernel.output.subarray(3, written.end)));
    }
    kernel.clear();
  };
  kernel.input.set(input);
  for (let at = 0; at < input.length; ) {
    const taken = take(at, input.length);
    seen.push(taken, kernel.keys, kernel.full);
    if (taken.next === at) break;
    at = taken.next;
    if (kernel.full) cut();
  }
  cut();
  return seen;
}

/** Runs both and compares; failing in the same way is the same as well. */
function expectSame<T>(run: (kernel: Kernel) => T): T | undefined {
  const outcome = (kernel: Kernel) => {
    try {
      return { result: run(kernel) };
    } catch (error) {
      if (error instanceof NotForKernelError) return { failed: true };
      throw error;
    }
  };
  const expected = outcome(plain);
  expect(outcome(compiled)).toEqual(expected);
  return expected.result;
}

describe('the compiled kernel does what the plain one does', () => {
  test('with words of any text', () => {
    fc.assert(
      fc.property(
        text,
        fc.constantFrom<WordKind>(...wordKinds),
        operation,
        budgetBytes,
        partitions,
        (one, kind, op, budget, parts) => {
          expectSame((kernel) => {
            kernel.open({ operation: op, budgetBytes: budget, partitions: parts });
            return whatComes(kernel, Buffer.from(one), parts, (from, to) =>
              kernel.countWords(kind, from, to),
            );
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('with every code point there is', () => {
    let all = '';
    for (let codePoint = 1; codePoint < 0x110000; codePoint++) {
      if (codePoint < 0xd800 || codePoint > 0xdfff) all += String.fromCodePoint(codePoint, 0x78, codePoint);
      if (all.length < 100_000 && codePoint < 0x10ffff) continue;
      const bytes = Buffer.from(`${all} `);
      all = '';
      for (const kind of wordKinds) {
        expectSame((kernel) => {
          kernel.open({ operation: 'sum', budgetBytes: 1 << 26, partitions: 1 });
          kernel.input.set(bytes);
          const { count } = kernel.countWords(kind, 0, bytes.length);
          return [count, kernel.keys, kernel.countLineFeeds(0, bytes.length)];
        });
      }
    }
  });

  test('with pairs of any keys and numbers', () => {
    fc.assert(
      fc.property(pairs, operation, budgetBytes, partitions, (all, op, budget, parts) => {
        expectSame((kernel) => {
          kernel.open({ operation: op, budgetBytes: budget, partitions: parts });
          return whatComes(kernel, encode(all), parts, (from, to) => kernel.readRecords(from, to));
        });
      }),
      { numRuns: 500 },
    );
  });

  test('with records that are cut short anywhere', () => {
    const bytes = encode([
      ['key', 1],
      ['a longer key, by far', 0.5],
      ['k'.repeat(200), 2 ** 53],
    ]);
    for (let length = 0; length <= bytes.length; length++) {
      expectSame((kernel) => {
        kernel.open({ operation: 'sum', budgetBytes: 1e6, partitions: 1 });
        kernel.input.set(bytes);
        return kernel.readRecords(0, length);
      });
    }
  });

  test('with the lines of an output', () => {
    fc.assert(
      fc.property(pairs, operation, fc.constantFrom(0x20, 0x09), (all, op, separator) => {
        expectSame((kernel) => {
          kernel.open({ operation: op, budgetBytes: 1e9, partitions: 1 });
          const bytes = encode(all);
          kernel.input.set(bytes);
          kernel.readRecords(0, bytes.length);
          kernel.sortLines();
          const end = kernel.writeLines(separator);
          const lines = Buffer.from(kernel.output.subarray(0, end)).toString();
          return [lines, kernel.writeLines(separator), kernel.keys > 0 && kernel.heaviest()];
        });
      }),
      { numRuns: 200 },
    );
  });

  test('with merges of any runs, through windows of any size', () => {
    const output = fc.constantFrom<MergeOutput>(
      { as: 'records', combined: true },
      { as: 'records', combined: false },
      { as: 'any records' },
      { as: 'lines', separator: 0x20 },
    );
    fc.assert(
      fc.property(
        fc.array(pairs, { minLength: 1, maxLength: 6 }),
        operation,
        output,
        fc.integer({ min: 950, max: 3000 }),
        (runs, op, as, windowBytes) => {
          const sorted = runs.map((run) => {
            const ordered = run.map(([one, number]) => [one, number] as const);
            return encode(ordered.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
          });
          expectSame((kernel) => mergeAll(kernel, sorted, op, as, windowBytes));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('with keys that agree in very many bytes, and with very many of one length', () => {
    const all: Pair[] = [];
    for (let index = 0; index < 3000; index++)
      all.push(['a'.repeat(index % 1500), 1], [`${'b'.repeat(100)}${index}`, 2]);
    const zeros: Pair[] = Array.from({ length: 700 }, (_, index) => [`z${'\0'.repeat(index)}`, index]);
    for (let index = 0; index < 30_000; index++) all.push([String((index * 7919) % 100_003), index]);
    const bytes = encode(all.slice(0, 1400));
    const many = encode(all.slice(6000));
    for (const input of [bytes, many, encode(zeros)]) {
      expectSame((kernel) => {
        kernel.open({ operation: 'sum', budgetBytes: 1e8, partitions: 3 });
        return whatComes(kernel, input, 3, (from, to) => kernel.readRecords(from, to));
      });
    }
  });

  test('with tables that grow while keys of any length come again', () => {
    const all = Array.from({ length: 20_000 }, (_, index): Pair => {
      const number = (index * 7919) % (index + 1);
      return [index % 3 === 0 ? `a longer key ${number}` : String(number), index + 0.5];
    });
    const bytes = encode(all);
    for (const op of operations) {
      expectSame((kernel) => {
        kernel.open({ operation: op, budgetBytes: 1e8, partitions: 1 });
        kernel.input.set(bytes);
        const taken = kernel.readRecords(0, bytes.length);
        kernel.sortLines();
        const lines = hex(kernel.output.subarray(0, kernel.writeLines(0x20)));
        return [taken, kernel.keys, lines, kernel.heaviest()];
      });
    }
  });
});

function mergeAll(
  kernel: Kernel,
  runs: readonly Uint8Array[],
  op: (typeof operations)[number],
  output: MergeOutput,
  windowBytes: number,
): unknown {
  kernel.openMerge({ operation: op, sources: runs.length, windowBytes });
  kernel.beginMerge(output);
  const done = runs.map(() => 0);
  const readOn = (source: number): void => {
    const run = runs[source]!;
    const room = kernel.room(source);
    const piece = run.subarray(done[source], done[source]! + room.length);
    room.set(piece);
    done[source]! += piece.length;
    kernel.filled(source, piece.length, done[source] === run.length);
  };
  for (const source of runs.keys()) readOn(source);
  let merged = '';
  for (;;) {
    const step = kernel.merge();
    if (step.wants === 'source') {
      readOn(step.source);
      continue;
    }
    merged += hex(kernel.merged());
    if (step.wants === 'nothing') return [merged, kernel.mergedCounts(), kernel.mergedHeaviest()];
  }
}

describe('a kernel', () => {
  test('partitions as the jobs do', () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(murmur3OfBytes(byteKey(one))).toBe(murmur3(one));
      }),
    );
  });

  test.each([compiled, plain])('refuses what is not a number, except to count it', (kernel) => {
    const json = Buffer.from([1, 0x6b, 4 * 4 + 1, ...Buffer.from('true')]);
    kernel.open({ operation: 'sum', budgetBytes: 1000, partitions: 1 });
    kernel.input.set(json);
    expect(() => kernel.readRecords(0, json.length)).toThrow(NotForKernelError);
    kernel.open({ operation: 'count', budgetBytes: 1000, partitions: 1 });
    kernel.input.set(json);
    expect(kernel.readRecords(0, json.length)).toEqual({ next: json.length, count: 1 });
  });

  test.each([compiled, plain])('refuses to write a sum beyond all numbers', (kernel) => {
    const bytes = encode([
      ['k', 1e308],
      ['k', 1e308],
    ]);
    kernel.open({ operation: 'sum', budgetBytes: 1000, partitions: 1 });
    kernel.input.set(bytes);
    kernel.readRecords(0, bytes.length);
    expect(() => kernel.encode()).toThrow(NotForKernelError);
    kernel.arrange();
    expect(() => kernel.writeRecords(0, 0)).toThrow(NotForKernelError);
  });

  test('does not take more memory than there is', () => {
    expect(() => compiled.open({ operation: 'sum', budgetBytes: 1e12, partitions: 1 })).toThrow(
      NotForKernelError,
    );
  });
});

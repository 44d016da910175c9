import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, columnsOf, keyedRow, parsed, type Row } from '../../jobs/grouping.js';
import { partitionOf } from '../../jobs/murmur3.js';
import { compareUtf8, utf8Length, wellFormed } from '../../jobs/utf8.js';
import { NotForKernelError } from '../../kernel/kernel.js';
import { RowKernel, type RowShape } from '../../kernel/row-kernel.js';
import { RecordBytes } from '../../runtime/data/record-bytes.js';
import { jsonLine, names } from '../jobs/json-lines.js';

// One for all tests: what one use leaves behind must not matter to the next.
const kernel = new RowKernel(readFileSync(new URL('../../dist/kernel/rows.wasm', import.meta.url)));
const statistics = columnsOf(['count', { sum: 'bytes' }, { min: 'bytes' }, { max: 'bytes' }]);
const shape: RowShape = { groupBy: 'host', columns: statistics, budgetBytes: 1 << 20, partitions: 1 };

interface Grouped {
  readonly runs: [key: string, row: Row][][];
  readonly lines: number;
  readonly left: number;
}

/** Keys and rows as the kernel and, for odd lines, its caller make them; a run each time it is full, and the last. */
function inKernel(text: Uint8Array, how: RowShape): Grouped & { readonly odd: number } {
  const { groupBy, columns, partitions } = how;
  kernel.open(how);
  kernel.input.set(text);
  const found = { runs: [] as [string, Row][][], lines: 0, left: 0, odd: 0 };
  const cut = (): void => {
    kernel.sort();
    const run: [string, Row][] = [];
    for (let partition = 0; partition < partitions; partition++) {
      for (let done = false; !done; ) {
        const written = kernel.writeRows(partition);
        const records = new RecordBytes(kernel.output.subarray(0, written.end));
        while (!records.exhausted) run.push([records.text(records.varint()), records.value() as Row]);
        done = written.done;
      }
    }
    found.runs.push(run);
    kernel.clear();
  };
  for (let at = 0; at < text.length; ) {
    const taken = kernel.groupLines(at, text.length);
    found.lines += taken.lines;
    found.left += taken.left;
    at = taken.next;
    if (kernel.full) cut();
    else if (taken.isOdd) {
      const end = text.indexOf(10, at);
      const keyed = keyedRow(parsed(Buffer.from(text.subarray(at, end)).toString()), groupBy, columns);
      found.lines++;
      found.odd++;
      if (keyed) kernel.addRow(Buffer.from(wellFormed(keyed[0])), keyed[1]);
      else found.left++;
      if (kernel.full) cut();
      at = end + 1;
    }
  }
  cut();
  return found;
}

const combine = {
  count: (a: number, b: number) => a + b,
  sum: (a: number, b: number) => a + b,
  min: Math.min,
  max: Math.max,
};

/** The same, line by line and with nothing but `JSON.parse`. */
function byHand(text: Uint8Array, { groupBy, columns, budgetBytes, partitions }: RowShape): Grouped {
  const runs: [string, Row][][] = [];
  let groups = new Map<string, Row>();
  let cost = 0;
  let left = 0;
  const cut = (): void => {
    const all = [...groups].sort(
      ([a], [b]) => partitionOf(a, partitions) - partitionOf(b, partitions) || compareUtf8(a, b),
    );
    runs.push(all);
    groups = new Map();
    cost = 0;
  };
  const lines = Buffer.from(text).toString().split('\n').slice(0, -1);
  for (const line of lines) {
    const keyed = keyedRow(parsed(line), groupBy, columns);
    if (keyed === undefined) {
      left++;
      continue;
    }
    const key = wellFormed(keyed[0]);
    const before = groups.get(key);
    if (before === undefined) cost += 160 + 2 * utf8Length(key) + 8 * columns.length;
    groups.set(key, before ? combined(columns, before, keyed[1]) : keyed[1]);
    if (cost >= budgetBytes) cut();
  }
  cut();
  return { runs, lines: lines.length, left };
}

function combined(columns: readonly Column[], a: Row, b: Row): Row {
  return columns.map(({ operation }, index) => combine[operation](a[index]!, b[index]!));
}

/** Mostly one that lines have as it should be. */
const fieldName = fc.oneof(
  { weight: 1, arbitrary: names },
  { weight: 2, arbitrary: fc.constantFrom('host', 'bytes') },
);
const aggregate = fc.oneof(
  fc.constant('count' as const),
  fc.record({ sum: fieldName }),
  fc.record({ min: fieldName }),
  fc.record({ max: fieldName }),
);

describe('the kernel of rows', () => {
  test('groups lines as JSON.parse would have them', () => {
    let odd = 0;
    let lines = 0;
    fc.assert(
      fc.property(
        fc.array(jsonLine, { maxLength: 60 }),
        fieldName,
        fc.array(aggregate, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 500, 3000, 1 << 20),
        fc.integer({ min: 1, max: 5 }),
        (all, groupBy, aggregates, budgetBytes, partitions) => {
          const text = Buffer.concat(all.flatMap((line) => [line, Buffer.from('\n')]));
          fc.pre(isUtf8(text));
          const how = { groupBy, columns: columnsOf(aggregates), budgetBytes, partitions };
          const { odd: given, ...found } = inKernel(text, how);
          odd += given;
          lines += found.lines;
          expect(found).toEqual(byHand(text, how));
        },
      ),
      { numRuns: 2000 },
    );
    // Otherwise the kernel might leave everything to its caller, or nothing.
    expect(odd).toBeGreaterThan(lines / 50);
    expect(odd).toBeLessThan(lines / 2);
  });

  test.each([
    ['a plain record', '{"host":"a","bytes":12,"path":"/x y"}'],
    ['white space', ' \t{ "host" : "a" , "bytes" : 12 }\r'],
    ['escapes in what is not asked for', '{"p":"\\"\\\\\\u12aF","host":"a","bytes":12}'],
    ['what is nested', '{"p":{"host":[1,{"bytes":[]},"}"]},"host":"a","bytes":12}'],
    ['a name that comes twice', '{"bytes":"x","host":"b","bytes":12,"host":"a"}'],
    ['a fraction', '{"host":"a","bytes":12.000}'],
  ])('takes %s itself', (_, line) => {
    expect(inKernel(Buffer.from(`${line}\n`), shape)).toEqual({
      runs: [[['a', [1, 12, 12, 12]]]],
      lines: 1,
      left: 0,
      odd: 0,
    });
  });

  test.each([
    ['a name spelt in escapes', '{"\\u0068ost":"a","bytes":1}'],
    ['a key with escapes', '{"host":"\\n","bytes":1}'],
    ['a key that is no text', '{"host":[],"bytes":1}'],
    ['a line that is cut short', '{"host":"a","bytes":1'],
    ['a comma too many', '{"host":"a","bytes":1,}'],
    ['a leading zero', '{"host":"a","bytes":01}'],
    ['a line feed in a string', '{"host":"a\tb","bytes":1}'],
    ['something behind it', '{"host":"a","bytes":1}}'],
    ['what is nested very deeply', `{"host":"a","bytes":1,"p":${'['.repeat(99)}${']'.repeat(99)}}`],
    ['an empty line', ''],
  ])('leaves %s to its caller', (_, line) => {
    expect(inKernel(Buffer.from(`${line}\n`), shape).odd).toBe(1);
  });

  test('says of a line that lacks something that it is left out', () => {
    const lines = [
      '{"host":"a"}',
      '{"bytes":1}',
      '{"host":"a","bytes":"1"}',
      '{}',
      '{"host":"a","bytes":1e999}',
    ];
    expect(inKernel(Buffer.from(`${lines.join('\n')}\n`), shape)).toEqual({
      runs: [[]],
      lines: 5,
      left: 5,
      odd: 0,
    });
  });

  test('gives numbers as JSON.parse does', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.maxSafeInteger()),
        (value) => {
          for (const text of [String(value), value.toExponential(), value.toFixed(17)]) {
            const { runs } = inKernel(Buffer.from(`{"host":"a","bytes":${text}}\n`), shape);
            const expected = JSON.parse(text) + 0;
            expect(runs).toEqual([[['a', [1, expected, expected, expected]]]]);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('reads the rows that it has written, whatever is cut off', () => {
    const record = (key: string, json: string): Buffer =>
      Buffer.concat([
        Buffer.from([key.length]),
        Buffer.from(key),
        Buffer.from([4 * json.length + 1]),
        Buffer.from(json),
      ]);
    const records = Buffer.concat([
      record('a', '[1,2.5,-1,9]'),
      record('', '[1,0,0,0]'),
      record('a', '[2,1e300,-4,7]'),
    ]);
    for (let length = 0; length <= records.length; length++) {
      kernel.open({ ...shape, columns: [...statistics, { operation: 'count' }] });
      kernel.input.set(records);
      const first = kernel.readRecords(0, length);
      const second = kernel.readRecords(first.next, records.length);
      expect(first.count + second.count).toBe(3);
      expect(second.next).toBe(records.length);
      kernel.sort();
      const { end } = kernel.writeRows(0);
      const written = Buffer.concat([record('', '[1,0,0,0,1]'), record('a', '[3,1e+300,-4,9,2]')]);
      expect(Buffer.from(kernel.output.subarray(0, end))).toEqual(written);
    }
  });

  test.each(['', '[]', '1', '[1', '[1,]', '[1,2,3,4,5]', '["1"]', '[1,2]]', '[1,02]', '{"a":1}'])(
    'refuses a record that holds no row: %s',
    (json) => {
      kernel.open(shape);
      kernel.input.set([1, 0x61, 4 * json.length + 1, ...Buffer.from(json), 1, 0x62, 4]);
      expect(() => kernel.readRecords(0, json.length + 3)).toThrow(NotForKernelError);
    },
  );

  test('refuses a key that is too long and a sum beyond all numbers', () => {
    const long = `{"host":"${'x'.repeat(70_000)}","bytes":1}\n`;
    expect(() => inKernel(Buffer.from(long), shape)).toThrow(NotForKernelError);
    const line = '{"host":"a","bytes":1e308}\n';
    expect(() => inKernel(Buffer.from(line + line), shape)).toThrow(NotForKernelError);
  });

  test('refuses more fields than it has room for', () => {
    const columns = columnsOf(Array.from({ length: 40 }, (_, index) => ({ sum: `field ${index}` })));
    expect(() => kernel.open({ ...shape, columns })).toThrow(NotForKernelError);
    expect(() => kernel.open({ ...shape, groupBy: 'x'.repeat(20_000) })).toThrow(NotForKernelError);
  });
});

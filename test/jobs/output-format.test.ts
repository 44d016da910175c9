import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatterOf, type OutputFormat, outputFormats } from '../../jobs/output-format.js';
import { ValueError } from '../../jobs/values.js';
import { unescapeText } from './unescape-text.js';

const text = fc.string({ unit: fc.constantFrom('a', ' ', '\\', '\t', '\n', '\r', '"', ',', '😀', 'é') });
const format = (name: OutputFormat, key: string, value: unknown): string => formatterOf(name)(key, value);

describe('the formats of the output', () => {
  test('of a record with a plain value', () => {
    const lines = outputFormats.map((name) => [name, format(name, 'a b', 3)]);
    expect(Object.fromEntries(lines)).toEqual({
      text: 'a b 3\n',
      tsv: 'a b\t3\n',
      ndjson: '{"key":"a b","value":3}\n',
      csv: 'a b,3\n',
      lines: '3\n',
    });
  });

  test('give each element of an array a cell of its own in TSV and CSV', () => {
    expect(format('tsv', 'k', [1, 'x\ty', { n: null }])).toBe('k\t1\tx\\ty\t{"n":null}\n');
    expect(format('csv', 'k', [1, 'x,y', { n: null }])).toBe('k,1,"x,y","{""n"":null}"\n');
  });

  test('lines are values as they are, and never more than one', () => {
    expect(format('lines', 'k', 'a\tb\\ c')).toBe('a\tb\\ c\n');
    expect(() => format('lines', 'k', 'a\nb')).toThrow(ValueError);
  });

  test('NDJSON gives back every key and value exactly', () => {
    fc.assert(
      fc.property(text, fc.jsonValue({ noUnicodeString: false }), (key, value) => {
        const line = format('ndjson', key, value);
        expect(line.slice(0, -1)).not.toContain('\n');
        expect(JSON.parse(line)).toEqual({ key, value: JSON.parse(JSON.stringify(value)) });
      }),
    );
    expect(() => format('ndjson', 'k', Number.NaN)).toThrow(ValueError);
  });

  test('CSV is read back by others, and every record of TSV is one line with its cells', () => {
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1 }), (key, value) => {
        expect(parse(format('csv', key, value), { relax_column_count: true })).toEqual(
          [key, ...value].every((cell) => cell === '') && value.length === 0 ? [] : [[key, ...value]],
        );
        const line = format('tsv', key, value);
        expect(line.slice(0, -1).split('\t').map(unescapeText)).toEqual([key, ...value]);
        expect(line.indexOf('\n')).toBe(line.length - 1);
      }),
    );
  });
});

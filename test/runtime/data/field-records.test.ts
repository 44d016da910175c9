import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { withFields } from '../../../jobs/fields.js';
import { RowKernel } from '../../../kernel/row-kernel.js';
import type { InputFile } from '../../../runtime/data/input-file.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import { readRecords } from '../../../runtime/data/records.js';
import { jsonLine, names } from '../../jobs/json-lines.js';
import { temporaryDirectory } from './temporary.js';

async function fileOf(directory: string, content: Buffer): Promise<InputFile> {
  writeFileSync(join(directory, 'in'), content);
  const [file] = await resolveInputs(['in'], { cwd: directory });
  return file!;
}

/** The records of a range until the first that is an error, and its message. */
async function recordsOf(file: InputFile, start: number, end: number, fields: readonly string[] | undefined) {
  const found: unknown[] = [];
  const wanted = { inputFormat: 'ndjson', fields } as const;
  try {
    for await (const { records } of readRecords([file], [{ file: 0, start, end }], wanted)) {
      for (const one of records) found.push({ ...one, keys: Object.keys(Object(one.record)) });
    }
  } catch (error) {
    found.push((error as Error).message);
  }
  return found;
}

/** The same by parsing everything. */
async function parsedOf(file: InputFile, start: number, end: number, fields: readonly string[]) {
  const found: unknown[] = [];
  for (const one of await recordsOf(file, start, end, undefined)) {
    if (typeof one === 'string') found.push(one);
    else {
      const { record, offset } = one as { record: unknown; offset: number };
      const left = withFields(record, fields);
      found.push({ record: left, offset, keys: Object.keys(Object(left)) });
    }
  }
  return found;
}

const goodLine = fc
  .record({
    host: fc.constantFrom('a', 'é', 'b'),
    bytes: fc.double({ noNaN: true, noDefaultInfinity: true }),
    b: fc.jsonValue(),
  })
  .map((record) => Buffer.from(JSON.stringify(record)));
const content = fc
  .tuple(
    fc.constantFrom('', '', '\ufeff'),
    fc.array(
      fc.tuple(
        fc.oneof({ weight: 20, arbitrary: goodLine }, { weight: 1, arbitrary: jsonLine }),
        fc.constantFrom('\n', '\n', '\r\n'),
      ),
      { maxLength: 30 },
    ),
    fc.oneof(fc.constant(Buffer.from('')), goodLine),
  )
  .map(([mark, lines, last]) =>
    Buffer.concat([Buffer.from(mark), ...lines.flatMap(([line, end]) => [line, Buffer.from(end)]), last]),
  );

afterEach(() => vi.restoreAllMocks());

describe('records of which only some fields are needed', () => {
  it('are what is left of those that are parsed, at the same places, with the same errors', async () => {
    const directory = temporaryDirectory();
    const scanFields = vi.spyOn(RowKernel.prototype, 'scanFields');
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.uniqueArray(names, { minLength: 1 }),
        fc.nat(),
        async (bytes, fields, cut) => {
          const file = await fileOf(directory, bytes);
          const middle = cut % (bytes.length + 1);
          for (const [start, end] of [
            [0, bytes.length],
            [0, middle],
            [middle, bytes.length],
          ] as const) {
            expect(await recordsOf(file, start, end, fields)).toEqual(
              await parsedOf(file, start, end, fields),
            );
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(scanFields).toHaveBeenCalled();
  });

  it('are values as JSON.parse makes them', async () => {
    const values = [
      '-0',
      '0',
      '1e400',
      '1E2',
      '0.1',
      '"\\u00e9\\n"',
      '"é"',
      '[1,{"a":2}]',
      '{"a":"}"}',
      'true',
      'false',
      'null',
    ];
    const file = await fileOf(
      temporaryDirectory(),
      Buffer.from(values.map((value) => `{"x":1,"v":${value}}\n`).join('')),
    );
    const found = await recordsOf(file, 0, file.sizeBytes, ['v']);
    expect(found.map((one) => (one as { record: { v: unknown } }).record.v)).toEqual(
      values.map((value) => JSON.parse(value)),
    );
  });

  it('may lie in a line that is longer than the memory of the kernel', async () => {
    const line = (bytes: number, length: number): string =>
      `{"bytes":${bytes},"text":"${'x'.repeat(length)}"}\n`;
    const text = line(1, 9) + line(2, 3_000_000) + line(3, 300_000) + line(4, 9);
    const file = await fileOf(temporaryDirectory(), Buffer.from(text));
    for (const start of [0, 5, 2_000_000]) {
      const found = await recordsOf(file, start, text.length, ['bytes']);
      expect(found).toEqual(await parsedOf(file, start, text.length, ['bytes']));
      expect(found.length).toBe(start === 0 ? 4 : start === 5 ? 3 : 2);
    }
  });

  it('may have names of any number and length', async () => {
    const many = Array.from({ length: 40 }, (_, index) => `field ${index}`);
    for (const fields of [many, ['b'.repeat(20_000), 'a']]) {
      const text = JSON.stringify(
        Object.fromEntries([...fields, 'other'].map((name, index) => [name, index])),
      );
      const file = await fileOf(temporaryDirectory(), Buffer.from(text));
      expect(await recordsOf(file, 0, text.length, fields)).toEqual(
        await parsedOf(file, 0, text.length, fields),
      );
    }
  });
});

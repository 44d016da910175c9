import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InputFormat } from '../../../jobs/input-format.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import type { DataRecord } from '../../../runtime/data/json-records.js';
import type { ReadOptions } from '../../../runtime/data/lines.js';
import { readRecords } from '../../../runtime/data/records.js';
import { temporaryDirectory } from './temporary.js';

async function read(
  name: string,
  bytes: string | Buffer,
  format: InputFormat,
  chunkBytes = 7,
  options: ReadOptions = {},
): Promise<DataRecord[]> {
  const folder = temporaryDirectory();
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const files = await resolveInputs([path], { cwd: folder });
  const range = { file: 0, start: 0, end: statSync(path).size };
  const found: DataRecord[] = [];
  const wanted = { inputFormat: format };
  for await (const { records } of readRecords(files, [range], wanted, { ...options, chunkBytes }))
    found.push(...records);
  return found;
}

describe('records', () => {
  test('of NDJSON are its values, blank lines aside, with the offsets of their lines', async () => {
    expect(await read('a.ndjson', '{"a":1}\n\n [2,"x"] \r\nnull', 'ndjson')).toEqual([
      { record: { a: 1 }, offset: 0 },
      { record: [2, 'x'], offset: 9 },
      { record: null, offset: 20 },
    ]);
    const [first, broken, last] = await read('b.ndjson', '1\n{"a":\n3', 'ndjson');
    expect([first, last]).toEqual([
      { record: 1, offset: 0 },
      { record: 3, offset: 8 },
    ]);
    expect(() => broken!.record).toThrow(/b\.ndjson, byte 2: not a JSON value/);
  });

  test('of whole files are their texts, without a byte-order mark', async () => {
    const bytes = Buffer.concat([Buffer.from('\ufeffa\nb'), Buffer.from([0xff])]);
    expect(await read('w.txt', bytes, 'whole')).toEqual([{ record: 'a\nb\ufffd', offset: 0 }]);
  });

  test('of CSV are rows by the names of the first, with quotes, line ends inside them, and offsets', async () => {
    const text = '\ufeffid,"the name"\r\n1,"x, ""y""\nz"\r\n2,é\n3\n';
    expect(await read('c.csv', text, 'csv')).toEqual([
      { record: { id: '1', 'the name': 'x, "y"\nz' }, offset: 18 },
      { record: { id: '2', 'the name': 'é' }, offset: 34 },
      { record: { id: '3' }, offset: 39 },
    ]);
    await expect(read('d.csv', 'a,b\n1,2\n3,"open', 'csv')).rejects.toThrow(/d\.csv, byte 8: not CSV/);
  });

  test.each(['\n', '\r\n'])(
    'of CSV are no empty lines, before the names and after: line ends %j',
    async (end) => {
      const lines = ['', 'a,b', '', '1,2', '', '', '"",', '3', '""', '', ''];
      for (const chunkBytes of [1, 1000]) {
        const found = await read('b.csv', lines.join(end), 'csv', chunkBytes);
        const offsetOf = (line: number): number => lines.slice(0, line).join(end).length + end.length;
        expect(found).toEqual([
          { record: { a: '1', b: '2' }, offset: offsetOf(3) },
          { record: { a: '', b: '' }, offset: offsetOf(6) },
          { record: { a: '3' }, offset: offsetOf(7) },
          { record: { a: '' }, offset: offsetOf(8) },
        ]);
      }
    },
  );

  test('of CSV have no cells beyond the names, and one for each name', async () => {
    expect(await read('l.csv', 'a,b,,\n1,2,3,4,5\n', 'csv')).toMatchObject([{ record: { a: '1', b: '2' } }]);
    await expect(read('n.csv', 'a,b,a\n1,2,3\n', 'csv')).rejects.toThrow(
      'n.csv, byte 0: two columns are called "a"',
    );
    expect(await read('q.csv', '"a\r\nb"\n1\n', 'csv')).toMatchObject([{ record: { 'a\r\nb': '1' } }]);
  });

  test.each(['a,b\r1,2\r', 'a,b\r1,2\r\n', 'a,b\r1,2\r3,4\n5,6\n', '"a\rb"\n1\n'])(
    'of CSV are none where lines end with CR alone, whatever comes after: %j',
    async (text) => {
      await expect(read('r.csv', text, 'csv')).rejects.toThrow(
        /r\.csv, byte 0: lines end with LF or CRLF, and the column name ".*" holds a CR$/,
      );
    },
  );

  test('of CSV are no longer than lines may be, such as where a quote is missing', async () => {
    const long = { lineBytesMax: 20 };
    const rows = Array.from({ length: 10 }, (_, index) => `${index},"x\ny"\n`).join('');
    expect(await read('s.csv', `a,b\n${rows}`, 'csv', 7, long)).toHaveLength(10);
    await expect(read('l.csv', `a,b\n1,"x\n${'2,y\n'.repeat(10)}`, 'csv', 7, long)).rejects.toThrow(
      'l.csv, byte 4: a row is longer than 20 bytes; is a quote missing?',
    );
  });

  test('of CSV are the same wherever the file is cut into chunks', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', 'é', '😀') });
    const row = fc.tuple(cell, cell);
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 6 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, chunkBytes) => {
          const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
          const text = ['x,y', ...rows.map((cells) => cells.map(quoted).join(','))]
            .map((line) => `${line}\n`)
            .join('');
          const found = await read('e.csv', text, 'csv', chunkBytes);
          expect(found.map(({ record }) => record)).toEqual(rows.map(([x, y]) => ({ x, y })));
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each(['gz', 'zst'])('of a compressed file (.%s) are those of the file', async (ending) => {
    const lines = Array.from({ length: 400 }, (_, index) => `line ${index} é`);
    const bytes = compressed(`${lines.join('\n')}\n`, ending);
    const found = await read(`f.txt.${ending}`, bytes, 'lines', 100);
    expect(found.map(({ record }) => record)).toEqual(lines);
    expect(found[1]!.offset).toBe(10);
    const cut = read(`g.txt.${ending}`, bytes.subarray(0, bytes.length - 9), 'lines', 100);
    await expect(cut).rejects.toThrow(/data (end too early|are damaged)/);
    // Only zlib compares the checksum of zstd, and not every Node has zstd there: see decompress.ts.
    if (ending === 'zst' && !('createZstdDecompress' in zlib)) return;
    const flipped = Buffer.from(bytes);
    flipped[Math.floor(flipped.length / 2)]! ^= 0x55;
    await expect(read(`h.txt.${ending}`, flipped, 'lines', 100)).rejects.toThrow(
      /data (end too early|are damaged)/,
    );
  });
});

/** The same 400 lines, as `zstd -19 --check` writes them. */
const zstdFixture =
  'KLUv/QRoRAkABp87FsBV0gH/+v9mM6z/9+6995ZS8lOAcwM6ADcALgCyBKmgmJCIaDAWR4gqdSqNtux6Q4vEoTBYkuMMrNFm' +
  'sljHbS+spmc57nx/uGgkyg1gcBAQAgQKBggCx/f5+z98hSk8YQlHuGGGFz4cwlVUU1JRLdbqClVENCQUVCKNpkA1NDMyMR3O' +
  '5glTQjIiElKhLLHEETdmvPg4xNWpT5cevZ19/R56ceLDhQcvJx+fB16b9mzZsbu5t99h19PPywFUTy111K1Zr74OddFEDy10' +
  '0KVJj54OdM00zyxzzJ05b34Oc8kkjyxyyJUpT14OcsUUT4DHqBAYz7cD4NcQEsEf29s3b+9evXt79u3ttbd3+jdYNBgsGAwO' +
  'CoYGAwuDaSwAAQAA9gIFKQWtCAD25UIS0BUaA1AUAAAR5ZZSypQGqHCNOQA/ADkAYxhtrJHGGR8dZYzxNqxtLe3s68rGngY1' +
  'LSUdXVXR0BODaGKJJI64qChiiBeG0MIKKZzw0FDCCO8k3xlOO+ukc85PTznjvGAIWrCCFJzgQYMSjOCZwTSzTDLH3NQUM8wr' +
  'Q2lllVROeWkpZZRHBtLIIokcclJSyCAvQd8cZptrpnnmZ2eZY74Pb19PP//78vHnwc3Lycd3XTz85CCbXDLJIy8rixzyxSG2' +
  'uGKKJz42ljgiAMEgcHe47a6b7rm/veWO+8IhbOEKU3jChw1LOMJnB9vssskee1tb7LCvDrXVVVM99bW11FEfHWijiyZ66Glp' +
  'oQOAyFQDAAYBG1R7kg==';

function compressed(text: string, ending: string): Buffer {
  return ending === 'gz' ? zlib.gzipSync(text) : Buffer.from(zstdFixture, 'base64');
}

import {
  appendFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputChangedError, InputDataError } from '../../../runtime/data/errors.js';
import type { InputFile } from '../../../runtime/data/input-file.js';
import { type Line, type ReadOptions, readCompressedLines, readLines } from '../../../runtime/data/lines.js';
import { planSplits } from '../../../runtime/data/plan.js';
import { temporaryDirectory } from './temporary.js';

function pinned(path: string): InputFile {
  const stats = statSync(path, { bigint: true });
  return {
    path,
    name: 'input',
    sizeBytes: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    inode: String(stats.ino),
    compression: path.endsWith('.gz') ? 'gzip' : 'none',
  };
}

function fileOf(content: string | Uint8Array, name = 'input'): InputFile {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return pinned(path);
}

function linesOf(file: InputFile, start = 0, end = file.sizeBytes, options: ReadOptions = {}): Line[] {
  return [...readLines(file, { start, end }, options)].flatMap((batch) => batch.lines);
}

async function gzipLinesOf(file: InputFile, options: ReadOptions = {}): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const batch of readCompressedLines(file, options)) lines.push(...batch.lines);
  return lines;
}

/** What the lines of a file are, said in the plainest way; offsets in bytes. */
function expectedLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  const marked = bytes.subarray(0, 3).toString('hex') === 'efbbbf';
  for (let start = 0; start < bytes.length; ) {
    const lineFeed = bytes.indexOf('\n', start);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    let text = bytes.subarray(start === 0 && marked ? 3 : start, end).toString('utf8');
    if (lineFeed >= 0 && text.endsWith('\r')) text = text.slice(0, -1);
    if (!(start === 0 && marked && bytes.length === 3)) lines.push({ text, offset: start });
    start = end + 1;
  }
  return lines;
}

const content = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('\n', '\r\n', '\r', 'word ', 'é', '\u{1f600}', '\ufeff', '') },
      { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xe2, 0x82])),
      },
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))));

describe('readLines', () => {
  it('ends lines at LF or CRLF and needs no end of line at the end', () => {
    expect(linesOf(fileOf('a\r\nb\n\nc\rd\r\n\r\ne')).map((line) => line.text)).toEqual([
      'a',
      'b',
      '',
      'c\rd',
      '',
      'e',
    ]);
  });

  it('has no lines in an empty file, and one in a file of one line feed', () => {
    expect(linesOf(fileOf(''))).toEqual([]);
    expect(linesOf(fileOf('\n'))).toEqual([{ text: '', offset: 0 }]);
  });

  it('drops a byte-order mark at the start of a file and nowhere else', () => {
    expect(linesOf(fileOf('\ufeffa\n\ufeffb')).map((line) => line.text)).toEqual(['a', '\ufeffb']);
    expect(linesOf(fileOf('\ufeff'))).toEqual([]);
    expect(linesOf(fileOf('\ufeff\r\n'))).toEqual([{ text: '', offset: 0 }]);
  });

  it('decodes invalid UTF-8 as U+FFFD', () => {
    expect(linesOf(fileOf(Buffer.from([0x61, 0xff, 0x62, 0x0a])))).toEqual([{ text: 'a\ufffdb', offset: 0 }]);
  });

  it('gives every line to exactly one range, however the file is cut and read', () => {
    fc.assert(
      fc.property(
        content,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 70 }),
        (bytes, targetMaps, chunkBytes) => {
          const file = fileOf(bytes);
          const { splits } = planSplits([file], { targetMaps, slots: 1 });
          const read = splits
            .flat()
            .flatMap((range) => linesOf(file, range.start, range.end, { chunkBytes }));
          expect(read).toEqual(expectedLines(bytes));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives a line that is longer than several ranges to the first of them', () => {
    const file = fileOf(`${'x'.repeat(1000)}\ny\n`);
    const texts = [0, 300, 600, 900].map((start) =>
      linesOf(file, start, Math.min(start + 300, 1003), { chunkBytes: 16 }).map((line) => line.text.length),
    );
    expect(texts).toEqual([[1000], [], [], [1]]);
  });

  it('refuses a line without end, naming file and byte', () => {
    const file = fileOf(`ok\n${'x'.repeat(5000)}`);
    expect(() => linesOf(file, 0, file.sizeBytes, { chunkBytes: 64, lineBytesMax: 1000 })).toThrow(
      InputDataError,
    );
    expect(() => linesOf(file, 0, file.sizeBytes, { chunkBytes: 64, lineBytesMax: 1000 })).toThrow(
      /input, byte 3/,
    );
  });
});

describe('a file that is not the one that was planned', () => {
  it('is refused when it is gone', () => {
    const file = fileOf('a\n');
    rmSync(file.path);
    expect(() => linesOf(file)).toThrow(/changed.*gone/);
  });

  it.each<[string, (path: string) => void]>([
    ['has grown', (path) => appendFileSync(path, 'b\n')],
    ['has shrunk', (path) => truncateSync(path, 1)],
    ['was written to', (path) => utimesSync(path, 1, 1)],
    [
      'was replaced',
      (path) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(`${path}2`, 'a\n');
        utimesSync(`${path}2`, atime, mtime);
        renameSync(`${path}2`, path);
      },
    ],
  ])('is refused when it %s before it is read', (_, change) => {
    const file = fileOf('a\n');
    change(file.path);
    expect(() => linesOf(file)).toThrow(InputChangedError);
  });

  it('is refused when it grows while it is read', () => {
    const file = fileOf('a\nb\nc\n');
    const batches = readLines(file, { start: 0, end: 6 }, { chunkBytes: 2 });
    expect(batches.next().value).toEqual({ lines: [{ text: 'a', offset: 0 }], bytesDone: 2 });
    appendFileSync(file.path, 'd\n');
    expect(() => [...batches]).toThrow(InputChangedError);
  });

  it('is refused when it shrinks while it is read', () => {
    const file = fileOf('a\nb\nc\n');
    const batches = readLines(file, { start: 0, end: 6 }, { chunkBytes: 2 });
    batches.next();
    truncateSync(file.path, 2);
    expect(() => [...batches]).toThrow(InputChangedError);
  });

  it('is refused when a gzip file grows while it is read', async () => {
    const file = fileOf(gzipSync('a\nb\n'), 'input.gz');
    await expect(
      (async () => {
        for await (const _ of readCompressedLines(file)) appendFileSync(file.path, 'x');
      })(),
    ).rejects.toThrow(InputChangedError);
  });
});

describe('readCompressedLines', () => {
  it('reads the same lines as from the plain file', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 100 }), async (bytes, chunkBytes) => {
        expect(await gzipLinesOf(fileOf(gzipSync(bytes), 'input.gz'), { chunkBytes })).toEqual(
          expectedLines(bytes),
        );
      }),
    );
  });

  it('reads files of several members', async () => {
    const bytes = Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')]);
    expect((await gzipLinesOf(fileOf(bytes, 'input.gz'))).map((line) => line.text)).toEqual(['a', 'bc']);
  });

  it('names file and byte when the data are cut short or damaged', async () => {
    const text = Array.from({ length: 5000 }, (_, index) => `line ${index * 7919}\n`).join('');
    const whole = gzipSync(text);
    const cut = await gzipLinesOf(fileOf(whole.subarray(0, whole.length >> 1), 'input.gz')).catch(
      (error) => error,
    );
    expect(cut).toBeInstanceOf(InputDataError);
    expect(cut).toMatchObject({ place: 'input', message: expect.stringContaining('end too early') });
    expect(cut.offset).toBeGreaterThan(0);
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 0x40;
    await expect(gzipLinesOf(fileOf(damaged, 'input.gz'))).rejects.toThrow(InputDataError);
    await expect(gzipLinesOf(fileOf('no gzip at all', 'input.gz'))).rejects.toThrow(InputDataError);
  });

  it('can be left in the middle', async () => {
    const file = fileOf(gzipSync('line\n'.repeat(1_000_000)), 'input.gz');
    for await (const { lines } of readCompressedLines(file, { chunkBytes: 1000 })) {
      expect(lines[0]).toEqual({ text: 'line', offset: 0 });
      break;
    }
  });
});

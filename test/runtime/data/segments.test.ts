import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiskError, SegmentCorruptError, SegmentMissingError } from '../../../runtime/data/errors.js';
import type { EncodedValue } from '../../../runtime/data/segments/format.js';
import { SegmentReader } from '../../../runtime/data/segments/reader.js';
import { type SegmentSummary, SegmentWriter } from '../../../runtime/data/segments/writer.js';
import { temporaryDirectory } from './temporary.js';

type Records = [key: string, value: EncodedValue][];

function write(path: string, partitions: Records[], bufferBytes = 64): SegmentSummary {
  const writer = new SegmentWriter(path, { partitions: partitions.length, bufferBytes });
  for (const records of partitions) {
    for (const [key, value] of records) writer.write(key, value);
    writer.endPartition();
  }
  return writer.finish();
}

function read(path: string, bufferBytes = 64): Records[] {
  const reader = new SegmentReader(path);
  try {
    return Array.from({ length: reader.partitions }, (_, partition) =>
      [...reader.records(partition, { bufferBytes })].map(([key, value]) => [key, value]),
    );
  } finally {
    reader.close();
  }
}

const record = fc.tuple(
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);
const content = fc.array(fc.array(record, { maxLength: 12 }), { minLength: 1, maxLength: 5 });

describe('a file of segments', () => {
  it('gives back what was written, whatever the buffers', () => {
    const path = join(temporaryDirectory(), 'map');
    fc.assert(
      fc.property(
        content,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        (partitions, writing, reading) => {
          write(path, partitions as Records[], writing);
          expect(read(path, reading)).toEqual(partitions);
        },
      ),
    );
  });

  it('holds the empty key, __proto__, and keys of a megabyte', () => {
    const path = join(temporaryDirectory(), 'map');
    const partitions: Records[] = [
      [
        ['', '1'],
        ['__proto__', '2'],
        ['é'.repeat(500_000), '"\\n"'],
      ],
      [],
    ];
    const { records } = write(path, partitions);
    expect(records).toBe(3);
    expect(read(path)).toEqual(partitions);
  });

  it('has a digest of its content and not of how it was written', () => {
    const directory = temporaryDirectory();
    const partitions: Records[] = [[['a', '1']], [['b', '2']]];
    const digest = write(join(directory, '1'), partitions, 1).digest;
    expect(write(join(directory, '2'), partitions, 1000).digest).toBe(digest);
    expect(
      write(join(directory, '3'), [
        [
          ['a', '1'],
          ['b', '2'],
        ],
        [],
      ]).digest,
    ).not.toBe(digest);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('says whether its records are sorted', () => {
    const path = join(temporaryDirectory(), 'map');
    for (const sorted of [true, false]) {
      const writer = new SegmentWriter(path, { partitions: 1 });
      if (!sorted) writer.leaveUnsorted();
      writer.endPartition();
      writer.finish();
      const reader = new SegmentReader(path);
      expect(reader.sorted).toBe(sorted);
      reader.close();
    }
  });

  it('has its name only when it is whole, and leaves nothing when it is abandoned', () => {
    const path = join(temporaryDirectory(), 'map');
    const writer = new SegmentWriter(path, { partitions: 1 });
    writer.write('a', '1');
    expect(existsSync(path)).toBe(false);
    writer.abandon();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('is read with its sizes known beforehand', () => {
    const path = join(temporaryDirectory(), 'map');
    const { bytes } = write(path, [
      [['a', '1']],
      [
        ['b', '22'],
        ['c', '333'],
      ],
    ]);
    expect(readFileSync(path)).toHaveLength(bytes);
    const reader = new SegmentReader(path);
    expect([reader.recordsOf(0), reader.recordsOf(1), reader.bytesOf(0), reader.bytesOf(1)]).toEqual([
      1, 2, 4, 11,
    ]);
    reader.close();
  });

  it('cannot be written where there is no directory', () => {
    const path = join(temporaryDirectory(), 'none/map');
    expect(() => write(path, [[]])).toThrow(DiskError);
  });
});

describe('damage', () => {
  const partitions: Records[] = [
    [
      ['a', '1'],
      ['key', '"value"'],
    ],
    [],
    [['\u{1f600}', '{"n":7}']],
  ];

  it.each([4, 1024])('is noticed for every bit of a file, with a buffer of %i bytes', (bufferBytes) => {
    const path = join(temporaryDirectory(), 'map');
    write(path, partitions);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 1 << bit;
        writeFileSync(path, damaged);
        expect(() => read(path, bufferBytes), `byte ${at} bit ${bit}`).toThrow(SegmentCorruptError);
      }
    }
  });

  it('is noticed wherever the file is cut, and when something is added', () => {
    const path = join(temporaryDirectory(), 'map');
    write(path, partitions);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => read(path), `${length} bytes`).toThrow(SegmentCorruptError);
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.from([0])]));
    expect(() => read(path)).toThrow(SegmentCorruptError);
  });

  it('is noticed before the first record is handed out', () => {
    const path = join(temporaryDirectory(), 'map');
    write(path, [Array.from({ length: 1000 }, (_, index) => [`key${index}`, `${index}`])]);
    const damaged = readFileSync(path);
    damaged[damaged.length - 60]! ^= 1;
    writeFileSync(path, damaged);
    const reader = new SegmentReader(path);
    expect(() => reader.records(0, { bufferBytes: 64 }).next()).toThrow(SegmentCorruptError);
    reader.close();
  });

  it('of all is told from absence, with the path', () => {
    const path = join(temporaryDirectory(), 'map');
    expect(() => read(path)).toThrow(SegmentMissingError);
    expect(() => read(path)).toThrow(path);
  });
});

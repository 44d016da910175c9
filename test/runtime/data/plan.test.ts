import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSplits, SPLIT_BYTES_DEFAULT } from '../../../runtime/data/plan.js';

type Sized = { sizeBytes: number; compression: 'none' | 'gzip' };
const plain = (sizeBytes: number): Sized => ({ sizeBytes, compression: 'none' });
const gzip = (sizeBytes: number): Sized => ({ sizeBytes, compression: 'gzip' });

const files = fc.array(
  fc.record({
    sizeBytes: fc.oneof(fc.nat(5), fc.nat(1000), fc.nat(200_000_000)),
    compression: fc.constantFrom<'none' | 'gzip'>('none', 'none', 'gzip'),
  }),
  { maxLength: 30 },
);
const options = fc.record(
  {
    targetMaps: fc.integer({ min: 1, max: 300 }),
    splitBytes: fc.integer({ min: 100_000, max: 50_000_000 }),
    slots: fc.integer({ min: 1, max: 16 }),
  },
  { requiredKeys: ['slots'] },
);

describe('planSplits', () => {
  it('covers every byte of every file exactly once and in order', () => {
    fc.assert(
      fc.property(files, options, (list, wanted) => {
        const { splits } = planSplits(list, wanted);
        const ranges = splits.flat();
        let next = 0;
        for (const [file, { sizeBytes }] of list.entries()) {
          for (let covered = 0; covered < sizeBytes; next++) {
            expect(ranges[next]).toMatchObject({ file, start: covered });
            expect(ranges[next]!.end).toBeGreaterThan(covered);
            covered = ranges[next]!.end;
            expect(covered).toBeLessThanOrEqual(sizeBytes);
          }
        }
        expect(next).toBe(ranges.length);
      }),
    );
  });

  it('leaves out empty files, unless they are records', () => {
    const list = [plain(0), plain(3), plain(0), gzip(4), plain(0)];
    const filesOf = (splits: readonly (readonly { file: number }[])[]): number[][] =>
      splits.map((ranges) => ranges.map(({ file }) => file));
    for (const targetMaps of [1, 2, 7]) {
      const wanted = { targetMaps, slots: 1, wholeFiles: true };
      expect(filesOf(planSplits(list, wanted).splits).flat()).toEqual([1, 3]);
      const { splits } = planSplits(list, { ...wanted, emptyFiles: true });
      expect(filesOf(splits).flat()).toEqual([0, 1, 2, 3, 4]);
      expect(splits.flat()[4]).toEqual({ file: 4, start: 0, end: 0 });
    }
    expect(planSplits([plain(0), plain(0)], { slots: 4, emptyFiles: true }).splits).toHaveLength(1);
  });

  it('makes exactly as many splits as wanted when nothing is compressed and there are bytes enough', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(10_000), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 99 }),
        (sizes, targetMaps) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const { splits } = planSplits(sizes.map(plain), { targetMaps, slots: 1 });
          expect(splits).toHaveLength(Math.max(1, Math.min(total, targetMaps)));
        },
      ),
    );
  });

  it('keeps uncompressed splits within a quarter of the same size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (sizes, targetMaps) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          fc.pre(total > 1000 * targetMaps);
          const piece = total / targetMaps;
          for (const ranges of planSplits(sizes.map(plain), { targetMaps, slots: 1 }).splits) {
            const bytes = ranges.reduce((sum, range) => sum + range.end - range.start, 0);
            expect(Math.abs(bytes - piece)).toBeLessThanOrEqual(piece / 4);
          }
        },
      ),
    );
  });

  it('keeps small files whole and cuts large ones', () => {
    const { splits } = planSplits([plain(10), plain(10), plain(1000), plain(10)], {
      targetMaps: 2,
      slots: 1,
    });
    expect(splits).toEqual([
      [
        { file: 0, start: 0, end: 10 },
        { file: 1, start: 0, end: 10 },
        { file: 2, start: 0, end: 495 },
      ],
      [
        { file: 2, start: 495, end: 1000 },
        { file: 3, start: 0, end: 10 },
      ],
    ]);
  });

  it('never cuts a compressed file', () => {
    const { splits } = planSplits([gzip(1000), plain(10), gzip(500)], { targetMaps: 10, slots: 1 });
    expect(splits.flat().filter((range) => range.file !== 1)).toEqual([
      { file: 0, start: 0, end: 1000 },
      { file: 2, start: 0, end: 500 },
    ]);
  });

  it('makes at least two splits per slot that are worth it, and one per 16 MiB', () => {
    expect(planSplits([plain(1000)], { slots: 4 }).splits).toHaveLength(1);
    expect(planSplits([plain(600 * 1024)], { slots: 4 }).splits).toHaveLength(3);
    expect(planSplits([plain(8 * 256 * 1024)], { slots: 4 }).splits).toHaveLength(8);
    expect(planSplits([plain(SPLIT_BYTES_DEFAULT * 20 + 1)], { slots: 4 }).splits).toHaveLength(21);
  });

  it('makes one split without ranges of nothing at all', () => {
    expect(planSplits([plain(0), gzip(0)], { targetMaps: 5, slots: 2 }).splits).toEqual([[]]);
    expect(planSplits([], { slots: 2 }).splits).toEqual([[]]);
  });

  it('makes no more splits than there are bytes', () => {
    expect(planSplits([plain(3)], { targetMaps: 100, slots: 1 }).splits).toEqual([
      [{ file: 0, start: 0, end: 1 }],
      [{ file: 0, start: 1, end: 2 }],
      [{ file: 0, start: 2, end: 3 }],
    ]);
  });
});

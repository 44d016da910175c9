import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundariesOf, partitionerOf } from '../../jobs/partition.js';
import { compareUtf8 } from '../../jobs/utf8.js';

const keys = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'z', 'é', '😀', '\ue000') }), {
  maxLength: 60,
});

describe('a partition by range', () => {
  test('puts no key of a later partition before one of an earlier', () => {
    fc.assert(
      fc.property(keys, keys, fc.integer({ min: 1, max: 9 }), (sample, all, reduces) => {
        const partition = partitionerOf({ partition: 'range' }, reduces, boundariesOf(sample, reduces));
        const placed = [...all].sort(compareUtf8).map(partition);
        expect(placed).toEqual([...placed].sort((a, b) => a - b));
        for (const index of placed) expect(index >= 0 && index < reduces).toBe(true);
      }),
    );
  });

  test('spreads what it was shown evenly', () => {
    const sample = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0'));
    const partition = partitionerOf({ partition: 'range' }, 4, boundariesOf(sample, 4));
    const sizes = [0, 0, 0, 0];
    for (const key of sample) sizes[partition(key)]!++;
    expect(sizes).toEqual([250, 250, 250, 250]);
  });

  test('gives one key that is most of the sample no more than one partition', () => {
    const sample = [...new Array(98).fill('m'), 'a', 'z'];
    const boundaries = boundariesOf(sample, 5);
    expect(boundaries).toEqual(['m']);
    const partition = partitionerOf({ partition: 'range' }, 5, boundaries);
    expect(['a', 'm', 'z'].map(partition)).toEqual([0, 1, 1]);
  });
});

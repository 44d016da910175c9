import { describe, expect, test } from 'vitest';
import { keyedRandom } from '../../jobs/random.js';

const draws = (text: string, amount: number): number[] => Array.from({ length: amount }, keyedRandom(text));

describe('ctx.random()', () => {
  test('gives equal sequences for equal keys and different ones for different keys', () => {
    expect(draws('7 map-0', 100)).toEqual(draws('7 map-0', 100));
    expect(draws('7 map-0', 4)).not.toEqual(draws('7 map-1', 4));
    expect(draws('7 map-0', 4)).not.toEqual(draws('8 map-0', 4));
  });

  test('lies in [0, 1) and fills it evenly', () => {
    const buckets = Array<number>(10).fill(0);
    const sequence = draws('x', 100_000).sort((a, b) => a - b);
    expect(sequence[0]).toBeGreaterThanOrEqual(0);
    expect(sequence.at(-1)).toBeLessThan(1);
    for (const draw of sequence) buckets[Math.floor(draw * 10)]!++;
    for (const amount of buckets) expect(Math.abs(amount - 10_000)).toBeLessThan(500);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDuration, median, newHistogram } from '../../core/histogram.js';

test('a median is never below the true one, and at most a quarter above it', () => {
  const duration = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 42 }));
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 60 }), (durations) => {
      const histogram = newHistogram();
      for (const value of durations) addDuration(histogram, value);
      const sorted = [...durations].sort((a, b) => a - b);
      const exact = sorted[(sorted.length - 1) >> 1]!;
      expect(median(histogram)).toBeGreaterThanOrEqual(exact);
      expect(median(histogram)).toBeLessThanOrEqual(1.25 * exact);
    }),
    { numRuns: 500 },
  );
});

test('there is no median of nothing', () => {
  expect(median(newHistogram())).toBeUndefined();
});

test('durations of a minute and of an hour are told apart, and many cost no more than few', () => {
  const histogram = newHistogram();
  for (let i = 0; i < 10_000; i++) addDuration(histogram, i % 2 === 0 ? 60_000_000 : 3_600_000_000);
  expect(histogram.buckets.length).toBeLessThan(140);
  expect(median(histogram)).toBeLessThan(80_000_000);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { draw, drawKey, expandSeed, within } from '../../sim/random.js';

const seed = expandSeed('7');

it('a draw depends on its seed, purpose and ids alone', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer(), fc.integer(), (text, purpose, a, b) => {
      const first = draw(expandSeed(text), drawKey(purpose), a, b);
      draw(seed, 1, 2, 3, 4);
      expect(draw(expandSeed(text), drawKey(purpose), a, b)).toBe(first);
    }),
  );
});

it('draws of neighbouring ids are spread evenly', () => {
  const buckets = new Array<number>(16).fill(0);
  const draws = 16_000;
  for (let id = 0; id < draws; id++)
    buckets[within({ min: 0, max: 15 }, draw(seed, drawKey('spread'), id))]!++;
  const even = draws / buckets.length;
  const chiSquare = buckets.reduce((sum, count) => sum + (count - even) ** 2 / even, 0);
  expect(chiSquare).toBeLessThan(40); // 15 degrees of freedom: exceeded once in 2,000
});

it('a range includes both of its ends and nothing else', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(0xffffffff), (min, size, bits) => {
      const value = within({ min, max: min + size }, bits);
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(min + size);
    }),
  );
  expect(within({ min: 3, max: 9 }, 0)).toBe(3);
  expect(within({ min: 3, max: 9 }, 0xffffffff)).toBe(9);
});

it('the same seed text expands to the same integers for ever', () => {
  const { a, b } = expandSeed('7');
  expect([a, b]).toEqual([expandSeed('7').a, expandSeed('7').b]);
  expect(expandSeed('8').a).not.toBe(a);
});

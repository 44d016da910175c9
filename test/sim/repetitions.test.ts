import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Repetitions } from '../../sim/repetitions.js';

describe('repetitions', () => {
  it('counts every key by itself, however many there are', () => {
    const keys = fc.array(fc.oneof(fc.integer(), fc.integer({ min: -20, max: 20 })), { maxLength: 300 });
    fc.assert(
      fc.property(keys, (asked) => {
        const repetitions = new Repetitions();
        const known = new Map<number, number>();
        for (const key of asked) {
          expect(repetitions.next(key)).toBe(known.get(key) ?? 0);
          known.set(key, (known.get(key) ?? 0) + 1);
        }
      }),
    );
  });
});

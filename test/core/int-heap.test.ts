import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type IntHeap, popInt, pushInt } from '../../core/int-heap.js';

test('a heap gives back the smallest integer it holds', () => {
  const operation = fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined, freq: 3 });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const heap: IntHeap = [];
      const model: number[] = [];
      for (const value of operations) {
        if (value === undefined) {
          expect(popInt(heap)).toBe(model.shift());
        } else {
          pushInt(heap, value);
          model.push(value);
          model.sort((a, b) => a - b);
        }
      }
      const rest: number[] = [];
      for (let value = popInt(heap); value !== undefined; value = popInt(heap)) rest.push(value);
      expect(rest).toEqual(model);
    }),
  );
});

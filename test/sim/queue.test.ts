import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventQueue } from '../../sim/queue.js';

it('hands out by time, and what has the same time in the order in which it came', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const queue = new EventQueue();
      const order: number[] = [];
      for (const [index, time] of times.entries()) queue.push(time, () => order.push(index));
      while (queue.size > 0) queue.pop()!();
      const expected = times
        .map((time, index) => ({ time, index }))
        .sort((a, b) => a.time - b.time || a.index - b.index);
      expect(order).toEqual(expected.map(({ index }) => index));
    }),
  );
});

it('keeps the order when pushes and pops alternate', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(50))), (commands) => {
      const queue = new EventQueue();
      const model: { time: number; index: number }[] = [];
      let popped = -1;
      for (const [index, time] of commands.entries()) {
        if (time !== null) {
          queue.push(time, () => {
            popped = index;
          });
          model.push({ time, index });
          model.sort((a, b) => a.time - b.time || a.index - b.index);
        } else {
          expect(queue.nextUs).toBe(model[0]?.time ?? Number.POSITIVE_INFINITY);
          queue.pop()?.();
          const expected = model.shift();
          if (expected) expect(popped).toBe(expected.index);
        }
      }
    }),
  );
});

it('has nothing to hand out when it is empty', () => {
  const queue = new EventQueue();
  expect(queue.pop()).toBeUndefined();
  expect(queue.nextUs).toBe(Number.POSITIVE_INFINITY);
});

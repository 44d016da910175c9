import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventQueue } from '../../sim/queue.js';

it('hands out by time, and what has the same time in the order in which it came', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 300 }), (times) => {
      const queue = new EventQueue();
      for (const [index, time] of times.entries()) queue.push(time, index % 256, index);
      const order: unknown[] = [];
      for (let kind = queue.pop(); kind >= 0; kind = queue.pop()) {
        expect(kind).toBe((queue.subject as number) % 256);
        order.push(queue.subject);
      }
      const expected = times
        .map((time, index) => ({ time, index }))
        .sort((a, b) => a.time - b.time || a.index - b.index);
      expect(order).toEqual(expected.map(({ index }) => index));
    }),
  );
});

it('keeps the order when entries come, move and go', () => {
  const command = fc.record({
    what: fc.constantFrom('push', 'move', 'pop'),
    time: fc.nat(50),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const queue = new EventQueue();
      const model: { time: number; sequence: number; handle: number; id: number }[] = [];
      const sort = (): unknown => model.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
      for (const [sequence, { what, time, which }] of commands.entries()) {
        if (what === 'push') {
          model.push({ time, sequence, handle: queue.push(time, 1, sequence), id: sequence });
        } else if (what === 'move' && model.length > 0) {
          const moved = model[which % model.length]!;
          Object.assign(moved, { time, sequence });
          queue.move(moved.handle, time);
        } else if (what === 'pop') {
          expect(queue.nextUs).toBe(model[0]?.time ?? Number.POSITIVE_INFINITY);
          const expected = model.shift();
          expect(queue.pop()).toBe(expected ? 1 : -1);
          if (expected) expect(queue.subject).toBe(expected.id);
        }
        sort();
        expect(queue.size).toBe(model.length);
      }
    }),
  );
});

it('hands on both subjects, and lets go of them', () => {
  const queue = new EventQueue();
  queue.push(1, 7, 'subject', 'owner');
  expect([queue.pop(), queue.subject, queue.owner]).toEqual([7, 'subject', 'owner']);
  expect(queue.pop()).toBe(-1);
  expect(queue.nextUs).toBe(Number.POSITIVE_INFINITY);
});

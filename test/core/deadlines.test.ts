import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arm, armed, armedAt, clear, earliest, noDeadlines, take } from '../../core/deadlines.js';

const kind = fc.constantFrom('beat', 'lease');
const id = fc.constantFrom('', 'a', 'b', 'c', 'd');
const operation = fc.oneof(
  fc.record({ what: fc.constant('arm' as const), kind, id, at: fc.integer({ min: 0, max: 20 }) }),
  fc.record({ what: fc.constant('clear' as const), kind, id }),
  fc.record({ what: fc.constant('take' as const), kind, id, now: fc.integer({ min: 0, max: 20 }) }),
);

test('deadlines behave as a list sorted by time and order of arming', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const deadlines = noDeadlines();
      let model: { kind: string; id: string; at: number; order: number }[] = [];
      let order = 0;
      for (const step of operations) {
        const same = (one: { kind: string; id: string }) => one.kind === step.kind && one.id === step.id;
        if (step.what === 'arm') {
          arm(deadlines, step.kind, step.id, step.at);
          model = model.filter((one) => !same(one));
          model.push({ kind: step.kind, id: step.id, at: step.at, order: order++ });
        } else if (step.what === 'clear') {
          clear(deadlines, step.kind, step.id);
          model = model.filter((one) => !same(one));
        } else {
          const due = model.some((one) => same(one) && one.at <= step.now);
          expect(take(deadlines, { kind: step.kind, id: step.id }, step.now)).toBe(due);
          if (due) model = model.filter((one) => !same(one));
        }
        model.sort((a, b) => a.at - b.at || a.order - b.order);
        const first = model[0];
        expect(earliest(deadlines)).toEqual(first ? expect.objectContaining(first) : undefined);
        expect(armed(deadlines)).toHaveLength(model.length);
        expect(armedAt(deadlines, step.kind, step.id)).toBe(model.find(same)?.at);
      }
      const drained: string[] = [];
      for (let next = earliest(deadlines); next; next = earliest(deadlines)) {
        drained.push(`${next.kind} ${next.id}`);
        clear(deadlines, next.kind, next.id);
      }
      expect(drained).toEqual(model.map((one) => `${one.kind} ${one.id}`));
    }),
    { numRuns: 300 },
  );
});

test('a deadline that is not due yet stays armed', () => {
  const deadlines = noDeadlines();
  arm(deadlines, 'beat', '', 10);
  expect(take(deadlines, { kind: 'beat', id: '' }, 9)).toBe(false);
  expect(armedAt(deadlines, 'beat', '')).toBe(10);
  expect(take(deadlines, { kind: 'beat', id: '' }, 10)).toBe(true);
  expect(take(deadlines, { kind: 'beat', id: '' }, 11)).toBe(false);
});

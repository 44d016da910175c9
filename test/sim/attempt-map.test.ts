import fc from 'fast-check';
import { expect, it } from 'vitest';
import { attemptKey } from '../../core/ids.js';
import { AttemptMap } from '../../sim/attempt-map.js';

const few = (max: number) => fc.integer({ min: 1, max });
const attempt = fc.record({ job: few(2), task: fc.integer({ min: 0, max: 3 }), epoch: few(3), n: few(3) });

it('a map by attempts behaves as a Map by their keys', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(attempt, fc.integer()), { maxLength: 60 }), (sets) => {
      const map = new AttemptMap<number>();
      const model = new Map<string, number>();
      for (const [id, value] of sets) {
        expect(map.get(id)).toBe(model.get(attemptKey(id)));
        map.set(id, value);
        model.set(attemptKey(id), value);
      }
      for (const [id] of sets) {
        expect(map.has(id)).toBe(true);
        expect(map.get({ ...id })).toBe(model.get(attemptKey(id)));
        expect(map.has({ ...id, n: 9 })).toBe(false);
      }
    }),
  );
});

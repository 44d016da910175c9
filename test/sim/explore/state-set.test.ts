import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint, StateSet, takeFingerprint } from '../../../sim/explore/state-set.js';

const states = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 }), {
  maxLength: 60,
});

describe('a set of states', () => {
  it('knows exactly the states that were added, with whole states and without', () => {
    fc.assert(
      fc.property(states, (all) => {
        const words = Int32Array.from(all.flat());
        const hashed = new StateSet(false);
        const exact = new StateSet(true);
        const kept: number[][] = [];
        const known = new Map<string, number>();
        for (const [at, state] of all.entries()) {
          takeFingerprint(words, 3 * at, 3);
          const before = known.get(String(state)) ?? -1;
          expect(hashed.add() >= 0).toBe(before >= 0);
          takeFingerprint(words, 3 * at, 3);
          expect(exact.add((index) => String(kept[index]) === String(state))).toBe(before);
          if (before < 0) {
            known.set(String(state), kept.length);
            kept.push(state);
          }
        }
        expect(hashed.size).toBe(known.size);
      }),
    );
  });

  it('grows, and forgets nothing', () => {
    const set = new StateSet(false);
    const word = new Int32Array(1);
    const many = 50_000;
    for (let round = 0; round < 2; round++) {
      for (word[0] = 0; word[0] < many; word[0]++) {
        takeFingerprint(word, 0, 1);
        expect(set.add() >= 0).toBe(round === 1);
      }
    }
    expect(set.size).toBe(many);
  });

  it('tells states of one fingerprint apart only when it compares them', () => {
    const pretend = (): void => {
      fingerprint.a = 7;
      fingerprint.b = 7;
    };
    const hashed = new StateSet(false);
    const exact = new StateSet(true);
    pretend();
    expect([hashed.add(), exact.add(() => false)]).toEqual([-1, -1]);
    pretend();
    expect([hashed.add(), exact.add(() => false)]).toEqual([0, -1]);
    expect([hashed.size, exact.size]).toEqual([1, 2]);
  });
});

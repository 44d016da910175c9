import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateDigest } from '../../core/canonical.js';
import { stateDigests } from '../../core/state-digests.js';

const field = fc.constantFrom('role', 'lease', 'jobs', 'sessions');
const states = fc.dictionary(field, fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 });

describe('the digests of a state', () => {
  test('are that of the whole, and of each field by itself', () => {
    fc.assert(
      fc.property(states, states, (one, other) => {
        const [first, second] = [stateDigests(one), stateDigests(other)];
        expect(first.state).toBe(stateDigest(one));
        expect(Object.keys(first.stateFields)).toEqual(Object.keys(one));
        for (const name of Object.keys(one)) {
          const isSame = Object.hasOwn(other, name) && stateDigest(one[name]) === stateDigest(other[name]);
          expect(first.stateFields[name] === second.stateFields[name]).toBe(isSame);
        }
      }),
    );
  });

  test('come every 64 steps, and the more seldom the larger the state is', () => {
    const stepsOf = (jobs: number): number =>
      stateDigests({
        role: 'leader',
        jobs: new Map(Array.from({ length: jobs }, (_, job) => [job, { job }])),
      }).stepsToNext;
    expect(stepsOf(1)).toBe(64);
    expect(stepsOf(500)).toBe(64);
    expect(stepsOf(2_000)).toBe(Math.ceil((2 + 2 * 2_000) / 16));
    expect(stepsOf(200_000)).toBe(Math.ceil((2 + 2 * 200_000) / 16));
    expect(stepsOf(250_000)).toBe(Number.POSITIVE_INFINITY);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateDigest } from '../../../core/canonical.js';
import { cutText, packState, unpackState } from '../../../core/durable/snapshot.js';
import { type DurableState, emptyDurable } from '../../../core/durable/state.js';
import { benchWith, specOf } from '../bench.js';

/** The state of a master in the middle of a job that has seen commits, a failure and a loss. */
function livedIn(): DurableState {
  const { bench, workers } = benchWith(2, specOf({ maps: 3 }));
  const [one, two] = workers;
  bench.complete(one!, one!.running[0]!);
  bench.fail(two!, two!.running[0]!);
  return bench.master.durable;
}

describe('a packed state', () => {
  test('comes back as the same data, Maps and gaps and all', () => {
    const state = livedIn();
    expect(state.jobs[0]!.troubles.size).toBe(1);
    const back = unpackState(packState(state));
    expect(back).toEqual(state);
    expect(stateDigest(back)).toBe(stateDigest(state));
  });

  test('of an empty journal is that of an empty journal', () => {
    expect(stateDigest(unpackState(packState(emptyDurable())))).toBe(stateDigest(emptyDurable()));
  });

  test('has one text, whatever order its fields were written in, and after a round trip', () => {
    const state = livedIn();
    const turned = Object.fromEntries(Object.entries(state).reverse()) as unknown as DurableState;
    expect(packState(turned)).toBe(packState(state));
    expect(packState(unpackState(packState(state)))).toBe(packState(state));
  });

  test('is any plain data without null', () => {
    const leaf = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const { data } = fc.letrec((tie) => ({
      data: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('data'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'of'), tie('data'), { maxKeys: 4 }),
        fc
          .array(fc.tuple(leaf, tie('data')), { maxLength: 4 })
          .map((pairs) => new Map(pairs as [unknown, unknown][])),
      ),
    }));
    fc.assert(
      fc.property(data, (value) => {
        const state = value as unknown as DurableState;
        expect(stateDigest(unpackState(packState(state)))).toBe(stateDigest(state));
      }),
    );
  });
});

describe('a text that is cut', () => {
  test('gives pieces of bounded size as they are written, which together are the text', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\u0000', 'é', '世', '😀'),
    );
    fc.assert(
      fc.property(fc.array(unit), fc.integer({ min: 12, max: 60 }), (parts, bytesMax) => {
        const text = parts.join('');
        const pieces = cutText(text, bytesMax);
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) {
          expect(new TextEncoder().encode(JSON.stringify(piece)).length - 2).toBeLessThanOrEqual(bytesMax);
        }
      }),
    );
    expect(cutText('', 10)).toEqual(['']);
  });
});

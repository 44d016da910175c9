import fc from 'fast-check';
import { expect, test } from 'vitest';
import { generationText, mixGeneration, newGeneration } from '../../core/generation.js';

type Digests = readonly (readonly [task: number, digest: string])[];

function textOf(digests: Digests): string {
  const generation = newGeneration();
  for (const [task, digest] of digests) mixGeneration(generation, task, digest, 1);
  return generationText(generation);
}

const digest = fc.stringMatching(/^[0-9a-f]{1,8}$/);

const digests = fc.uniqueArray(fc.tuple(fc.nat(50), digest), {
  selector: ([task]) => task,
  maxLength: 12,
});

test('a generation does not depend on the order in which outputs were read', () => {
  fc.assert(
    fc.property(digests, fc.infiniteStream(fc.nat()), (list, keys) => {
      const shuffled = list
        .map((entry) => ({ entry, key: keys.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ entry }) => entry);
      expect(textOf(shuffled)).toBe(textOf(list));
    }),
  );
});

test('replacing one output gives the generation in which it was the new one from the start', () => {
  fc.assert(
    fc.property(digests, digest, (list, other) => {
      fc.pre(list.length > 0);
      const [task, before] = list[0]!;
      const generation = newGeneration();
      for (const [one, text] of list) mixGeneration(generation, one, text, 1);
      mixGeneration(generation, task, before, -1);
      mixGeneration(generation, task, other, 1);
      expect(generationText(generation)).toBe(textOf([[task, other], ...list.slice(1)]));
      if (other !== before) expect(generationText(generation)).not.toBe(textOf(list));
    }),
  );
});

test('whose output it is counts, not only what it is', () => {
  expect(
    textOf([
      [0, 'a'],
      [1, 'b'],
    ]),
  ).not.toBe(
    textOf([
      [0, 'b'],
      [1, 'a'],
    ]),
  );
  expect(textOf([[0, 'a']])).toMatch(/^[0-9a-f]{16}$/);
});

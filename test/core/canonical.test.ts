import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalText, stateDigest } from '../../core/canonical.js';

/** Plain data as events and effects carry it; JSON knows no -0. */
const data = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** Both ways of comparing data must agree. */
function same(a: unknown, b: unknown): boolean {
  const byText = canonicalText(a) === canonicalText(b);
  expect(stateDigest(a) === stateDigest(b)).toBe(byText);
  return byText;
}

describe('the digest of plain data', () => {
  test('does not depend on the order of fields', () => {
    expect(same({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), data), (fields) => {
        const turned = Object.fromEntries(Object.entries(fields).reverse());
        expect(stateDigest(turned)).toBe(stateDigest(fields));
        expect(canonicalText(turned)).toBe(canonicalText(fields));
      }),
    );
  });

  test('counts an undefined field as absent', () => {
    expect(same({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(same({ a: 1, b: null }, { a: 1 })).toBe(false);
  });

  test('tells numbers, texts, booleans and nothing apart', () => {
    const values = [
      0,
      1,
      '0',
      '1',
      '',
      true,
      false,
      null,
      [],
      {},
      [0],
      [[]],
      [1, 2],
      [2, 1],
      { a: 0 },
      1.5,
      '1.5',
    ];
    const digests = new Set(values.map(stateDigest));
    expect(digests.size).toBe(values.length);
  });

  test('tells numbers apart that share their lower half', () => {
    const high = 2 ** 32;
    const values = [5, 5 + high, 5 + 2 * high, -5, -5 - high, 0, high, -high, Number.MAX_SAFE_INTEGER];
    expect(new Set(values.map(stateDigest)).size).toBe(values.length);
  });

  test('never takes the upper half of one number for the beginning of the next value', () => {
    const high = 2 ** 32;
    expect(stateDigest([5, 1])).not.toBe(stateDigest([5 + 2 * high, null]));
    expect(stateDigest([5, null])).not.toBe(stateDigest([-5 - 2 * high]));
  });

  test('keeps the order of a Map and of a Set, because machines iterate them', () => {
    const map = (...entries: [string, number][]) => new Map(entries);
    expect(same(map(['a', 1], ['b', 2]), map(['b', 2], ['a', 1]))).toBe(false);
    expect(same(map(['a', 1]), map(['a', 1]))).toBe(true);
    expect(same(new Set([1, 2]), new Set([2, 1]))).toBe(false);
    expect(same(new Map(), {})).toBe(false);
    expect(same(new Map(), new Set())).toBe(false);
    expect(same({ $map: [] }, new Map())).toBe(false);
  });

  test('is the same after a journey through JSON', () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(stateDigest(JSON.parse(JSON.stringify(value)))).toBe(stateDigest(value));
      }),
    );
  });

  test('agrees with the canonical text on what is equal', () => {
    fc.assert(fc.property(data, data, (a, b) => void same(a, b)));
  });

  test('is 16 hex digits, and refuses what is not data', () => {
    expect(stateDigest({})).toMatch(/^[0-9a-f]{16}$/);
    expect(() => stateDigest({ f: () => 1 })).toThrow(TypeError);
    expect(() => stateDigest(1n)).toThrow(TypeError);
  });
});

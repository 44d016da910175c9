import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalValue, encodeValue, lengthInJson, numbersOf, ValueError } from '../../jobs/values.js';

const value = fc.oneof(
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.object(),
  fc.array(fc.anything()),
);

describe('an array of finite numbers', () => {
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(-0, 1e9, 999_999_999),
  );

  test('becomes what JSON makes of it, and is as long', () => {
    fc.assert(
      fc.property(fc.array(number), (numbers) => {
        const finite = numbers.filter((one) => Number.isFinite(one) && !Object.is(one, -0));
        expect(numbersOf(finite)).toStrictEqual(JSON.parse(JSON.stringify(finite)));
        expect(lengthInJson(finite)).toBe(JSON.stringify(finite).length);
      }),
    );
  });

  test('is not one when anything else is in it', () => {
    const own = Object.assign([1, 2], { toJSON: () => 'own' });
    for (const other of [['1'], [1, null], [Number.NaN], [-0], Array(2), [[1]], own]) {
      expect(numbersOf(other)).toBeUndefined();
    }
  });
});

describe('a canonical value', () => {
  test('survives the codec unchanged', () => {
    fc.assert(
      fc.property(value, (given) => {
        fc.pre(typeof given !== 'number' || Number.isFinite(given));
        let canonical: unknown;
        try {
          canonical = canonicalValue(given, 'k');
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError);
          return;
        }
        expect(JSON.parse(encodeValue(canonical))).toStrictEqual(canonical);
      }),
    );
  });

  test('of -0 is 0, as JSON has no -0', () => {
    expect(canonicalValue(-0, 'k')).toBe(0);
  });

  test('of an object is a copy', () => {
    const given = { list: [1, 2], when: new Date(0) };
    const canonical = canonicalValue(given, 'k');
    given.list.push(3);
    expect(canonical).toStrictEqual({ list: [1, 2], when: '1970-01-01T00:00:00.000Z' });
  });

  test.each([
    ['a Set, at tags', { tags: new Set(['a']) }],
    ['a Map, at 1', [1, new Map()]],
    ['a Map, at deep.0.by', { deep: [{ by: new Map() }] }],
    ['something that gives values, at all', { all: [1].values() }],
    ['something that gives values, at 0', [(function* () {})()]],
    ['a promise, at 0', [Promise.resolve(1)]],
    ['an error, at why', { why: new TypeError('no') }],
    ['a regular expression, at 0', [/a/]],
    ['a buffer, at bytes', { bytes: new ArrayBuffer(2) }],
  ])('is refused when it holds %s: JSON would keep nothing of it', (what, given) => {
    expect(() => canonicalValue(given, 'the key')).toThrow(ValueError);
    expect(() => canonicalValue(given, 'the key')).toThrow(
      `the value of key "the key" holds ${what}, of which`,
    );
  });

  test('may hold empty objects and lists, texts with {} in them, bytes, and what has a JSON form of its own', () => {
    const own = Object.assign(new Set(), { toJSON: () => ({}) });
    const given = {
      none: {},
      list: [],
      text: '{}',
      bytes: new Uint8Array(0),
      own,
      empty: new String(''),
      told: Object.assign(new Error(), { code: 1 }),
    };
    expect(canonicalValue(given, 'k')).toEqual({
      ...given,
      bytes: {},
      own: {},
      empty: '',
      told: { code: 1 },
    });
  });

  test.each([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['a promise, of which JSON keeps nothing: await it', Promise.resolve(1)],
    ['a promise', Object.assign(Promise.resolve(1), { more: 1 })],
    ['an error', new Error('no')],
    ['a regular expression', /a/],
    ['a Set, of which JSON keeps nothing: make an array of it, [...it]', new Set()],
    ['a Map', Object.assign(new Map(), { more: 1 })],
    ['an object without a JSON form', { toJSON: () => undefined }],
  ])('is refused for %s, and the message names the key', (what, given) => {
    expect(() => canonicalValue(given, 'the key')).toThrow(ValueError);
    expect(() => canonicalValue(given, 'the key')).toThrow(`the value of key "the key" is ${what}`);
  });

  test.each([
    ['values that can be iterated', { [Symbol.iterator]: () => [1].values() }],
    ['values that can be iterated, one after the other in time', { async *[Symbol.asyncIterator]() {} }],
    ['what an array gives', [1].values()],
    ['a generator', (function* () {})()],
  ])('is refused for %s, and the message says what to write', (_what, given) => {
    expect(() => canonicalValue(given, 'k')).toThrow(ValueError);
    expect(() => canonicalValue(given, 'k')).toThrow(
      /key "k" is something that gives values, .* \[\.\.\.it\]/,
    );
  });

  test('of what can be iterated, and has a JSON form, is that', () => {
    const bag = { items: [1], *[Symbol.iterator]() {} };
    expect(canonicalValue(bag, 'k')).toStrictEqual({ items: [1] });
    expect(canonicalValue({ toJSON: () => ({}), *[Symbol.iterator]() {} }, 'k')).toStrictEqual({});
    expect(canonicalValue(new String('s'), 'k')).toBe('s');
    expect(canonicalValue(new Float64Array([1, 2]), 'k')).toStrictEqual({ 0: 1, 1: 2 });
    expect(canonicalValue(new Float64Array(0), 'k')).toStrictEqual({});
    expect(canonicalValue({}, 'k')).toStrictEqual({});
  });

  test('is refused for a cycle and for a bigint inside', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => canonicalValue(cycle, 'k')).toThrow(/key "k" has no JSON form/);
    expect(() => canonicalValue([1n], 'k')).toThrow(/key "k" has no JSON form/);
  });

  test('of a long key is refused with a short message', () => {
    expect(() => canonicalValue(undefined, 'x'.repeat(1_000_000))).toThrow(/"x{40}"… \(1000000 characters\)/);
  });
});

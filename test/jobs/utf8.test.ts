import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareUtf8, utf8Length, wellFormed } from '../../jobs/utf8.js';

/** Strings in which surrogates, their neighbours and common prefixes are frequent. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', '\u007f', 'é', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '😀', '𐀀'),
    fc.integer({ min: 0, max: 0x10ffff }).map((point) => Buffer.from(String.fromCodePoint(point)).toString()),
  ),
});
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe('UTF-8 without encoding', () => {
  test('strings compare as their bytes do', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });

  test('an emoji comes after U+FFFD, where UTF-16 puts it before', () => {
    expect('😀' < '\ufffd').toBe(true);
    expect(compareUtf8('😀', '\ufffd')).toBeGreaterThan(0);
  });

  test('the length is that of the encoded bytes', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(utf8Length(value)).toBe(Buffer.byteLength(value));
      }),
    );
  });

  test('a string made well-formed is what encoding and decoding gives', () => {
    fc.assert(
      fc.property(anyUnits, (value) => {
        expect(wellFormed(value)).toBe(Buffer.from(value).toString());
      }),
      { numRuns: 500 },
    );
    expect(wellFormed('a\ud83db')).toBe('a\ufffdb');
    expect(wellFormed('😀')).toBe('😀');
  });
});

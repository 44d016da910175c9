import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeText, formatLine } from '../../jobs/text.js';
import { unescapeText } from './unescape-text.js';

const text = fc.string({ unit: fc.constantFrom('a', ' ', '\\', '\t', '\n', '\r', 't', 'n', 'r', '😀') });

describe('an output line', () => {
  test('is key, space, value and newline', () => {
    expect(formatLine('word', 3)).toBe('word 3\n');
    expect(formatLine('', 'x y')).toBe(' x y\n');
    expect(formatLine('k', { a: ['\n'] })).toBe('k {"a":["\\\\n"]}\n');
    expect(formatLine('k', 1e21)).toBe('k 1e+21\n');
    expect(formatLine('k', null)).toBe('k null\n');
    expect(formatLine('k', false)).toBe('k false\n');
  });

  test('escapes backslash, tab, newline and carriage return in keys and values', () => {
    expect(formatLine('a\tb\\', 'c\nd\r')).toBe('a\\tb\\\\ c\\nd\\r\n');
  });

  test('escapes are undone exactly and never leave a line break', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(escapeText(value)).not.toMatch(/[\t\n\r]/);
        expect(unescapeText(escapeText(value))).toBe(value);
      }),
    );
  });

  test('has U+FFFD for what UTF-8 cannot say', () => {
    expect(formatLine('a', '\ud800')).toBe('a \ufffd\n');
  });

  test('is refused for a value without a text', () => {
    expect(() => formatLine('k', 1n)).toThrow('reduce gave a bigint for key "k"');
    expect(() => formatLine('k', new Map())).toThrow('a Map');
  });
});

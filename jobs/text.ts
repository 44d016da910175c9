/**
 * The text output: one line `key value` per record, in UTF-8.
 *
 * Backslash, tab, newline and carriage return inside keys and values are escaped by a backslash, so that a record never
 * spans lines. Strings stand as they are, numbers as JavaScript prints them, everything else as JSON. The text is for
 * people and line tools: it does not tell the string `1` from the number, nor where a key with spaces ends.
 */
import { wellFormed } from './utf8.js';
import { objectText, showKey, ValueError } from './values.js';

const SPECIAL = /[\\\t\n\r]/g;
const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One output line with its newline. Throws ValueError for a value that has no text. */
export function formatLine(key: string, value: unknown): string {
  return `${escapeText(key)} ${escapeText(valueText(key, value))}\n`;
}

export function escapeText(text: string): string {
  return wellFormed(text).replace(SPECIAL, (special) => ESCAPED[special]!);
}

export function valueText(key: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : objectText(value, key);
    default:
      throw new ValueError(`reduce gave a ${typeof value} for key ${showKey(key)}, which has no text`, key);
  }
}

/**
 * How a record of the output is written. Every format is one line per record, in UTF-8, so that parts can be
 * concatenated and read by line tools.
 *
 *   text    `key value`, escaped (text.ts): for people
 *   tsv     key, tab, value, escaped the same way; each element of an array is a cell of its own
 *   ndjson  `{"key":…,"value":…}`: exact, and what the next stage of a pipeline reads
 *   csv     key and value as cells (RFC 4180); each element of an array is a cell of its own
 *   lines   the value alone, as it is; one that holds a line feed is refused
 */
import { escapeText, formatLine, valueText } from './text.js';
import { wellFormed } from './utf8.js';
import { canonicalValue, encodeValue, showKey, ValueError } from './values.js';

export const outputFormats = ['text', 'tsv', 'ndjson', 'csv', 'lines'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Writes one record as a line with its newline. Throws ValueError for a value that has no text. */
export type RecordFormatter = (key: string, value: unknown) => string;

const formatters: Readonly<Record<OutputFormat, RecordFormatter>> = {
  text: formatLine,
  tsv: (key, value) => `${[key, ...cells(key, value)].map(escapeText).join('\t')}\n`,
  ndjson: (key, value) => `{"key":${JSON.stringify(key)},"value":${exactText(key, value)}}\n`,
  csv: (key, value) => `${[key, ...cells(key, value)].map(csvCell).join(',')}\n`,
  lines: (key, value) => `${oneLine(key, valueText(key, value))}\n`,
};

export function formatterOf(format: OutputFormat = 'text'): RecordFormatter {
  return formatters[format];
}

function cells(key: string, value: unknown): string[] {
  return Array.isArray(value) ? value.map((item) => valueText(key, item)) : [valueText(key, value)];
}

/** The value exactly as it is, or a ValueError where JSON would make another one of it. */
function exactText(key: string, value: unknown): string {
  return encodeValue(canonicalValue(value, key));
}

function oneLine(key: string, text: string): string {
  if (!text.includes('\n')) return wellFormed(text);
  throw new ValueError(`the value of key ${showKey(key)} has a line feed, and outputFormat is lines`, key);
}

function csvCell(text: string): string {
  const cell = wellFormed(text);
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

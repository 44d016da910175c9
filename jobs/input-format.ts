/**
 * What one call of `map` gets: a line, a whole file, a JSON value of NDJSON, or a row of CSV. How a file is cut into
 * records is the data plane's work; here stand only the shapes.
 */

export const inputFormats = ['lines', 'whole', 'ndjson', 'csv'] as const;
export type InputFormat = (typeof inputFormats)[number];

/** A row by the names of the file's first row. A row that is shorter lacks the last names. */
export type CsvRow = Readonly<Record<string, string>>;

/** The record of each format. */
export interface InputRecords {
  /** Without its line end. */
  readonly lines: string;
  /** The decoded text of one file. */
  readonly whole: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON may be anything, and the author of the job knows what
  readonly ndjson: any;
  readonly csv: CsvRow;
}

/** Whether a file of this format may be cut anywhere and read on from the next line. */
export function isSplittable(format: InputFormat): boolean {
  // A quoted cell of CSV may hold line ends, so that no byte of it says by itself where a row begins.
  return format === 'lines' || format === 'ndjson';
}

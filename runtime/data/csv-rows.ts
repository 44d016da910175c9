/**
 * CSV as records: rows by the names of the first row. Cells may be quoted and hold line ends (RFC 4180). Empty lines are no
 * rows, and cells beyond the names are left out.
 */
import type { Info, Parser } from 'csv-parse';
import { showKey } from '../../jobs/values.js';
import { InputDataError } from './errors.js';
import type { InputFile } from './input-file.js';
import type { DataRecord } from './json-records.js';
import { LINE_BYTES_MAX_DEFAULT } from './lines.js';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
/** In a column name: where lines end with CR alone, as they did on old Macs, all of them would be names. */
const loneReturn = /\r(?!\n)/;

/** What was read of a file, and how far that is in the file. */
export interface FileContent {
  readonly bytes: Buffer;
  readonly bytesDone: number;
}

export interface FileBatch {
  readonly records: DataRecord[];
  readonly bytesDone: number;
}

/** The rows of a file. Throws InputDataError for what is not CSV, and for two columns of one name. */
export async function* csvRows(
  file: InputFile,
  content: AsyncIterable<FileContent>,
  rowBytesMax = LINE_BYTES_MAX_DEFAULT,
): AsyncGenerator<FileBatch> {
  const rows = new Rows(file, rowBytesMax);
  const parser = await rows.open();
  const stopped = new Promise<void>((resolve) => {
    parser.on('error', (error) => {
      rows.failure = error;
      resolve();
    });
    parser.on('end', resolve);
  });
  for await (const { bytes, bytesDone } of content) {
    rows.learn(bytes);
    await new Promise<void>((resolve) => {
      parser.write(bytes, () => resolve());
    });
    yield { records: rows.taken(), bytesDone };
  }
  parser.end();
  await stopped;
  yield { records: rows.taken(), bytesDone: file.sizeBytes };
}

/** What the parser has found, and where in the file it lies. */
class Rows {
  readonly #file: InputFile;
  readonly #rowBytesMax: number;
  #records: DataRecord[] = [];
  /** Where the last row ended. */
  #offset = 0;
  #emptyLines = 0;
  /** Of the first line, and so of all: the parser does not say how long the empty lines are that it leaves out. */
  #lineEndBytes: number | undefined;
  #lastByte: number | undefined;
  failure: Error | undefined;

  constructor(file: InputFile, rowBytesMax: number) {
    this.#file = file;
    this.#rowBytesMax = rowBytesMax;
  }

  async open(): Promise<Parser> {
    const { parse } = await import('csv-parse');
    const parser = parse({
      bom: true,
      record_delimiter: ['\r\n', '\n'],
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: this.#rowBytesMax,
      columns: (names: string[]) => {
        this.#expectNames(names);
        this.#passed(parser.info);
        return names;
      },
    });
    parser.on('data', ({ record, info }: { record: unknown; info: Info }) => {
      const empty = (info.empty_lines - this.#emptyLines) * this.#lineEndBytes!;
      this.#records.push({ record, offset: this.#offset + empty });
      this.#passed(info);
    });
    return parser;
  }

  /** Sees what the parser is given next. */
  learn(bytes: Buffer): void {
    if (this.#lineEndBytes !== undefined) return;
    const at = bytes.indexOf(lineFeed);
    if (at >= 0) this.#lineEndBytes = (bytes[at - 1] ?? this.#lastByte) === carriageReturn ? 2 : 1;
    this.#lastByte = bytes.at(-1);
  }

  /** The records since it was last asked. Throws InputDataError. */
  taken(): DataRecord[] {
    const { failure } = this;
    if (failure instanceof InputDataError) throw failure;
    if (failure) {
      const reason = reasonOf(failure, this.#rowBytesMax);
      throw new InputDataError(this.#file.name, this.#offset, reason, { cause: failure });
    }
    const batch = this.#records;
    this.#records = [];
    return batch;
  }

  #passed({ bytes, empty_lines }: Info): void {
    this.#offset = bytes;
    this.#emptyLines = empty_lines;
  }

  /** Of two columns with one name a row would have the last. Those without a name are nobody's. */
  #expectNames(names: readonly string[]): void {
    const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
    if (twice !== undefined)
      throw new InputDataError(this.#file.name, 0, `two columns are called ${showKey(twice)}`);
    const unbroken = names.find((name) => loneReturn.test(name));
    if (unbroken !== undefined) {
      const where = `the column name ${showKey(unbroken)} holds a CR`;
      throw new InputDataError(this.#file.name, 0, `lines end with LF or CRLF, and ${where}`);
    }
  }
}

function reasonOf(failure: Error, rowBytesMax: number): string {
  return (failure as { code?: unknown }).code === 'CSV_MAX_RECORD_SIZE'
    ? `a row is longer than ${rowBytesMax} bytes; is a quote missing?`
    : `not CSV: ${failure.message}`;
}

/** Records as they are handed to `map`, and those that are lines of JSON. */
import { withFields } from '../../jobs/fields.js';
import { InputDataError } from './errors.js';
import type { InputFile } from './input-file.js';
import type { Line } from './lines.js';

export interface DataRecord {
  /** What `map` gets. */
  readonly record: unknown;
  /** Where it starts: in bytes of the file, decompressed if it is compressed. */
  readonly offset: number;
}

export interface RecordBatch {
  readonly file: InputFile;
  readonly records: Iterable<DataRecord>;
  /** Bytes of the split read so far, as they lie on the disk. */
  readonly bytesDone: number;
}

/** Blank lines are no records. */
export function* jsonRecords(
  file: InputFile,
  lines: readonly Line[],
  fields: readonly string[] | undefined,
): Generator<DataRecord> {
  for (const { text, offset } of lines) {
    if (text.trim() === '') continue;
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch (error) {
      throw new InputDataError(file.name, offset, `not a JSON value: ${(error as Error).message}`, {
        cause: error,
      });
    }
    yield { record: fields === undefined ? record : withFields(record, fields), offset };
  }
}

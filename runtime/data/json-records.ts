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

/** A record that is not what its format promises. Whoever can leave it out does; any other is told when it asks for it. */
export class BrokenRecord implements DataRecord {
  readonly error: InputDataError;

  constructor(error: InputDataError) {
    this.error = error;
  }

  get record(): never {
    throw this.error;
  }

  get offset(): number {
    return this.error.offset;
  }
}

export interface RecordBatch {
  readonly file: InputFile;
  readonly records: Iterable<DataRecord>;
  /** Bytes of the split read so far, as they lie on the disk. */
  readonly bytesDone: number;
}

/** Blank lines are no records, and those that are no JSON are broken ones. */
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
      const reason = `not a JSON value: ${(error as Error).message}`;
      yield new BrokenRecord(new InputDataError(file.name, offset, reason, { cause: error }));
      continue;
    }
    yield { record: fields === undefined ? record : withFields(record, fields), offset };
  }
}

/**
 * The records of one split, in the job's input format, in bounded memory. What is not as its format promises is an
 * InputDataError with its offset. A line of NDJSON is then a broken record (json-records.ts) among others; after anything else
 * nothing can be read.
 */
import type { Job } from '../../jobs/types.js';
import { csvRows, type FileBatch, type FileContent } from './csv-rows.js';
import { decompressed, diskChunks } from './decompress.js';
import { InputDataError } from './errors.js';
import { isForFields, readFields } from './field-records.js';
import { expectPinned, type InputFile, openInput } from './input-file.js';
import { type DataRecord, jsonRecords, type RecordBatch } from './json-records.js';
import type { Line, ReadOptions } from './lines.js';
import type { SplitRange } from './plan.js';
import { readSplit } from './split-reader.js';

/** A file that one record is made of must fit into memory several times over. */
const wholeBytesMax = 256 * 1024 * 1024;

/** How the job wants its records. */
export type RecordsWanted = Pick<Job, 'inputFormat' | 'fields'>;

/** Reads the ranges of a split in order; throws InputDataError, InputChangedError and DiskError. */
export async function* readRecords(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  { inputFormat: format = 'lines', fields }: RecordsWanted,
  options: ReadOptions = {},
): AsyncGenerator<RecordBatch> {
  if (format === 'ndjson' && fields !== undefined && isForFields(files, ranges, fields)) {
    yield* readFields(files, ranges, fields);
    return;
  }
  if (format === 'lines' || format === 'ndjson') {
    for await (const { file, lines, bytesDone } of readSplit(files, ranges, options)) {
      const records = format === 'lines' ? linesAsRecords(lines) : jsonRecords(file, lines, fields);
      yield { file, records, bytesDone };
    }
    return;
  }
  let rangesDone = 0;
  for (const range of ranges) {
    const file = files[range.file]!;
    const batches =
      format === 'whole'
        ? wholeFile(file, options)
        : csvRows(file, contentOf(file, options), options.lineBytesMax);
    for await (const { records, bytesDone } of batches)
      yield { file, records, bytesDone: rangesDone + bytesDone };
    rangesDone += range.end - range.start;
  }
}

function* linesAsRecords(lines: readonly Line[]): Generator<DataRecord> {
  for (const { text, offset } of lines) yield { record: text, offset };
}

async function* wholeFile(file: InputFile, options: ReadOptions): AsyncGenerator<FileBatch> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of contentOf(file, options)) {
    bytes += chunk.bytes.length;
    if (bytes > wholeBytesMax) {
      throw new InputDataError(
        file.name,
        0,
        `a whole file is one record, and it has more than ${wholeBytesMax} bytes`,
      );
    }
    pieces.push(chunk.bytes);
  }
  // TextDecoder drops a byte-order mark, and puts U+FFFD where the bytes are no UTF-8.
  const record = new TextDecoder().decode(Buffer.concat(pieces));
  yield { records: [{ record, offset: 0 }], bytesDone: file.sizeBytes };
}

/** The content of a file, decompressed, while the file stays the one that was planned. */
async function* contentOf(file: InputFile, { chunkBytes }: ReadOptions): AsyncGenerator<FileContent> {
  const handle = await openInput(file);
  try {
    expectPinned(file, await handle.stat({ bigint: true }));
    if (file.compression === 'none') {
      let bytesDone = 0;
      for await (const bytes of diskChunks(handle, file, chunkBytes))
        yield { bytes, bytesDone: (bytesDone += bytes.length) };
    } else yield* decompressed(file, handle, chunkBytes);
    expectPinned(file, await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

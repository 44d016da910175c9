/** One split, range after range, whether its files are compressed or not. */
import type { InputFile } from './inputs.js';
import {
  type Line,
  type ReadOptions,
  readCompressed,
  readCompressedLines,
  readLines,
  readRange,
  type Splitter,
  WHOLE,
} from './lines.js';
import type { SplitRange } from './plan.js';

export interface SplitBatch {
  readonly file: InputFile;
  readonly lines: readonly Line[];
  /** Bytes of the split read so far, as they lie on the disk. */
  readonly bytesDone: number;
}

/** How many bytes a split has on the disk. */
export function splitBytes(ranges: readonly SplitRange[]): number {
  return ranges.reduce((sum, range) => sum + range.end - range.start, 0);
}

/** Reads the ranges of a split in order; throws InputDataError, InputChangedError and DiskError. */
export function readSplit(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  options: ReadOptions = {},
): AsyncGenerator<SplitBatch> {
  return overRanges(files, ranges, (file, range) =>
    file.compression === 'none' ? readLines(file, range, options) : readCompressedLines(file, options),
  );
}

/** The same for whoever wants no lines: each range goes through a splitter of its own. Yields after each chunk. */
export function readSplitThrough(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  splitterOf: (file: InputFile, range: { readonly start: number; readonly end: number }) => Splitter<void>,
): AsyncGenerator<Pick<SplitBatch, 'bytesDone'>> {
  return overRanges(files, ranges, (file, range) =>
    file.compression === 'none'
      ? readRange(file, range, splitterOf(file, range))
      : readCompressed(file, splitterOf(file, WHOLE)),
  );
}

/** What is read of each range, with its file, and with the bytes read of the split instead of the range. */
async function* overRanges<T extends { readonly bytesDone: number }>(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  read: (file: InputFile, range: SplitRange) => Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<T & { readonly file: InputFile }> {
  let rangesDone = 0;
  for (const range of ranges) {
    const file = files[range.file]!;
    for await (const piece of read(file, range)) {
      yield { ...piece, file, bytesDone: rangesDone + piece.bytesDone };
    }
    rangesDone += range.end - range.start;
  }
}

/** One split, range after range, whether its files are compressed or not. */
import { breathe, type Progress } from './attempt.js';
import type { InputFile } from './input-file.js';
import { type Line, type ReadOptions, readCompressedLines, readLines } from './lines.js';
import type { SplitRange } from './plan.js';
import { readCompressed, readRange, type Splitter, WHOLE } from './read-range.js';

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
export async function* readSplit(
  files: readonly InputFile[],
  ranges: readonly SplitRange[],
  options: ReadOptions = {},
): AsyncGenerator<SplitBatch> {
  let rangesDone = 0;
  for (const range of ranges) {
    const file = files[range.file]!;
    const batches =
      file.compression === 'none' ? readLines(file, range, options) : readCompressedLines(file, options);
    for await (const { lines, bytesDone } of batches) {
      yield { file, lines, bytesDone: rangesDone + bytesDone };
    }
    rangesDone += range.end - range.start;
  }
}

/**
 * The same for whoever wants no lines: each range goes through a splitter of its own. Tells progress and takes a breath after
 * each chunk. No asynchronous iterator hands on what was read without waiting: its promises cost more than the breath.
 */
export async function readSplitThrough(
  { files, ranges, progress }: SplitReading,
  splitterOf: (file: InputFile, range: { readonly start: number; readonly end: number }) => Splitter<void>,
): Promise<void> {
  const bytesTotal = splitBytes(ranges);
  let rangesDone = 0;
  const onRead = async (bytesDone: number): Promise<void> => {
    progress?.(rangesDone + bytesDone, bytesTotal);
    await breathe();
  };
  for (const range of ranges) {
    const file = files[range.file]!;
    if (file.compression === 'none') {
      for (const { bytesDone } of readRange(file, range, splitterOf(file, range))) await onRead(bytesDone);
    } else {
      const pieces = readCompressed(file, splitterOf(file, WHOLE));
      for await (const { bytesDone } of pieces) await onRead(bytesDone);
    }
    rangesDone += range.end - range.start;
  }
}

/** Of a map attempt. */
export interface SplitReading {
  readonly files: readonly InputFile[];
  readonly ranges: readonly SplitRange[];
  readonly progress?: Progress;
}

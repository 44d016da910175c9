/**
 * Cuts the inputs of a job into splits, one per map task. Needs sizes only and reads nothing, so it is a pure
 * function: the same files and options give the same plan.
 *
 * The rule: lay all files end to end in path order and cut that line of bytes into N equal pieces. A cut that falls
 * into a small file (at most an eighth of a piece) moves to the nearer end of it, so that small files stay whole; a
 * cut inside a large file stays where it falls, and the reader aligns it to lines. A compressed file cannot be
 * entered half way and belongs whole to the piece in which it starts; pieces that are thereby left empty are dropped.
 *
 * N is `targetMaps` if given; else one piece per `splitBytes`, and without `splitBytes` one per 16 MiB but at least
 * two per slot, as long as these have 256 KiB. There are never more pieces than bytes, and always at least one split, which may hold no ranges.
 */

import type { Compression } from './input-file.js';

/** A piece of one file: `file` indexes the list of inputs; bytes from `start` up to but without `end`. */
export interface SplitRange {
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

export interface SplitPlan<F> {
  readonly files: readonly F[];
  /** The ranges of each split, in path order. */
  readonly splits: readonly (readonly SplitRange[])[];
}

export interface PlanOptions {
  /** How many map tasks are wanted (`-m`). */
  readonly targetMaps?: number;
  /** How large a split should be; ignored when `targetMaps` is given. */
  readonly splitBytes?: number;
  /** How many tasks can run at once. */
  readonly slots: number;
  /** No file may be entered half way: its format does not tell where a record begins. */
  readonly wholeFiles?: boolean;
  /** A file without a byte is to be read as well: it is a record. */
  readonly emptyFiles?: boolean;
}

export const SPLIT_BYTES_DEFAULT = 16 * 1024 * 1024;
const SPLITS_PER_SLOT_MIN = 2;
/** A task costs some milliseconds, in which a slot maps about so much. */
const SPLIT_BYTES_MIN = 256 * 1024;
/** A file up to this part of a piece is not cut. */
const SMALL_FILE_PART = 8;

/** Assigns every byte of every file to exactly one split, in order. */
export function planSplits<F extends { readonly sizeBytes: number; readonly compression: Compression }>(
  files: readonly F[],
  options: PlanOptions,
): SplitPlan<F> {
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const pieces = Math.max(1, Math.min(totalBytes, wantedPieces(totalBytes, options)));
  const splits: SplitRange[][] = Array.from({ length: pieces }, () => []);
  const pieceBytes = totalBytes / pieces;

  let piece = 0;
  let fileStart = 0;
  for (const [index, file] of files.entries()) {
    const fileEnd = fileStart + file.sizeBytes;
    const whole = options.wholeFiles === true || file.compression !== 'none';
    const small = file.sizeBytes * SMALL_FILE_PART <= pieceBytes;
    let start = fileStart;
    if (options.emptyFiles === true && start === fileEnd)
      splits[piece]!.push({ file: index, start: 0, end: 0 });
    while (start < fileEnd) {
      while (boundary(piece + 1, pieces, totalBytes) <= start) piece++;
      let cut = boundary(piece + 1, pieces, totalBytes);
      if (whole) cut = fileEnd;
      else if (small && cut < fileEnd) {
        if (cut - fileStart < fileEnd - cut) piece++;
        cut = fileEnd;
      }
      const end = Math.min(cut, fileEnd);
      splits[piece]!.push({ file: index, start: start - fileStart, end: end - fileStart });
      start = end;
    }
    fileStart = fileEnd;
  }
  const filled = splits.filter((ranges) => ranges.length > 0);
  return { files, splits: filled.length > 0 ? filled : [[]] };
}

function wantedPieces(totalBytes: number, options: PlanOptions): number {
  if (options.targetMaps !== undefined) return options.targetMaps;
  if (options.splitBytes !== undefined) return Math.ceil(totalBytes / options.splitBytes);
  const forSlots = Math.min(options.slots * SPLITS_PER_SLOT_MIN, Math.ceil(totalBytes / SPLIT_BYTES_MIN));
  return Math.max(Math.ceil(totalBytes / SPLIT_BYTES_DEFAULT), forSlots);
}

/** Where piece `index` begins, without products that could exceed exact integers. */
function boundary(index: number, pieces: number, totalBytes: number): number {
  const rest = totalBytes % pieces;
  return index * ((totalBytes - rest) / pieces) + Math.floor((index * rest) / pieces);
}

/**
 * Map outputs that a thread keeps open from one reduce to the next. Reduces of a job read the same files, each a partition
 * of its own, and to open and check a file takes longer than to read what is small.
 *
 * What is kept is bounded, and the first ones stay: who reads more files than that, in the same order each time, would
 * never find one that was opened last. Half of what may be open is left to everybody else: descriptors are given out from
 * the lowest one on, so that the number of one tells how many there are. A file that was removed or written to meanwhile is
 * opened again: what is wrong with it is to be noticed while it can be made good.
 */
import { openFilesMax } from '../open-files.js';
import { isForManyOpen } from './errors.js';
import { SegmentReader } from './segments/reader.js';

const FILES_MAX = 128;
/** An index of so many partitions may be held for each: 20 KB. */
const INDEXED_MAX = 1024;

let filesMax = FILES_MAX;

/** Open, and not read by anybody. */
const idle = new Map<string, SegmentReader>();

/** Ends with `giveBack`. Throws as the reader does. */
export function takeOutput(path: string): SegmentReader {
  const reader = idle.get(path);
  idle.delete(path);
  if (reader?.changed === false) return reader;
  reader?.close();
  try {
    return new SegmentReader(path);
  } catch (error) {
    if (!isForManyOpen(error) || !makeRoom()) throw error;
    return new SegmentReader(path);
  }
}

export function giveBack(reader: SegmentReader): void {
  const isToBeKept =
    idle.size < filesMax &&
    reader.descriptor < openFilesMax() / 2 &&
    reader.partitions <= INDEXED_MAX &&
    !idle.has(reader.path);
  if (isToBeKept) idle.set(reader.path, reader);
  else reader.close();
}

/** Too many files are open: closes those that are kept, if there are any, and keeps fewer from now on. */
export function makeRoom(): boolean {
  const { size } = idle;
  closeOutputs();
  if (size > 0) filesMax = Math.floor(size / 2);
  return size > 0;
}

/** No reduce will read them any more. */
export function closeOutputs(): void {
  for (const reader of idle.values()) reader.close();
  idle.clear();
}

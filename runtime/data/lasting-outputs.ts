/**
 * Map outputs that a thread keeps open from one reduce to the next. Reduces of a job read the same files, each a partition
 * of its own, and to open and check a file takes longer than to read what is small.
 *
 * What is kept is bounded, and the first ones stay: who reads more files than that, in the same order each time, would never
 * find one that was opened last. A file that was removed meanwhile is still the output that it was.
 */
import { SegmentReader } from './segments.js';

const FILES_MAX = 128;
/** An index of so many partitions may be held for each: 20 KB. */
const PARTITIONS_MAX = 1024;

/** Open, and not read by anybody. */
const idle = new Map<string, SegmentReader>();

/** Ends with `giveBack`. Throws as the reader does. */
export function takeOutput(path: string): SegmentReader {
  const reader = idle.get(path);
  if (reader === undefined) return new SegmentReader(path);
  idle.delete(path);
  return reader;
}

export function giveBack(reader: SegmentReader): void {
  const isToBeKept = idle.size < FILES_MAX && reader.partitions <= PARTITIONS_MAX && !idle.has(reader.path);
  if (isToBeKept) idle.set(reader.path, reader);
  else reader.close();
}

/** No reduce will read them any more. */
export function closeOutputs(): void {
  for (const reader of idle.values()) reader.close();
  idle.clear();
}

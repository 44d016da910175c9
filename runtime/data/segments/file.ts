/** Files of segments on the disk: what is not there, or shorter than it says, is named as such. */
import { openSync, readSync } from 'node:fs';
import { errnoOf, onDisk } from '../disk.js';
import { DiskError, SegmentCorruptError, SegmentMissingError } from '../errors.js';

/** Returns a descriptor. */
export function openSegments(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') throw new SegmentMissingError(path);
    throw errno === undefined ? error : new DiskError(path, errno, error);
  }
}

/** Reads exactly `length` bytes. */
export function readInto(
  path: string,
  descriptor: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
): void {
  for (let done = 0; done < length; ) {
    const read = onDisk(path, () =>
      readSync(descriptor, into, offset + done, length - done, position + done),
    );
    if (read === 0) throw new SegmentCorruptError(path, 'it is cut short');
    done += read;
  }
}

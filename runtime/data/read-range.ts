/** Reads one range of one input file, which is or is not compressed, through whatever cuts it into pieces. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { decompressed } from './decompress.js';
import { onDisk } from './disk.js';
import { InputChangedError } from './errors.js';
import { expectPinned, type InputFile, openInput, openPinned } from './input-file.js';

/** The range of a file that cannot be cut. */
export const WHOLE = { start: 0, end: Number.MAX_SAFE_INTEGER };

/**
 * Cuts a stream of bytes into what the caller wants. The reader reads into `space()` and hands over with `take(length)`,
 * until it is `done` or the file ends.
 */
export interface Splitter<T> {
  /** Where in the file the next byte that is read belongs. */
  readonly position: number;
  /** No line that starts later belongs to this range. */
  readonly done: boolean;
  space(): Uint8Array;
  take(length: number): T;
  /** The end of the file was reached. */
  finish(): T;
}

/** What a splitter made of one chunk. */
export interface Piece<T> {
  readonly taken: T;
  /** How much of the range was read so far, in bytes of the file as it lies on the disk. */
  readonly bytesDone: number;
}

/** Reads an uncompressed file through a splitter, from where it begins until it is done. */
export function* readRange<T>(
  file: InputFile,
  range: { readonly start: number; readonly end: number },
  splitter: Splitter<T>,
): Generator<Piece<T>> {
  const descriptor = openPinned(file);
  try {
    while (!splitter.done) {
      const space = splitter.space();
      const position = splitter.position;
      const length = Math.min(space.length, file.sizeBytes - position);
      const read =
        length === 0 ? 0 : onDisk(file.path, () => readSync(descriptor, space, 0, length, position));
      if (length > 0 && read === 0) throw new InputChangedError(file.name, 'it is shorter than it was');
      const taken = read === 0 ? splitter.finish() : splitter.take(read);
      yield { taken, bytesDone: Math.min(splitter.position, range.end) - range.start };
    }
    expectPinned(file, fstatSync(descriptor, { bigint: true }));
  } finally {
    closeSync(descriptor);
  }
}

/** Reads a compressed file through a splitter. */
export async function* readCompressed<T>(
  file: InputFile,
  splitter: Splitter<T>,
  options: { readonly chunkBytes?: number } = {},
): AsyncGenerator<Piece<T>> {
  const handle = await openInput(file);
  try {
    expectPinned(file, await handle.stat({ bigint: true }));
    for await (const { bytes, bytesDone } of decompressed(file, handle, options.chunkBytes)) {
      for (let at = 0; at < bytes.length; ) {
        const space = splitter.space();
        const copied = bytes.copy(space, 0, at);
        at += copied;
        yield { taken: splitter.take(copied), bytesDone };
      }
    }
    yield { taken: splitter.finish(), bytesDone: file.sizeBytes };
    expectPinned(file, await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/** One file that a job reads: what was known of it when the job was planned, and whether it is still that file. */
import { type BigIntStats, closeSync, fstatSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from './disk.js';
import { DiskError, InputChangedError } from './errors.js';

/** By the end of its name: `.gz`, `.zst`. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** One file that a job reads. */
export interface InputFile {
  /** Absolute path. */
  readonly path: string;
  /** The path as the user would say it: relative if the pattern was. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Modification time in nanoseconds since 1970, in decimal. */
  readonly mtimeNs: string;
  readonly inode: string;
  readonly compression: Compression;
}

/** How much is read at once, unless told otherwise. */
export const CHUNK_BYTES_DEFAULT = 256 * 1024;

/** Opens a file that was planned. Throws InputChangedError when it is gone, DiskError when the disk refuses. */
export async function openInput(file: InputFile): Promise<FileHandle> {
  return await open(file.path, 'r').catch((error: unknown) => {
    throw openFailure(file, error);
  });
}

function openFailure(file: InputFile, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return new InputChangedError(file.name, 'it is gone');
  return errno === undefined ? error : new DiskError(file.path, errno, error);
}

/** The same without waiting, and compared with what was planned. Returns a descriptor. */
export function openPinned(file: InputFile): number {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, 'r');
  } catch (error) {
    throw openFailure(file, error);
  }
  try {
    expectPinned(file, fstatSync(descriptor, { bigint: true }));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

/** Throws InputChangedError unless the file is still the one that was planned. */
export function expectPinned(file: InputFile, stats: BigIntStats): void {
  const size = Number(stats.size);
  if (size !== file.sizeBytes) {
    throw new InputChangedError(file.name, `it had ${file.sizeBytes} bytes and has ${size}`);
  }
  if (String(stats.ino) !== file.inode) throw new InputChangedError(file.name, 'another file took its place');
  if (String(stats.mtimeNs) !== file.mtimeNs) throw new InputChangedError(file.name, 'it was written to');
}

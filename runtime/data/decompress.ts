/**
 * The bytes of a compressed input, piece by piece: gzip through zlib, zstd through zlib where this Node has it and
 * through fzstd where it has not. Memory is bounded by what the formats ask for (a window of zstd has at most 128 MiB).
 *
 * A file that is damaged or cut short is an InputDataError at the compressed byte that was reached, never a shorter
 * input. One limit: fzstd does not compare the checksum of the content, so that a flipped bit which still decodes is
 * found on Node 22.15 and later only.
 */
import type { FileHandle } from 'node:fs/promises';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { errnoOf } from './disk.js';
import { DiskError, InputChangedError, InputDataError } from './errors.js';
import { CHUNK_BYTES_DEFAULT, type InputFile } from './input-file.js';

/** A piece of a file's content. */
export interface Chunk {
  readonly bytes: Buffer;
  /** How much of the file was read so far, as it lies on the disk. */
  readonly bytesDone: number;
}

/** The content of a compressed file. The caller has opened and checked `handle`, and closes it. */
export async function* decompressed(
  file: InputFile,
  handle: FileHandle,
  chunkBytes = CHUNK_BYTES_DEFAULT,
): AsyncGenerator<Chunk> {
  const source = diskChunks(handle, file, chunkBytes);
  if (file.compression === 'gzip')
    yield* throughZlib(file, source, zlib.createGunzip({ chunkSize: Math.max(64, chunkBytes) }));
  else if (hasZstd(zlib)) yield* throughZlib(file, source, zlib.createZstdDecompress());
  else yield* throughFzstd(file, source);
}

/** The file as it lies on the disk. */
export async function* diskChunks(
  handle: FileHandle,
  file: InputFile,
  chunkBytes = CHUNK_BYTES_DEFAULT,
): AsyncGenerator<Buffer> {
  for (let position = 0; position < file.sizeBytes; ) {
    const length = Math.min(chunkBytes, file.sizeBytes - position);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) throw new InputChangedError(file.name, 'it is shorter than it was');
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

type Zlib = typeof zlib;
type ZlibWithZstd = Zlib & { createZstdDecompress(): Duplex & { readonly bytesWritten: number } };

/** Node has it from 22.15 on. */
function hasZstd(module: Zlib): module is ZlibWithZstd {
  return 'createZstdDecompress' in module;
}

async function* throughZlib(
  file: InputFile,
  source: AsyncIterable<Buffer>,
  inflater: Duplex & { readonly bytesWritten: number },
): AsyncGenerator<Chunk> {
  const flow = pipeline(Readable.from(source, { objectMode: false }), inflater);
  flow.catch(() => {}); // the loop below meets the same error
  try {
    for await (const bytes of inflater as AsyncIterable<Buffer>)
      yield { bytes, bytesDone: inflater.bytesWritten };
    await flow;
  } catch (error) {
    throw zlibFailure(file, error, inflater.bytesWritten);
  } finally {
    inflater.destroy();
    await flow.catch(() => {});
  }
}

function zlibFailure(file: InputFile, error: unknown, offset: number): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === 'string' && (code.startsWith('Z_') || code.startsWith('ZSTD_'))) {
    const cut = code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong';
    return damaged(file, offset, cut ? 'end too early' : 'are damaged', error);
  }
  const errno = errnoOf(error);
  return errno === undefined ? error : new DiskError(file.path, errno, error);
}

async function* throughFzstd(file: InputFile, source: AsyncIterable<Buffer>): AsyncGenerator<Chunk> {
  const { Decompress, ZstdErrorCode } = await import('fzstd');
  const ready: Buffer[] = [];
  const inflater = new Decompress((data) => ready.push(Buffer.from(data)));
  let bytesDone = 0;
  const push = (bytes: Uint8Array, final: boolean): void => {
    try {
      inflater.push(bytes, final);
    } catch (error) {
      const cut = (error as { code?: unknown }).code === ZstdErrorCode.UnexpectedEOF;
      throw damaged(file, bytesDone, cut ? 'end too early' : 'are damaged', error);
    }
  };
  for await (const compressed of source) {
    push(compressed, false);
    bytesDone += compressed.length;
    for (const bytes of ready.splice(0)) yield { bytes, bytesDone };
  }
  push(new Uint8Array(0), true);
  for (const bytes of ready.splice(0)) yield { bytes, bytesDone };
}

function damaged(file: InputFile, offset: number, how: string, cause: unknown): InputDataError {
  return new InputDataError(file.name, offset, `the ${file.compression} data ${how}`, { cause });
}

/**
 * LZ4 blocks, each behind four bytes that say how large it was. The library is native code that not every machine can
 * have: it is loaded when it is first asked for.
 */
import { createRequire } from 'node:module';

type Library = typeof import('lz4-napi');

let loaded: Library | undefined;

/** Throws when there is no build of the library for this machine. */
function library(): Library {
  loaded ??= createRequire(import.meta.url)('lz4-napi') as Library;
  return loaded;
}

export function isLz4There(): boolean {
  try {
    library();
    return true;
  } catch {
    return false;
  }
}

/** Off the event loop. */
export function pack(bytes: Buffer): Promise<Buffer> {
  return library().compress(bytes);
}

const sizeBytes = 4;

/** Undefined for what is no block of at most `bytesMax` bytes. */
export function unpack(block: Buffer, bytesMax: number): Buffer | undefined {
  // Before the library, which believes what is written there.
  if (block.length < sizeBytes || block.readUInt32LE(0) > bytesMax) return undefined;
  try {
    return library().uncompressSync(block);
  } catch {
    return undefined;
  }
}

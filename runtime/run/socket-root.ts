/** Where sockets lie. */
import { tmpdir } from 'node:os';

/** A socket's path may have about a hundred bytes, names of folders and sockets included. */
const rootBytesMax = 60;

/** The system's folder for what is temporary, unless that is too deep. */
export function socketRoot(): string {
  return Buffer.byteLength(tmpdir()) <= rootBytesMax ? tmpdir() : '/tmp';
}

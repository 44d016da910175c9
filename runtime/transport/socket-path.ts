/** The file of a Unix socket: whether its path can be used, and what lies there from before. */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { socketPathBytesMax } from './limits.js';

/** @throws RangeError when the system would cut the path, and others would look for the socket elsewhere. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > socketPathBytesMax) {
    throw new RangeError(
      `the path of a Unix socket may have ${socketPathBytesMax} bytes, and this one has ${bytes}: ${path}`,
    );
  }
}

/**
 * Removes a socket that nobody serves.
 * @throws Error when somebody serves it, or something else has that name.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return;
  if (!file.isSocket()) throw new Error(`there is a file that is no socket at ${path}`);
  if (await served(path)) throw new Error(`another process listens at ${path}`);
  await unlink(path);
}

function served(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

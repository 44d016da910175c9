/**
 * Removing files and folders at once. What Node offers for that looks at each file before it removes it, and is a hundred
 * steps of code that a run needs once, at its end. A folder must not be filled by others meanwhile.
 */
import { type Dirent, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Removes the file or the folder with all that is in it, if it is there. */
export function removeTree(path: string): void {
  const entries = entriesOf(path);
  if (entries === undefined) return removeFile(path);
  for (const entry of entries) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) removeTree(inside);
    else removeFile(inside);
  }
  rmdirSync(path);
}

/** Removes the file, if it is there. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Undefined when there is no such folder. */
function entriesOf(path: string): Dirent[] | undefined {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

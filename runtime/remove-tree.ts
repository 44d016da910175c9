/**
 * Removing files and folders at once. What Node offers for that looks at each file before it removes it, and is a hundred
 * steps of code that a run needs once, at its end. A folder must not be filled by others meanwhile. Links are removed, and
 * never followed.
 */
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Removes the file or the folder with all that is in it, if it is there. */
export function removeTree(path: string): void {
  const stats = unlessAbsent(() => lstatSync(path));
  if (stats?.isDirectory()) removeFolder(path);
  else if (stats) removeFile(path);
}

/** Removes the file, if it is there. */
export function removeFile(path: string): void {
  unlessAbsent(() => unlinkSync(path));
}

function unlessAbsent<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function removeFolder(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) removeFolder(inside);
    else removeFile(inside);
  }
  rmdirSync(path);
}

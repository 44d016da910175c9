/**
 * Makes a folder that a user has named, and those above it. Node's own way of doing so (20) never comes to an end where a
 * folder is there and nothing can be made in it, as in /proc.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** It may be there already, or be made by others meanwhile. Throws what the system says of the first that cannot be made. */
export function makeFolder(path: string, mode = 0o777): void {
  const folder = resolve(path);
  const missing = [folder];
  for (let above = dirname(folder); !existsSync(above); above = dirname(above)) missing.push(above);
  for (const one of missing.reverse()) {
    try {
      mkdirSync(one, mode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(one)) throw error;
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

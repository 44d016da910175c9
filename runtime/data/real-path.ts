/** Places compared by where they really are, through whatever links they were named; also places at which nothing is yet. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

/** The path without symbolic links, as far as it exists. Nothing is awaited: some who ask must not be interrupted. */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

/** Names that stand for another file in each process: what it has open. */
const OF_ONE_PROCESS = /^\/dev\/(stdin|fd\/\d+)$|^\/proc\/(self|thread-self)\/fd\/\d+$/;

export function isOfOneProcess(path: string): boolean {
  return OF_ONE_PROCESS.test(path);
}

/** By what name other processes find the file; the given one where there is no other. */
export function commonNameOf(path: string): string {
  if (!isOfOneProcess(path)) return path;
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

/** Whether a real path is that folder, or below it. */
export function isWithin(path: string, folder: string): boolean {
  const between = relative(folder, path);
  return between !== '..' && !between.startsWith(`..${sep}`);
}

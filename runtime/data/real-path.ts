/** Places compared by where they really are, through whatever links they were named; also places at which nothing is yet. */
import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';

/** The path without symbolic links, as far as it exists. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPathOf(parent), basename(path));
  }
}

/** The same without waiting: no signal comes in between. */
export function realPathNow(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathNow(parent), basename(path));
  }
}

/** Names that stand for another file in each process: what it has open. */
const OF_ONE_PROCESS = /^\/dev\/(stdin|fd\/\d+)$|^\/proc\/(self|thread-self)\/fd\/\d+$/;

export function isOfOneProcess(path: string): boolean {
  return OF_ONE_PROCESS.test(path);
}

/** By what name other processes find the file; the given one where there is no other. */
export async function commonNameOf(path: string): Promise<string> {
  return isOfOneProcess(path) ? await realpath(path).catch(() => path) : path;
}

/** Whether a real path is that folder, or below it. */
export function isWithin(path: string, folder: string): boolean {
  const between = relative(folder, path);
  return between !== '..' && !between.startsWith(`..${sep}`);
}

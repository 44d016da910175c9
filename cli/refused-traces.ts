/** What is refused of the traces that a command reads. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { lifeName } from '../core/ids.js';
import type { NodeTrace } from '../sim/explain/merge.js';
import { sayPath } from './run/prepare.js';
import { UserError } from './user-error.js';

export function refuseOutputOver(files: readonly string[], output: string): void {
  if (!existsSync(output) || !files.some((file) => isSame(file, output))) return;
  throw new UserError({ code: 'U031', what: '-o names one of the traces that are read', where: output });
}

/** Of several runs the traces go to numbered folders in it. */
export function refuseFolderOver(files: readonly string[], folder: string): void {
  if (!existsSync(folder)) return;
  for (const read of new Set(files.map((file) => dirname(realpathSync(file))))) {
    const place = /^\d+$/.test(basename(read)) && !isSame(read, folder) ? dirname(read) : read;
    if (!isSame(place, folder)) continue;
    const what = '--trace names the folder of the traces that are read';
    throw new UserError({ code: 'U031', what, where: folder, next: 'name another folder' });
  }
}

/** By whatever names. */
function isSame(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other);
}

/** Two traces of one life are of different runs: laid side by side they would tell of things that never happened. */
export function refuseStrangers(traces: readonly NodeTrace[], files: readonly string[]): void {
  const fileOf = new Map<string, string>();
  for (const [index, { header }] of traces.entries()) {
    const name = lifeName(header.setup.life);
    const other = fileOf.get(name);
    if (other !== undefined) {
      throw new UserError({
        code: 'T006',
        what: `two traces are of ${name}: they are not of one run`,
        where: `${sayPath(other)}, ${sayPath(files[index]!)}`,
        next: 'name one run, or traces of one run',
      });
    }
    fileOf.set(name, files[index]!);
  }
}

/** What is refused of the traces that a command reads. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lifeName } from '../core/ids.js';
import type { NodeTrace } from '../sim/explain/merge.js';
import { sayPath } from './run/prepare.js';
import { UserError } from './user-error.js';

export function refuseOutputOver(files: readonly string[], output: string): void {
  if (!existsSync(output) || !files.some((file) => isSame(file, output))) return;
  throw new UserError({ code: 'U031', what: '-o names one of the traces that are read', where: output });
}

/** `runs`: the traces of one run go into the folder itself, of several to folders in it, numbered from 1. */
export function refuseFolderOver(files: readonly string[], folder: string, runs: number): void {
  const read = new Set(files.map((file) => dirname(realpathSync(file))));
  const where = foldersWritten(folder, runs).find((place) => read.has(realpathSync(place)));
  if (where === undefined) return;
  const what = `--trace ${where === folder ? 'names' : 'would write into'} the folder of the traces that are read`;
  throw new UserError({ code: 'U031', what, where, next: 'name another folder' });
}

/** Those of them that are there. */
function foldersWritten(folder: string, runs: number): string[] {
  if (!isFolder(folder)) return [];
  if (runs === 1) return [folder];
  const numbered = readdirSync(folder).filter((name) => /^[1-9]\d*$/.test(name) && Number(name) <= runs);
  return numbered.map((name) => join(folder, name)).filter(isFolder);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
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

/**
 * The folder of `sim --trace`. What earlier simulations have left there goes first: of another run there may be fewer lives of
 * nodes or fewer runs, and what stayed beside the new traces would be taken for theirs. What anybody else has put there stays.
 */
import { readdirSync, realpathSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lifeName } from '../core/ids.js';
import type { TraceHeader } from '../core/trace.js';
import { makeFolder } from '../runtime/make-folder.js';
import type { TraceRecorder } from '../sim/traced.js';
import { sayPath } from './run/prepare.js';
import { readHeader } from './traces.js';
import { UserError } from './user-error.js';

/** The traces of one run go into the folder itself, of several to folders in it, numbered from 1. */
export function folderOfRun(folder: string, number: number, runs: number): string {
  return runs > 1 ? join(folder, String(number)) : folder;
}

/** `read`: traces that are to be played from folders into which nothing may be written then. */
export function refuseFolderOver(read: readonly string[], folder: string, runs: number): void {
  const reading = foldersOf(read);
  const where = foldersWritten(folder, runs).find((place) => reading.has(realpathSync(place)));
  if (where === undefined) return;
  const what = `--trace ${where === folder ? 'names' : 'would write into'} the folder of the traces that are read`;
  throw new UserError({ code: 'U031', what, where, next: 'name another folder' });
}

/** `read`: traces that are to be played, which stay. Nothing goes where a trace of real processes would be among the new ones. */
export function clearTraceFolder(folder: string, runs: number, read: readonly string[]): void {
  for (const place of foldersWritten(folder, runs)) refuseRealRun(place);
  const reading = foldersOf(read);
  for (const place of [...foldersLeft(folder, runs), folder]) {
    if (reading.has(realpathSync(place))) continue;
    const simulated = tracesIn(place).filter(({ header }) => header.driver === 'simulator');
    for (const { file } of simulated) rmSync(file);
    if (place !== folder && simulated.length > 0 && readdirSync(place).length === 0) rmdirSync(place);
  }
}

function refuseRealRun(place: string): void {
  const real = tracesIn(place).find(({ header }) => header.driver === 'runtime');
  if (!real) return;
  throw new UserError({
    code: 'U050',
    what: '--trace: a trace of real processes is there already',
    where: sayPath(real.file),
    next: 'name another folder: traces of simulations beside it would be taken for its own',
  });
}

/** In which files lie, by whatever names. */
function foldersOf(files: readonly string[]): Set<string> {
  return new Set(files.map((file) => dirname(realpathSync(file))));
}

/** Of the folders into which traces go, those that are there. */
function foldersWritten(folder: string, runs: number): string[] {
  if (runs === 1) return isFolder(folder) ? [folder] : [];
  return numberedFolders(folder)
    .filter(({ number }) => number <= runs)
    .map(({ path }) => path);
}

/** Those of an earlier command, as far as they follow each other, and those that get new traces. */
function foldersLeft(folder: string, runs: number): string[] {
  return numberedFolders(folder)
    .filter(({ number }, index) => number === index + 1 || number <= runs)
    .map(({ path }) => path);
}

interface NumberedFolder {
  readonly number: number;
  readonly path: string;
}

/** As `folderOfRun` calls them, in their order. */
function numberedFolders(folder: string): NumberedFolder[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map((name) => ({ number: Number(name), path: join(folder, name) }))
    .filter(({ path }) => isFolder(path))
    .sort((a, b) => a.number - b.number);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Files that are called as traces are called by whoever writes them. */
function tracesIn(folder: string): { readonly file: string; readonly header: TraceHeader }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = join(folder, entry.name);
    const header = entry.isFile() && entry.name.endsWith('.ndjson') ? readHeader(file) : undefined;
    return header && fileName(header) === entry.name ? [{ file, header }] : [];
  });
}

/** One file per life of a node, as a real run leaves them. */
export function writeTraces(recorder: TraceRecorder, folder: string): void {
  makeFolder(folder);
  for (const { header, lines } of recorder.traces) {
    const text = [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileSync(join(folder, fileName(header)), text);
  }
}

function fileName({ setup }: TraceHeader): string {
  return `${lifeName(setup.life)}.ndjson`;
}

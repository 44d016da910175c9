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

/** `read`: traces that are to be played, which stay. Nothing goes where a trace of real processes would be among the new ones. */
export function clearTraceFolder(folder: string, runs: number, read: readonly string[]): void {
  const numbered = numberedFolders(folder);
  for (const place of runs > 1 ? numbered.slice(0, runs) : [folder]) refuseRealRun(place);
  const reading = new Set(read.map((file) => dirname(realpathSync(file))));
  for (const place of [...numbered, folder]) {
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

/** Those of an earlier command, as far as they follow each other. */
function numberedFolders(folder: string): string[] {
  const numbered: string[] = [];
  for (;;) {
    const next = join(folder, String(numbered.length + 1));
    if (!statSync(next, { throwIfNoEntry: false })?.isDirectory()) return numbered;
    numbered.push(next);
  }
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

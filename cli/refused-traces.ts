/** What is refused of the traces that a command reads. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalText } from '../core/canonical.js';
import type { ClusterConfig } from '../core/config.js';
import { lifeName } from '../core/ids.js';
import type { TraceHeader } from '../core/trace.js';
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

interface HeadedFile {
  readonly header: TraceHeader;
  readonly file: string;
}

/** Traces of different runs, laid side by side, would tell of things that never happened. */
export function refuseStrangers(traces: readonly HeadedFile[]): void {
  const known = new Map<string, HeadedFile>();
  for (const trace of traces) {
    const difference = differenceOf(traces[0]!.header, trace.header);
    if (difference !== undefined)
      throw ofTwoRuns('T011', `traces of different runs: ${difference}`, traces[0]!, trace);
    const name = lifeName(trace.header.setup.life);
    const other = known.get(name);
    if (other) throw ofTwoRuns('T006', `two traces are of ${name}: they are not of one run`, other, trace);
    known.set(name, trace);
  }
}

function ofTwoRuns(code: string, what: string, one: HeadedFile, other: HeadedFile): UserError {
  const where = `${sayPath(one.file)}, ${sayPath(other.file)}`;
  return new UserError({ code, what, where, next: 'name one run, or traces of one run' });
}

/** What all nodes of a run have in common, and these two have not. */
export function differenceOf(one: TraceHeader, other: TraceHeader): string | undefined {
  if (one.driver !== other.driver) return 'one was simulated, the other is of real processes';
  if (one.seed !== other.seed) return `one is of seed ${one.seed}, the other of seed ${other.seed}`;
  const [config, otherConfig] = [one.setup.config, other.setup.config];
  if (canonicalText(config) === canonicalText(otherConfig)) return undefined;
  const keys = new Set(Object.keys({ ...config, ...otherConfig }) as (keyof ClusterConfig)[]);
  const unlike = [...keys].filter((key) => canonicalText(config[key]) !== canonicalText(otherConfig[key]));
  return `they differ in ${unlike.join(', ')}`;
}

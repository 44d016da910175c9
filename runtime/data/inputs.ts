/**
 * Turns what the user typed (files, directories, globs, `-`) into the list of files that a job reads, each pinned
 * by size, modification time and inode.
 *
 * Rules: a file named outright is always taken; inside directories and globs, names beginning with `_` or `.` are
 * skipped; symbolic links to files are followed, links to directories only when named outright; the list is in path
 * order by UTF-8 bytes, without duplicates. Whatever is wrong is one InputError, and nothing has been started.
 */
import {
  createWriteStream,
  type Dirent,
  existsSync,
  openSync,
  readdir as readdirWithCallback,
} from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../make-folder.js';
import { errnoOf } from './disk.js';
import { InputError } from './errors.js';
import type { InputFile } from './input-file.js';
import { type Candidate, hasLostBytes, isDangling, pinAll, unreadable } from './pin-inputs.js';
import { commonNameOf, isWithin, realPathOf } from './real-path.js';

export interface ResolveOptions {
  /** What relative patterns are relative to. */
  readonly cwd: string;
  /** Take names beginning with `_` or `.` in directories and globs as well. */
  readonly hidden?: boolean;
  /** Where the job will write; an output among the inputs is refused. */
  readonly output?: string;
  /** Where standard input is kept as a file; needed for `-`. */
  readonly spoolDirectory?: string;
  /** What `-` reads; the process's standard input unless given. */
  readonly stdin?: Readable;
}

/** All input files of a job in path order; throws InputError. */
export async function resolveInputs(
  patterns: readonly string[],
  options: ResolveOptions,
): Promise<InputFile[]> {
  const found = new Map<string, Candidate>();
  const output = options.output === undefined ? undefined : realPathOf(resolve(options.cwd, options.output));
  // Each once: standard input can be read no second time.
  for (const pattern of new Set(patterns)) {
    for (const candidate of await candidatesOf(pattern, output, options)) {
      const known = found.get(candidate.path);
      if (known === undefined || (candidate.outright && !known.outright))
        found.set(candidate.path, candidate);
    }
  }
  const ordered = [...found.values()]
    .map((candidate) => ({ candidate, key: Buffer.from(candidate.path) }))
    .sort((left, right) => Buffer.compare(left.key, right.key))
    .map(({ candidate }) => candidate);
  const files = (await pinAll(ordered)).filter((file) => file !== undefined);
  if (output !== undefined) refuseFilesInside(output, files);
  if (files.length === 0) {
    throw new InputError(
      'nothing-matched',
      patterns.join(' '),
      'the inputs hold no files',
      'name at least one file, a directory with files in it, or a quoted glob',
    );
  }
  return files;
}

async function candidatesOf(
  pattern: string,
  output: string | undefined,
  options: ResolveOptions,
): Promise<Candidate[]> {
  if (pattern === '-') return [await spoolStdin(options)];
  const path = commonNameOf(resolve(options.cwd, pattern));
  const stats = await stat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw unreadable(pattern, errnoOf(error));
  });
  if (stats === undefined && !(await isDangling(path))) return globbed(pattern, options);
  if (!stats?.isDirectory()) return [{ path, name: pattern, outright: true }];

  refuseOutputInside(pattern, path, output, options.hidden === true);
  const files = await walk(path, pattern, options.hidden === true);
  if (files.length === 0) {
    throw new InputError(
      'nothing-matched',
      pattern,
      `the directory ${pattern} holds no input files`,
      'names beginning with "_" or "." are skipped; name such files outright',
    );
  }
  return files;
}

async function walk(directory: string, name: string, hidden: boolean): Promise<Candidate[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(name, errnoOf(error));
  });
  const found: Candidate[] = [];
  for (const entry of entries) {
    if (!hidden && isHidden(entry.name)) continue;
    const path = join(directory, entry.name);
    const entryName = join(name, entry.name);
    if (entry.isDirectory()) found.push(...(await walk(path, entryName, hidden)));
    else if (entry.isFile() || entry.isSymbolicLink()) found.push({ path, name: entryName, outright: false });
  }
  return found;
}

async function globbed(pattern: string, options: ResolveOptions): Promise<Candidate[]> {
  const { glob, isDynamicPattern } = await import('tinyglobby');
  if (!isDynamicPattern(pattern)) throw await missing(pattern, options.cwd);
  const segments = pattern.split('/');
  const fixed = segments.findIndex((segment) => isDynamicPattern(segment));
  const base = resolve(options.cwd, segments.slice(0, fixed).join('/') || (isAbsolute(pattern) ? '/' : '.'));
  const hidden = options.hidden === true || segments.slice(fixed).some(isHidden);
  const locked: InputError[] = [];
  const paths = await glob(pattern, {
    cwd: options.cwd,
    absolute: true,
    dot: hidden,
    onlyFiles: true,
    followSymbolicLinks: false,
    expandDirectories: false,
    fs: { readdir: linksAsFiles(locked) },
  });
  if (locked[0] !== undefined) throw locked[0];
  const found: Candidate[] = [];
  for (const path of paths) {
    if (!hidden && relative(base, path).split(sep).some(isHidden)) continue;
    const name = isAbsolute(pattern) ? path : relative(options.cwd, path);
    found.push({ path: resolve(path), name, outright: false });
  }
  if (found.length === 0) {
    throw new InputError(
      'nothing-matched',
      pattern,
      `no file matches ${pattern}`,
      'check the pattern; names beginning with "_" or "." are skipped unless the pattern says them',
    );
  }
  return found;
}

/**
 * Lists directories for the globbing library, which otherwise either leaves out links to files or walks through
 * links to directories, and says nothing about a directory that it may not list. `pin` drops links to directories.
 */
function linksAsFiles(locked: InputError[]): typeof readdirWithCallback {
  type Listed = (
    error: Error | null,
    entries: Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>[],
  ) => void;
  const list = (directory: string, _options: object, listed: Listed): void =>
    readdirWithCallback(directory, { withFileTypes: true }, (error, entries = []) => {
      if (error !== null && (!isAbsent(error) || hasLostBytes(directory)))
        locked.push(unreadable(directory, errnoOf(error)));
      const shown = entries.map((entry) => ({
        name: entry.name,
        isFile: () => entry.isFile() || entry.isSymbolicLink(),
        isDirectory: () => entry.isDirectory(),
        isSymbolicLink: () => false,
      }));
      listed(error, shown);
    });
  return list as unknown as typeof readdirWithCallback;
}

function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

function isHidden(name: string): boolean {
  return /^[_.]/.test(name) && name !== '.' && name !== '..';
}

/** What is said of a name by which there is nothing. */
async function missing(pattern: string, cwd: string): Promise<InputError> {
  const directory = dirname(resolve(cwd, pattern));
  const names = await readdir(directory).catch(() => undefined);
  // Listed, and yet not to be found: the name was given as badly as it is listed.
  if (hasLostBytes(pattern) && names?.includes(basename(pattern))) return unreadable(pattern, 'ENOENT');
  return new InputError('missing', pattern, `no such file: ${pattern}`, advice(pattern, directory, names));
}

function advice(pattern: string, directory: string, names: readonly string[] | undefined): string {
  if (names === undefined) return `the directory ${directory} does not exist`;
  const wanted = basename(pattern).toLowerCase();
  const alike = names.find((name) => name.toLowerCase() === wanted || name.toLowerCase().startsWith(wanted));
  return alike === undefined ? `looked in ${directory}; check the name` : `did you mean "${alike}"?`;
}

async function spoolStdin(options: ResolveOptions): Promise<Candidate> {
  if (options.spoolDirectory === undefined)
    throw new TypeError('reading standard input needs a spoolDirectory');
  makeFolder(options.spoolDirectory);
  const path = join(resolve(options.cwd, options.spoolDirectory), 'stdin');
  const fd = openSync(path, 'w'); // at once, so that who answers a signal meanwhile finds all that there will be
  await pipeline(options.stdin ?? process.stdin, createWriteStream(path, { fd }));
  return { path, name: '-', outright: true };
}

function refuseOutputInside(
  pattern: string,
  directory: string,
  output: string | undefined,
  hidden: boolean,
): void {
  if (output === undefined) return;
  const real = realPathOf(directory);
  if (!isWithin(output, real) || (!hidden && relative(real, output).split(sep).some(isHidden))) return;
  throw new InputError(
    'output-inside-input',
    pattern,
    `the output would be written inside the input directory ${pattern}`,
    'choose an output outside it, or one whose name begins with "_" or "."',
  );
}

function refuseFilesInside(output: string, files: readonly InputFile[]): void {
  if (!existsSync(output)) return;
  for (const { path, name } of files) {
    if (!isWithin(realPathOf(path), output)) continue; // through whatever links it was named
    throw new InputError(
      'input-inside-output',
      name,
      `the input ${name} lies in the output directory`,
      'choose another output',
    );
  }
}

/**
 * Turns what the user typed (files, directories, globs, `-`) into the list of files that a job reads, each pinned
 * by size, modification time and inode.
 *
 * Rules: a file named outright is always taken; inside directories and globs, names beginning with `_` or `.` are
 * skipped; symbolic links to files are followed, links to directories only when named outright; the list is in path
 * order by UTF-8 bytes, without duplicates. Whatever is wrong is one InputError, and nothing has been started.
 */
import {
  type BigIntStats,
  closeSync,
  createWriteStream,
  type Dirent,
  openSync,
  readdir as readdirWithCallback,
  statSync,
} from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoOf } from './disk.js';
import { InputError } from './errors.js';

/** By the end of its name: `.gz`, `.zst`. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** One file that a job reads. */
export interface InputFile {
  /** Absolute path. */
  readonly path: string;
  /** The path as the user would say it: relative if the pattern was. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Modification time in nanoseconds since 1970, in decimal. */
  readonly mtimeNs: string;
  readonly inode: string;
  readonly compression: Compression;
}

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

interface Candidate {
  readonly path: string;
  readonly name: string;
  /** Named by the user and not found by looking around: a special file is then an error and not skipped. */
  readonly outright: boolean;
}

const STATS_AT_ONCE = 64;
/** A disk of this machine is asked in a tenth of that. */
const STAT_MS_MAX = 0.2;

/** All input files of a job in path order; throws InputError. */
export async function resolveInputs(
  patterns: readonly string[],
  options: ResolveOptions,
): Promise<InputFile[]> {
  const found = new Map<string, Candidate>();
  const output =
    options.output === undefined ? undefined : await canonical(resolve(options.cwd, options.output));
  for (const pattern of patterns) {
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
  const path = resolve(options.cwd, pattern);
  const stats = await stat(path).catch((error: unknown) => {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw unreadable(pattern, errno);
  });
  if (stats === undefined) return globbed(pattern, options);
  if (!stats.isDirectory()) return [{ path, name: pattern, outright: true }];

  await refuseOutputInside(pattern, path, output, options.hidden === true);
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
  if (!isDynamicPattern(pattern)) {
    throw new InputError('missing', pattern, `no such file: ${pattern}`, await advice(pattern, options.cwd));
  }
  const segments = pattern.split('/');
  const fixed = segments.findIndex((segment) => isDynamicPattern(segment));
  const base = resolve(options.cwd, segments.slice(0, fixed).join('/') || (isAbsolute(pattern) ? '/' : '.'));
  const hidden = options.hidden === true || segments.slice(fixed).some(isHidden);
  const locked: string[] = [];
  const paths = await glob(pattern, {
    cwd: options.cwd,
    absolute: true,
    dot: hidden,
    onlyFiles: true,
    followSymbolicLinks: false,
    expandDirectories: false,
    fs: { readdir: linksAsFiles(locked) },
  });
  if (locked[0] !== undefined) throw unreadable(locked[0], 'EACCES');
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
function linksAsFiles(locked: string[]): typeof readdirWithCallback {
  type Listed = (
    error: Error | null,
    entries: Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>[],
  ) => void;
  const list = (directory: string, _options: object, listed: Listed): void =>
    readdirWithCallback(directory, { withFileTypes: true }, (error, entries = []) => {
      if (error?.code === 'EACCES' || error?.code === 'EPERM') locked.push(directory);
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

function isHidden(name: string): boolean {
  return /^[_.]/.test(name) && name !== '.' && name !== '..';
}

async function advice(pattern: string, cwd: string): Promise<string> {
  const directory = dirname(resolve(cwd, pattern));
  const names = await readdir(directory).catch(() => undefined);
  if (names === undefined) return `the directory ${directory} does not exist`;
  const wanted = basename(pattern).toLowerCase();
  const alike = names.find((name) => name.toLowerCase() === wanted || name.toLowerCase().startsWith(wanted));
  return alike === undefined ? `looked in ${directory}; check the name` : `did you mean "${alike}"?`;
}

/**
 * One after the other as long as that is quick, which costs a fifth; many at once where files are far away. Undefined are
 * those that are not to be read.
 */
async function pinAll(candidates: readonly Candidate[]): Promise<(InputFile | undefined)[]> {
  const files: (InputFile | undefined)[] = [];
  let patienceMs = STATS_AT_ONCE * STAT_MS_MAX;
  while (files.length < candidates.length && patienceMs > 0) {
    const begunAtMs = performance.now();
    files.push(await pin(candidates[files.length]!, look));
    patienceMs += STAT_MS_MAX - (performance.now() - begunAtMs);
  }
  const rest = candidates.slice(files.length);
  return files.concat(await concurrently(rest, STATS_AT_ONCE, (candidate) => pin(candidate, lookFar)));
}

/** How a file is looked at. It is opened too: permissions alone do not tell whether it can be read. */
type Look = (path: string) => BigIntStats | Promise<BigIntStats>;

function look(path: string): BigIntStats {
  const stats = statSync(path, { bigint: true });
  if (stats.isFile()) closeSync(openSync(path, 'r'));
  return stats;
}

async function lookFar(path: string): Promise<BigIntStats> {
  const stats = await stat(path, { bigint: true });
  if (stats.isFile()) await (await open(path, 'r')).close();
  return stats;
}

async function pin(candidate: Candidate, lookAt: Look): Promise<InputFile | undefined> {
  const { path, name, outright } = candidate;
  let stats: BigIntStats;
  try {
    stats = await lookAt(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' && (await isDangling(path))) {
      if (!outright) return undefined;
      throw new InputError(
        'missing',
        name,
        `${name} is a link to a file that is gone`,
        'remove the link or restore the file',
      );
    }
    if (errno === 'ENOENT') throw new InputError('missing', name, `no such file: ${name}`, 'check the name');
    throw unreadable(name, errno);
  }
  if (!stats.isFile()) {
    if (!outright || stats.isDirectory()) return undefined;
    throw new InputError(
      'is-special',
      name,
      `${name} is a device, pipe or socket, which cannot be split`,
      `pipe it in instead: use "-" and redirect ${name} to standard input`,
    );
  }
  return {
    path,
    name,
    sizeBytes: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    inode: String(stats.ino),
    compression: path.endsWith('.gz') ? 'gzip' : path.endsWith('.zst') ? 'zstd' : 'none',
  };
}

async function isDangling(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
}

function unreadable(name: string, errno: string | undefined): InputError {
  const reason = errno === 'EACCES' || errno === 'EPERM' ? 'permission denied' : (errno ?? 'unknown error');
  return new InputError(
    'unreadable',
    name,
    `cannot read ${name}: ${reason}`,
    'give yourself read permission, or leave it out',
  );
}

async function spoolStdin(options: ResolveOptions): Promise<Candidate> {
  if (options.spoolDirectory === undefined)
    throw new TypeError('reading standard input needs a spoolDirectory');
  await mkdir(options.spoolDirectory, { recursive: true });
  const path = join(resolve(options.cwd, options.spoolDirectory), 'stdin');
  await pipeline(options.stdin ?? process.stdin, createWriteStream(path));
  return { path, name: '-', outright: true };
}

/** The path without symbolic links, as far as it exists. */
async function canonical(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await canonical(parent), basename(path));
  }
}

async function refuseOutputInside(
  pattern: string,
  directory: string,
  output: string | undefined,
  hidden: boolean,
): Promise<void> {
  if (output === undefined) return;
  const between = relative(await canonical(directory), output);
  const inside = between === '' || (between !== '..' && !between.startsWith(`..${sep}`));
  if (!inside || (!hidden && between.split(sep).some(isHidden))) return;
  throw new InputError(
    'output-inside-input',
    pattern,
    `the output would be written inside the input directory ${pattern}`,
    'choose an output outside it, or one whose name begins with "_" or "."',
  );
}

function refuseFilesInside(output: string, files: readonly InputFile[]): void {
  const inside = files.find((file) => file.path === output || file.path.startsWith(output + sep));
  if (inside === undefined) return;
  throw new InputError(
    'input-inside-output',
    inside.name,
    `the input ${inside.name} lies in the output directory`,
    'choose another output',
  );
}

/** Applies `operation` to all items, at most `limit` at once; results keep the order of the items. */
async function concurrently<T, R>(
  items: readonly T[],
  limit: number,
  operation: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await operation(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}

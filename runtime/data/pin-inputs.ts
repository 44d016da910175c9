/** Looks at the files that were found, and pins each by size, modification time and inode. */
import { type BigIntStats, closeSync, openSync, statSync } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { errnoOf } from './disk.js';
import { diskTrouble, InputError } from './errors.js';
import type { InputFile } from './input-file.js';

export interface Candidate {
  readonly path: string;
  readonly name: string;
  /** Named by the user and not found by looking around: a special file is then an error and not skipped. */
  readonly outright: boolean;
}

const STATS_AT_ONCE = 64;
/** A disk of this machine is asked in a tenth of that. */
const STAT_MS_MAX = 0.2;

/**
 * One after the other as long as that is quick, which costs a fifth; many at once where files are far away. Undefined are
 * those that are not to be read.
 */
export async function pinAll(candidates: readonly Candidate[]): Promise<(InputFile | undefined)[]> {
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
        `${name} is a link that leads nowhere`,
        'remove the link, or restore what it leads to',
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

export async function isDangling(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
}

export function unreadable(name: string, errno: string | undefined): InputError {
  const forbidden = errno === 'EACCES' || errno === 'EPERM';
  return new InputError(
    'unreadable',
    name,
    `cannot read ${name}: ${forbidden ? 'permission denied' : diskTrouble(errno ?? 'unknown')}`,
    forbidden ? 'give yourself read permission, or leave it out' : 'mend that, or leave it out',
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

/** Looks at the files that were found, and pins each by size, modification time and inode. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { errnoOf } from './disk.js';
import { diskTrouble, InputError } from './errors.js';
import type { InputFile } from './input-file.js';
import { isOfOneProcess } from './real-path.js';

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
    files.push(await pin(candidates[files.length]!, atOnce));
    patienceMs += STAT_MS_MAX - (performance.now() - begunAtMs);
  }
  const rest = candidates.slice(files.length);
  return files.concat(await concurrently(rest, STATS_AT_ONCE, (candidate) => pin(candidate, waiting)));
}

interface Looked {
  readonly stats: BigIntStats;
  /** It is said to have 0 bytes, and yet has some, as files of /proc do. */
  readonly isMadeUp?: boolean;
}

/** What is asked of the disk, at once or by a thread that waits for it. */
interface Calls {
  stat(path: string): BigIntStats | Promise<BigIntStats>;
  open(path: string): OpenFile | Promise<OpenFile>;
}

interface OpenFile {
  /** False at its end. */
  readByte(): boolean | Promise<boolean>;
  stat(): BigIntStats | Promise<BigIntStats>;
  close(): void | Promise<void>;
}

/** What is made up while it is read may have nothing to say for now (/proc/kmsg): that is not waited for. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

const atOnce: Calls = {
  stat: (path) => statSync(path, { bigint: true }),
  open: (path) => {
    const descriptor = openSync(path, FLAGS);
    return {
      readByte: () => readSync(descriptor, Buffer.alloc(1)) > 0,
      stat: () => fstatSync(descriptor, { bigint: true }),
      close: () => closeSync(descriptor),
    };
  },
};

const waiting: Calls = {
  stat: (path) => stat(path, { bigint: true }),
  open: async (path) => {
    const handle = await open(path, FLAGS);
    return {
      readByte: async () => (await handle.read(Buffer.alloc(1))).bytesRead > 0,
      stat: () => handle.stat({ bigint: true }),
      close: () => handle.close(),
    };
  },
};

/**
 * A file is opened too: permissions alone do not tell whether it can be read. Of one that is said to be empty a byte is asked
 * for; if there is one, it is looked at once more, for it may just have grown.
 */
async function look(path: string, calls: Calls): Promise<Looked> {
  const stats = await calls.stat(path);
  if (!stats.isFile()) return { stats };
  const file = await calls.open(path);
  try {
    if (stats.size > 0n || !(await file.readByte())) return { stats };
    const again = await file.stat();
    return { stats: again, isMadeUp: again.size === 0n };
  } finally {
    await file.close();
  }
}

async function pin(candidate: Candidate, calls: Calls): Promise<InputFile | undefined> {
  const { path, name, outright } = candidate;
  let looked: Looked;
  try {
    looked = await look(path, calls);
  } catch (error) {
    return await notFound(candidate, errnoOf(error));
  }
  const { stats, isMadeUp } = looked;
  if (isMadeUp) throw madeUp(name);
  if (!stats.isFile()) {
    if (!outright || stats.isDirectory()) return undefined;
    throw special(name, `${name} is a device, pipe or socket, which cannot be split`);
  }
  if (isOfOneProcess(path)) {
    throw special(name, `${name} stands for a file that this process alone has open, and that has no name`);
  }
  const { size, mtimeNs, ino } = stats;
  const compression = path.endsWith('.gz') ? 'gzip' : path.endsWith('.zst') ? 'zstd' : 'none';
  if (compression !== 'none' && size === 0n) throw unusable(name, `the ${compression} data end too early`);
  return {
    ...{ path, name, compression },
    ...{ sizeBytes: Number(size), mtimeNs: String(mtimeNs), inode: String(ino) },
  };
}

/** Throws what is said of a file that cannot be looked at, or returns for one that is to be passed over. */
async function notFound({ path, name, outright }: Candidate, errno: string | undefined): Promise<undefined> {
  if (errno === 'EAGAIN') throw madeUp(name);
  if (errno !== 'ENOENT') throw unreadable(name, errno);
  if (!(await isDangling(path))) {
    if (hasLostBytes(name)) throw unreadable(name, errno);
    throw new InputError('missing', name, `no such file: ${name}`, 'check the name');
  }
  if (!outright) return undefined;
  throw new InputError(
    'missing',
    name,
    `${name} is a link that leads nowhere`,
    'remove the link, or restore what it leads to',
  );
}

function madeUp(name: string): InputError {
  return special(name, `${name} is said to have 0 bytes and has more, which is made up while it is read`);
}

function special(name: string, what: string): InputError {
  const next =
    name === '/dev/stdin'
      ? 'name it "-" instead'
      : `pipe it in instead: use "-" and redirect ${name} to standard input`;
  return new InputError('is-special', name, what, next);
}

export async function isDangling(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
}

export function unreadable(name: string, errno: string | undefined): InputError {
  if (errno === 'EACCES' || errno === 'EPERM')
    return unusable(name, 'permission denied', 'give yourself read permission');
  if (errno === 'ENOENT' && hasLostBytes(name)) return unusable(name, 'its name is no UTF-8', 'rename it');
  return unusable(name, diskTrouble(errno ?? 'unknown'));
}

function unusable(name: string, why: string, next = 'mend that'): InputError {
  return new InputError('unreadable', name, `cannot read ${name}: ${why}`, `${next}, or leave it out`);
}

/** What was no UTF-8 in a name is U+FFFD here, by which nobody finds the file. */
export function hasLostBytes(name: string): boolean {
  return name.includes('\ufffd');
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

/**
 * System calls that fail because of how things are here, and not because of us: said as the user's to mend.
 */
import { dirname } from 'node:path';
import { errnoOf } from '../runtime/data/disk.js';
import { DiskError } from '../runtime/data/errors.js';
import { exitCodes, UserError } from './user-error.js';

interface Trouble {
  readonly what: string;
  readonly next: string;
}

const permissions = 'look at the permissions, or choose another place';
const room = 'make room, or choose another place';
const limit = 'allow more files to be open at once: ulimit -n';
const memory = 'end other programs, or ask for fewer workers (-w)';

/** What a system call may be refused for, whatever it was for. */
const troubles: Readonly<Record<string, Trouble>> = {
  EACCES: { what: 'permission denied', next: permissions },
  EPERM: { what: 'permission denied', next: permissions },
  EROFS: { what: 'the file system is read-only', next: permissions },
  ENOSPC: { what: 'the disk is full', next: room },
  EDQUOT: { what: 'the quota is used up', next: room },
  EIO: { what: 'the disk fails', next: 'choose another place' },
  EMFILE: { what: 'too many files are open at once', next: limit },
  ENFILE: { what: 'too many files are open at once', next: limit },
  ENOMEM: { what: 'there is not enough memory', next: memory },
  EAGAIN: { what: 'no more processes or threads can be started', next: memory },
};

/** Why a call was refused, in a few words; undefined for what may be our own doing. */
export function refusalOf(errno: string): string | undefined {
  return troubles[errno]?.what;
}

const inTheWay = 'a file stands where a folder should be';
const ofNamedPlaces: Readonly<Record<string, string>> = {
  ENOTDIR: inTheWay,
  EEXIST: inTheWay,
  EISDIR: 'this is a folder',
  ENOENT: 'this folder cannot be made', // Node says so of a read-only file system
};

/** The same, of a call that was to make or write what a user has named. */
export function placeRefusalOf(errno: string): string | undefined {
  return ofNamedPlaces[errno] ?? refusalOf(errno);
}

/** Writes to the place that a flag has named. Throws what the user is told when that refuses. */
export function writingTo<T>(flag: string, place: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    const { syscall, message } = error as NodeJS.ErrnoException;
    const isNoFolder = errno === 'ENOENT' && syscall === 'open';
    const why = isNoFolder ? 'there is no such folder' : (placeRefusalOf(errno) ?? message);
    throw new UserError({
      code: 'U025',
      what: `${flag}: ${why}`,
      where: place,
      next: `choose another place with ${flag}`,
      exit: exitCodes.environment,
    });
  }
}

/** The error that tells the user; undefined when this is none of the surroundings' making. */
export function surroundingsError(thrown: unknown, afterwards?: string): UserError | undefined {
  const error = thrown instanceof DiskError ? thrown.cause : thrown;
  const errno = errnoOf(error);
  if (errno === undefined) return undefined;
  const { syscall, path, message } = error as NodeJS.ErrnoException;
  const trouble = ofPlaces(syscall, path) ?? troubles[errno];
  if (!trouble) return undefined;
  return new UserError({
    code: 'E003',
    what: trouble.what,
    where: path,
    why: message,
    next: afterwards === undefined ? trouble.next : `${trouble.next}; then: ${afterwards}`,
    exit: exitCodes.environment,
  });
}

/** Two places that are there nearly always. */
function ofPlaces(syscall: string | undefined, path: string | undefined): Trouble | undefined {
  if (syscall === 'uv_cwd')
    return { what: 'the folder in which this was started is gone', next: 'go to one that exists' };
  if (syscall !== 'mkdtemp') return undefined;
  return {
    what: `no temporary folder can be made in ${dirname(path ?? '')}`,
    next: 'set TMPDIR to a folder that exists, has room, and is yours to write to',
  };
}

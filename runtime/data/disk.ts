/**
 * The few file operations whose failure must be told apart from everything else: writing an attempt's files and
 * making them last. Knows nothing of records or jobs.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncPathNow } from '../sync.js';
import { DiskError } from './errors.js';

/** The system's name for a failed call (`ENOENT`, `ENOSPC`, …), or undefined when it was no failed call. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return error instanceof Error && typeof code === 'string' && 'syscall' in error ? code : undefined;
}

/** Runs an operation on `path`; a failed system call becomes a DiskError that names it. */
export function onDisk<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const errno = errnoOf(error);
    throw errno === undefined ? error : new DiskError(path, errno, error);
  }
}

/** Makes names of this thread differ from all others', and `namesGiven` from each other. */
const threadName = randomBytes(6).toString('hex');
let namesGiven = 0;

/** Pieces that are small wait for each other, so that a small file is written at once. */
const gatheredBytesMax = 4096;

/**
 * A file in the making, under a name that nobody else uses. It gets its own name, in one step, when it is whole. Every
 * failure of the disk removes it.
 */
export class PrivateFile {
  readonly #path: string;
  readonly #temporary: string;
  #descriptor: number | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.tmp-${threadName}-${++namesGiven}`;
    this.#descriptor = onDisk(this.#temporary, () => openSync(this.#temporary, 'wx'));
  }

  /** Writes all of `bytes`, however little the system takes at a time. */
  write(bytes: Uint8Array): void {
    if (this.#gatheredBytes + bytes.length <= gatheredBytesMax) {
      this.#open();
      this.#gathered.push(Buffer.from(bytes));
      this.#gatheredBytes += bytes.length;
      return;
    }
    this.#writeGathered();
    this.#orAbandon((descriptor) => writeAll(descriptor, bytes));
  }

  /** Gives the file its name; with `sync`, once its bytes are on the disk, and so that the name lasts too. */
  finish(sync: boolean): void {
    this.#writeGathered();
    this.#orAbandon((descriptor) => {
      if (sync) fsyncSync(descriptor);
      this.#descriptor = undefined;
      closeSync(descriptor);
      renameSync(this.#temporary, this.#path);
      const directory = dirname(this.#path);
      if (sync) onDisk(directory, () => syncPathNow(directory));
    });
  }

  /** Gives up and removes what was written; does nothing once the file has its name. */
  abandon(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    rmSync(this.#temporary, { force: true });
  }

  #writeGathered(): void {
    if (this.#gatheredBytes === 0) return;
    const bytes = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#orAbandon((descriptor) => writeAll(descriptor, bytes));
  }

  /** Of the file, which is not finished. */
  #open(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.#path} is already finished`);
    return this.#descriptor;
  }

  #orAbandon(operation: (descriptor: number) => void): void {
    const descriptor = this.#open();
    try {
      onDisk(this.#path, () => operation(descriptor));
    } catch (error) {
      this.abandon();
      throw error;
    }
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
}

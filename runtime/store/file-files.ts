// Immutable content in one directory, each file named by the SHA-256 of its bytes. A file appears under its name
// only whole and synced; a name once seen keeps its content.
//
// They are few, and whoever puts or gets one has nothing else to do: nothing is handed to other threads.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../data/disk.js';
import { removeFile } from '../remove-tree.js';
import { sha256 } from '../sha256.js';
import { syncPathNow } from '../sync.js';
import { StoreDamagedError } from './damage.js';
import type { Files } from './ports.js';

const KEY = /^[0-9a-f]{64}$/;

/** A file's bytes no longer match its name: the disk lost or changed them. */
export class CorruptFileError extends StoreDamagedError {
  override readonly name = 'CorruptFileError';
  readonly path: string;

  constructor(path: string, found: string) {
    super(`${path} is damaged: its content has the SHA-256 ${found}`);
    this.path = path;
  }
}

export class FileFiles implements Files {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Creates the directory if needed. */
  static async open(directory: string): Promise<FileFiles> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new FileFiles(directory);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.#path(key);
    if (sha256(bytes) !== key) throw new RangeError(`content does not have the SHA-256 ${key}`);
    const present = this.#verified(path, key);
    if (present !== 'intact') this.#place(path, bytes, present);
    // Also when another put it: its name may not be durable yet.
    syncPathNow(this.#directory);
    return present === 'absent';
  }

  async get(key: string): Promise<Buffer | undefined> {
    const path = this.#path(key);
    const bytes = readIfPresent(path);
    if (bytes === undefined) return undefined;
    const found = sha256(bytes);
    if (found !== key) throw new CorruptFileError(path, found);
    return bytes;
  }

  #verified(path: string, key: string): 'absent' | 'intact' | 'damaged' {
    const bytes = readIfPresent(path);
    if (bytes === undefined) return 'absent';
    return sha256(bytes) === key ? 'intact' : 'damaged';
  }

  /** Writes aside and gives the name at once; damaged content is replaced by the true one. */
  #place(path: string, bytes: Uint8Array, present: 'absent' | 'damaged'): void {
    const aside = join(this.#directory, `.aside-${randomBytes(8).toString('hex')}`);
    try {
      writeSynced(aside, bytes);
      if (present === 'damaged') renameSync(aside, path);
      else linkUnlessThere(aside, path);
    } finally {
      removeFile(aside);
    }
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new RangeError(`not a SHA-256 in lowercase hex: ${JSON.stringify(key)}`);
    return join(this.#directory, key);
  }
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

// Immutable content in one directory, each file named by the SHA-256 of its bytes. A file appears under its name
// only whole and synced; a name once seen keeps its content.

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Files } from './ports.js';
import { errorCode, syncDirectory } from './segment-directory.js';

const KEY = /^[0-9a-f]{64}$/;

/** A file's bytes no longer match its name: the disk lost or changed them. */
export class CorruptFileError extends Error {
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
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new FileFiles(directory);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.#path(key);
    if (sha256(bytes) !== key) throw new RangeError(`content does not have the SHA-256 ${key}`);
    const present = await this.#verified(path, key);
    if (present !== 'intact') await this.#place(path, bytes, present);
    // Also when another put it: its name may not be durable yet.
    await syncDirectory(this.#directory);
    return present === 'absent';
  }

  async get(key: string): Promise<Buffer | undefined> {
    const path = this.#path(key);
    const bytes = await readIfPresent(path);
    if (bytes === undefined) return undefined;
    const found = sha256(bytes);
    if (found !== key) throw new CorruptFileError(path, found);
    return bytes;
  }

  async has(key: string): Promise<boolean> {
    try {
      return (await stat(this.#path(key))).isFile();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async list(prefix: string): Promise<string[]> {
    const names = await readdir(this.#directory);
    return names.filter((name) => KEY.test(name) && name.startsWith(prefix)).sort();
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async #verified(path: string, key: string): Promise<'absent' | 'intact' | 'damaged'> {
    const bytes = await readIfPresent(path);
    if (bytes === undefined) return 'absent';
    return sha256(bytes) === key ? 'intact' : 'damaged';
  }

  /** Writes aside and gives the name at once; damaged content is replaced by the true one. */
  async #place(path: string, bytes: Uint8Array, present: 'absent' | 'damaged'): Promise<void> {
    const aside = join(this.#directory, `.aside-${randomBytes(8).toString('hex')}`);
    const file = await open(aside, 'wx', 0o600);
    try {
      await writeSynced(file, bytes);
      if (present === 'damaged') await rename(aside, path);
      else await link(aside, path).catch(ignoreExisting);
    } finally {
      await rm(aside, { force: true });
    }
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new RangeError(`not a SHA-256 in lowercase hex: ${JSON.stringify(key)}`);
    return join(this.#directory, key);
  }
}

async function writeSynced(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function ignoreExisting(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

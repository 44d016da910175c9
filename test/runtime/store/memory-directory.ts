// A segment directory in memory that tells what a process wrote from what the disk holds: after `loseUnsynced`
// only synced bytes and names are left, plus a part of the others by choice, as after a power cut. Many handles share
// one disk. Operations can be gated, failed or bent for one handle, so that tests interleave and plant bugs.

import type { SegmentDirectory, SegmentFile } from '../../../runtime/store/segment-directory.js';

interface StoredFile {
  written: Buffer;
  synced: Buffer;
  /** Regions written since the last sync. */
  dirty: { from: number; to: number }[];
  nameSynced: boolean;
}

export interface Bend {
  /** Awaited before each operation and again before its result is returned. */
  gate?: (operation: string) => Promise<void>;
  /** Throws to fail the operation. */
  fail?: (operation: string, name: string) => void;
  list?: (truth: string[]) => string[];
  read?: (name: string, position: number, bytes: Buffer) => void;
  /** A file's sync says that it is done and does nothing. */
  syncLies?: boolean;
}

export class MemoryDisk {
  readonly #files = new Map<string, StoredFile>();
  /** Removed, and not for certain. */
  readonly #removed = new Map<string, StoredFile>();

  names(): string[] {
    return [...this.#files.keys()].sort();
  }

  content(name: string): Buffer {
    return Buffer.from(this.#files.get(name)!.written);
  }

  overwrite(name: string, bytes: Buffer): void {
    const file = this.#files.get(name)!;
    file.written = Buffer.from(bytes);
    file.synced = Buffer.from(bytes);
    file.dirty = [];
  }

  /** A power cut. `keeps` says of each dirty byte range and unsynced name whether it reached the disk all the same. */
  loseUnsynced(keeps: () => boolean): void {
    for (const [name, file] of this.#removed) if (!keeps()) this.#files.set(name, file);
    this.#removed.clear();
    for (const [name, file] of this.#files) {
      if (!file.nameSynced && !keeps()) {
        this.#files.delete(name);
        continue;
      }
      for (const range of file.dirty) if (keeps()) copyRange(file, range.from, range.to);
      file.written = Buffer.from(file.synced);
      file.dirty = [];
      file.nameSynced = true;
    }
  }

  /** One process's view of the disk. */
  directory(bend: Bend = {}): SegmentDirectory {
    const files = this.#files;
    const removed = this.#removed;
    const run = async <T>(operation: string, name: string, perform: () => T): Promise<T> => {
      await bend.gate?.(operation);
      bend.fail?.(operation, name);
      const result = perform();
      await bend.gate?.(`${operation} done`);
      return result;
    };
    return {
      list: () => run('list', '', () => bend.list?.([...files.keys()]) ?? [...files.keys()]),
      create: (name) =>
        run('create', name, () => {
          if (files.has(name)) return undefined;
          const empty = Buffer.alloc(0);
          files.set(name, { written: empty, synced: empty, dirty: [], nameSynced: false });
          return openFile(name, files.get(name)!, bend, run);
        }),
      open: (name) =>
        run('open', name, () => {
          const file = files.get(name);
          if (file === undefined)
            throw Object.assign(new Error(`no such file: ${name}`), { code: 'ENOENT', syscall: 'open' });
          return openFile(name, file, bend, run);
        }),
      remove: (name) =>
        run('remove', name, () => {
          const file = files.get(name);
          if (file) removed.set(name, file);
          files.delete(name);
        }),
      sync: () =>
        run('sync', '', () => {
          removed.clear();
          for (const file of files.values()) file.nameSynced = true;
        }),
    };
  }
}

type Run = <T>(operation: string, name: string, perform: () => T) => Promise<T>;

function openFile(name: string, file: StoredFile, bend: Bend, run: Run): SegmentFile {
  return {
    read: (buffer, position) =>
      run('read', name, () => {
        const bytes = file.written.copy(buffer, 0, Math.min(position, file.written.length));
        bend.read?.(name, position, buffer.subarray(0, bytes));
        return bytes;
      }),
    write: async (bytes, position) => {
      // In two parts, so that others can read a torn frame.
      const middle = bytes.length >> 1;
      await run('write', name, () => writeAt(file, bytes.subarray(0, middle), position));
      await run('write', name, () => writeAt(file, bytes.subarray(middle), position + middle));
    },
    datasync: () =>
      run('datasync', name, () => {
        if (bend.syncLies) return;
        for (const range of file.dirty) copyRange(file, range.from, range.to);
        file.dirty = [];
      }).catch((error: unknown) => {
        file.dirty = [];
        throw error;
      }),
    close: async () => {},
  };
}

function writeAt(file: StoredFile, bytes: Buffer, position: number): void {
  const grown = Buffer.alloc(Math.max(file.written.length, position + bytes.length));
  file.written.copy(grown);
  bytes.copy(grown, position);
  file.written = grown;
  file.dirty.push({ from: position, to: position + bytes.length });
}

function copyRange(file: StoredFile, from: number, to: number): void {
  if (file.synced.length < to) {
    const grown = Buffer.alloc(to);
    file.synced.copy(grown);
    file.synced = grown;
  }
  file.written.copy(file.synced, from, from, to);
}

// The few file operations on which the file journal stands, as a port, so that tests can lose unsynced bytes, fail
// a sync or stop between two operations. The real one refuses network file systems: their exclusive create, their
// caches and their syncs do not promise what the fence needs.
//
// What an append does beside its sync takes microseconds, and handing it to a thread of the pool takes longer: a write into
// the page cache and a look into a small directory are done at once. The sync waits for the disk, and is waited for.

import { constants, readdirSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errnoOf } from '../data/disk.js';
import { syncPath } from '../sync.js';

export interface SegmentDirectory {
  /** Names of all files; every file created before the call and not removed is among them. */
  list(): Promise<string[]>;
  /** Creates exclusively; undefined when the name exists. */
  create(name: string): Promise<SegmentFile | undefined>;
  /** @throws an error with code ENOENT when there is no such file. */
  open(name: string): Promise<SegmentFile>;
  /** Does nothing if absent; not durable by itself. */
  remove(name: string): Promise<void>;
  /** Makes created names durable. */
  sync(): Promise<void>;
}

export interface SegmentFile {
  /** Fills `buffer` from `position` as far as the file goes; returns the bytes read. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Writes all of `bytes` or fails. */
  write(bytes: Buffer, position: number): Promise<void>;
  /** Makes the written bytes durable. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the directory if needed, durably. */
export async function openSegmentDirectory(path: string): Promise<SegmentDirectory> {
  const root = resolve(path);
  const created = await mkdir(root, { recursive: true, mode: 0o700 });
  await refuseNetworkFileSystem(root);
  if (created !== undefined) await syncParents(root, created);
  return {
    list: async () => readdirSync(root),
    create: async (name) => {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
      try {
        return segmentFile(await open(join(root, name), flags, 0o600));
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') return undefined;
        throw error;
      }
    },
    open: async (name) => segmentFile(await open(join(root, name), 'r+')),
    remove: (name) => rm(join(root, name), { force: true }),
    sync: () => syncPath(root),
  };
}

function segmentFile(handle: FileHandle): SegmentFile {
  return {
    read: async (buffer, position) => {
      let done = 0;
      while (done < buffer.length) {
        const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    write: async (bytes, position) => {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(handle.fd, bytes, done, bytes.length - done, position + done);
      }
    },
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** Syncs every directory that got a new name when `root` was made; `created` is the topmost new one. */
async function syncParents(root: string, created: string): Promise<void> {
  const last = dirname(resolve(created));
  for (let path = dirname(root); ; path = dirname(path)) {
    await syncPath(path);
    if (path === last) return;
  }
}

/** `f_type` of statfs(2) on Linux. Only systems that are remote by nature; FUSE and 9p are often local. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
]);

/** The name of the network file system with this statfs type, if it is one. */
export function networkFileSystem(type: number): string | undefined {
  return NETWORK_FILE_SYSTEMS.get(type >>> 0);
}

async function refuseNetworkFileSystem(path: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const name = networkFileSystem((await statfs(path)).type);
  if (name === undefined) return;
  throw new Error(
    `${path} is on ${name}: the file journal needs a local file system, because a network one does not promise ` +
      'that exclusive creation and syncs hold; put it on a local disk',
  );
}

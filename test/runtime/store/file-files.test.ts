import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CorruptFileError, FileFiles } from '../../../runtime/store/file-files.js';

let directory: string;
let files: FileFiles;
const keyOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const hello = Buffer.from('hello');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'files-'));
  files = await FileFiles.open(directory);
});
afterEach(() => rm(directory, { recursive: true }));

it('content comes back by its hash, and what is absent is undefined', async () => {
  expect(await files.putIfAbsent(keyOf(hello), hello)).toBe(true);
  expect(await files.get(keyOf(hello))).toEqual(hello);
  expect(await files.get(keyOf(Buffer.from('absent')))).toBeUndefined();
});

it('putting the same again, also at once, keeps one file and leaves nothing beside it', async () => {
  const created = await Promise.all(Array.from({ length: 8 }, () => files.putIfAbsent(keyOf(hello), hello)));
  expect(created).toContain(true);
  expect(await files.putIfAbsent(keyOf(hello), hello)).toBe(false);
  expect(await readdir(directory)).toEqual([keyOf(hello)]);
});

it('a key that is not the hash of the bytes, or no hash at all, is refused', async () => {
  await expect(files.putIfAbsent(keyOf(Buffer.from('other')), hello)).rejects.toThrow(RangeError);
  for (const key of ['', '../secret', keyOf(hello).toUpperCase(), `${keyOf(hello)}0`]) {
    await expect(files.get(key)).rejects.toThrow(RangeError);
  }
});

it('damaged content is reported by get and healed by put', async () => {
  await files.putIfAbsent(keyOf(hello), hello);
  await writeFile(join(directory, keyOf(hello)), 'hellO');
  await expect(files.get(keyOf(hello))).rejects.toThrow(CorruptFileError);
  await files.putIfAbsent(keyOf(hello), hello);
  expect(await files.get(keyOf(hello))).toEqual(hello);
});

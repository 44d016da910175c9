import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PrivateFile } from '../../../runtime/data/disk.js';
import { TextFile } from '../../../runtime/data/text-file.js';

/** The calls that decide what a power cut leaves behind, in their order. */
const calls: string[] = [];

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const noted = <F extends (...args: never[]) => unknown>(name: string, call: F): F =>
    ((...args: Parameters<F>) => {
      calls.push(name);
      return call(...args);
    }) as F;
  return {
    ...fs,
    writeSync: noted('write', fs.writeSync),
    fsyncSync: noted('sync', fs.fsyncSync),
    renameSync: noted('rename', fs.renameSync),
  };
});

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rehearse-disk-'));
  calls.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true }));

it('a synced file has its bytes on the disk before it has its name, and its name on the disk in the end', () => {
  const path = join(directory, 'file');
  const file = new PrivateFile(path);
  file.write(Buffer.from('content'));
  file.finish(true);
  expect(readFileSync(path, 'utf8')).toBe('content');
  expect(calls).toEqual(['write', 'sync', 'rename', 'sync']);
});

it('a file that need not last is not synced', () => {
  const file = new PrivateFile(join(directory, 'file'));
  file.write(Buffer.from('content'));
  file.finish(false);
  expect(calls).toEqual(['write', 'rename']);
});

it('the file of a reduce is on the disk before its attempt is reported', () => {
  const file = new TextFile(join(directory, 'part'));
  file.write('word 1\n');
  file.finish();
  expect(calls).toEqual(['write', 'sync', 'rename', 'sync']);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PrintedLog } from '../../runtime/printed-log.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rehearse-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is on the disk as soon as it is written, in a folder made for it', () => {
  const path = join(folder, 'logs', 'job-1.map-0.log');
  const log = new PrintedLog(path);
  log.write(Buffer.from('one\n'));
  log.write(Buffer.from('two\n'));
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  log.close();
});

it('ends at 16 MiB', () => {
  const path = join(folder, 'long.log');
  const log = new PrintedLog(path);
  const mebibyte = Buffer.alloc(1 << 20, 'x');
  for (let written = 0; written < 20; written++) log.write(mebibyte);
  log.close();
  expect(readFileSync(path)).toHaveLength(16 << 20);
});

it('is no reason to fail where it cannot be', () => {
  writeFileSync(join(folder, 'logs'), 'a file in the place of the folder');
  const log = new PrintedLog(join(folder, 'logs', 'job-1.map-0.log'));
  log.write(Buffer.from('lost\n'));
  log.close();
});

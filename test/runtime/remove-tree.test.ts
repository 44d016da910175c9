import { existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeTree } from '../../runtime/remove-tree.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rehearse-remove-'));
});
afterEach(() => removeTree(folder));

it('a folder goes with all that is in it, and what its links point to stays', () => {
  const [doomed, kept] = [join(folder, 'doomed'), join(folder, 'kept')];
  mkdirSync(join(doomed, 'deep', 'deeper'), { recursive: true });
  mkdirSync(kept);
  for (const path of [join(doomed, 'a'), join(doomed, 'deep', 'deeper', 'b'), join(kept, 'c')])
    writeFileSync(path, 'x');
  symlinkSync(kept, join(doomed, 'link'));
  removeTree(doomed);
  expect(existsSync(doomed)).toBe(false);
  expect(readdirSync(kept)).toEqual(['c']);
});

it('a file goes, and what is not there is no error', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'x');
  removeTree(file);
  expect(existsSync(file)).toBe(false);
  removeTree(file);
  removeTree(join(folder, 'none', 'here'));
});

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeFile, removeTree } from '../../runtime/remove-tree.js';
import { temporaryDirectory } from './data/temporary.js';

describe('removing a folder', () => {
  it('takes everything in it, and nothing beside it', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'doomed/deep/deeper'), { recursive: true });
    for (const name of ['doomed/a', 'doomed/deep/b', 'beside']) writeFileSync(join(directory, name), name);
    removeTree(join(directory, 'doomed'));
    expect(readdirSync(directory)).toEqual(['beside']);
  });

  it('never follows a link, within it or in its place', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'kept'));
    writeFileSync(join(directory, 'kept/file'), '');
    mkdirSync(join(directory, 'doomed'));
    symlinkSync(join(directory, 'kept'), join(directory, 'doomed/link'));
    symlinkSync(join(directory, 'kept'), join(directory, 'link'));
    removeTree(join(directory, 'doomed'));
    removeTree(join(directory, 'link'));
    expect(readdirSync(directory)).toEqual(['kept']);
    expect(existsSync(join(directory, 'kept/file'))).toBe(true);
  });

  it('is done when there is nothing, and takes a single file', () => {
    const directory = temporaryDirectory();
    removeTree(join(directory, 'nothing'));
    removeFile(join(directory, 'nothing'));
    writeFileSync(join(directory, 'file'), '');
    removeTree(join(directory, 'file/below'));
    removeTree(join(directory, 'file'));
    expect(readdirSync(directory)).toEqual([]);
  });
});

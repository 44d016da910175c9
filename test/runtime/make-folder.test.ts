import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../runtime/make-folder.js';

let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'rehearse-make-folder-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe('making a folder', () => {
  it('makes those above it as well, with the mode that was asked for', () => {
    makeFolder(join(place, 'a', 'b', 'c'), 0o700);
    expect(statSync(join(place, 'a', 'b', 'c')).isDirectory()).toBe(true);
    expect(statSync(join(place, 'a', 'b')).mode & 0o777).toBe(0o700);
    makeFolder(join(place, 'a', 'b', 'c')); // there already
  });

  it('says what stands in the way', () => {
    writeFileSync(join(place, 'file'), '');
    symlinkSync('nowhere', join(place, 'dangling'));
    expect(() => makeFolder(join(place, 'file'))).toThrow(/EEXIST/);
    expect(() => makeFolder(join(place, 'file', 'below'))).toThrow(/ENOTDIR/);
    expect(() => makeFolder(join(place, 'dangling', 'below'))).toThrow(/EEXIST/);
    expect(existsSync(join(place, 'nowhere'))).toBe(false);
  });

  it.runIf(existsSync('/proc/self'))('comes to an end where nothing can be made', () => {
    expect(() => makeFolder('/proc/rehearse/below')).toThrow(/ENOENT/);
  });
});

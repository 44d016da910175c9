import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { writeWhole } from '../../cli/write-whole.js';
import { newFolder } from './command.js';

/** A disk that takes half of what it is given. */
vi.mock('node:fs', async (importOriginal) => {
  const own = await importOriginal<typeof import('node:fs')>();
  const half = (file: number, text: string) => own.writeSync(file, text.slice(0, text.length / 2));
  return { ...own, writeSync: half };
});

describe('a file that the user has asked for', () => {
  it('keeps the mode of the file that it replaces', () => {
    const path = join(newFolder({ 'report.xml': '' }), 'report.xml');
    chmodSync(path, 0o600);
    writeWhole(path, ['all of it']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('has all of its text, however little the system takes at a time', () => {
    const path = join(newFolder(), 'found.yaml');
    writeWhole(path, ['all of it']);
    expect(readFileSync(path, 'utf8')).toBe('all of it');
  });
});

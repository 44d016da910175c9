import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runLayout } from '../../../runtime/node/layout.js';
import { type RunRequest, readRunRequest, writeRunRequest } from '../../../runtime/run/run-request.js';
import { temporaryDirectory } from '../data/temporary.js';

/** What is done to files, in its order. */
const done = vi.hoisted((): string[] => []);
vi.mock('node:fs', async (importOriginal) => {
  const own = await importOriginal<typeof import('node:fs')>();
  const writeFileSync: typeof own.writeFileSync = (path, text, options) => {
    own.writeFileSync(path, text, options);
    if (typeof options === 'object' && options?.flush) done.push(`write and sync ${path}`);
  };
  const renameSync: typeof own.renameSync = (from, to) => {
    own.renameSync(from, to);
    done.push(`rename ${from} ${to}`);
  };
  return { ...own, writeFileSync, renameSync };
});
vi.mock('../../../runtime/sync.js', () => ({
  syncPathNow: (path: string) => void done.push(`sync ${path}`),
}));

describe('the request of a run', () => {
  it('is on the disk before it has its name, and its name is before the run begins', () => {
    const layout = runLayout(temporaryDirectory(), 'run');
    mkdirSync(layout.root, { recursive: true });
    const request = { runId: 'run' } as RunRequest;
    writeRunRequest(layout, request);
    expect(readRunRequest(layout)).toEqual(request);
    const temporary = `${layout.request}.tmp`;
    expect(done).toEqual([
      `write and sync ${temporary}`,
      `rename ${temporary} ${layout.request}`,
      `sync ${dirname(layout.request)}`,
    ]);
  });
});

/** Standard output that takes no more: a full disk, and a reader that has gone. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, onLinux, rehearse, start } from './command.js';

const scenario = `
name: small
cluster: { workers: 1 }
job: { maps: 1, reduces: 1 }
expect: { job: succeeded }
`;

describe.runIf(onLinux)('a standard output on a full disk', () => {
  const before = 'exec > /dev/full';

  it.each([[[]], [['--sequential']]])('is told once, with where the output lies %j', async (how) => {
    const folder = newFolder({ 'in.txt': 'b\na\n' });
    const args = ['run', 'distinct', 'in.txt', '-o', '-', '-r', '1', '-q', ...how];
    const ended = await rehearse(args, { cwd: folder, before });
    expect(ended.err).toMatch(/^error\[E004\]: standard output could not be written: the disk is full\n/);
    const [, place] = /the complete output lies in (.*)\n$/.exec(ended.err)!;
    expect(readFileSync(join(folder, place!, 'part-00000'), 'utf8')).toBe('a\nb\n');
    expect(ended.code).toBe(4);
  });

  it.each([[['schema', 'trace']], [['sim', 'small.yaml']]])('is told once %j', async (args) => {
    const folder = newFolder({ 'small.yaml': scenario });
    const ended = await rehearse(args, { cwd: folder, before });
    expect(ended.err).toMatch(/error\[E004\]: .*\n {2}ENOSPC.*\n {2}send it elsewhere\n$/);
    expect(ended.code).toBe(4);
  });
});

it('A standard output that a disk takes only a part of is no success', async ({ skip }) => {
  const folder = newFolder();
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]);
  if (mounted.status !== 0) skip('a small disk cannot be mounted here');
  try {
    const ended = await rehearse(['schema', 'trace'], { cwd: folder, before: 'exec > disk/schema.json' });
    expect(ended.err).toMatch(/^error\[E004\]: standard output could not be written: the disk is full\n/);
    expect(ended.code).toBe(4);
  } finally {
    spawnSync('umount', [disk]);
  }
});

describe('a reader that goes away', () => {
  /** The exit code of a command whose reader has gone before the first word. */
  async function codeOf(args: readonly string[], content: string): Promise<unknown> {
    const running = start(args, { cwd: newFolder({ 'small.yaml': content }) });
    running.child.stdout!.destroy();
    const { code, err } = await running.ended;
    expect(err).not.toMatch(/error\[|EPIPE/);
    return code;
  }

  it.each([[[]], [['--json']], [['--seeds', '1..3']]])('changes no verdict %j', async (how) => {
    expect(await codeOf(['sim', 'small.yaml', ...how], scenario)).toBe(0);
    const failing = scenario.replace('succeeded', 'failed');
    expect(await codeOf(['sim', 'small.yaml', ...how], failing)).toBe(1);
  });
});

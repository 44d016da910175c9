/** Inputs and jobs with names and contents that few files have. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { jobOf, linesOf, newFolder, onLinux, rehearse, succeed } from './command.js';

describe.skipIf(!onLinux)('an input that the system makes up', () => {
  it.each([[['-w', '1']], [['--sequential']], [[]]])('is refused: %j', async (flags) => {
    const cwd = newFolder();
    const ended = await rehearse(['run', 'word-count', '/proc/cpuinfo', '-o', '-', ...flags], { cwd });
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^error\[I001\]: \/proc\/cpuinfo is said .*\n.*\n {2}pipe it in instead/);
  });

  it.each([[['-w', '2']], [['--sequential']]])(
    'as /dev/stdin is the file that was redirected: %j',
    async (flags) => {
      const cwd = newFolder({ 'in.txt': 'a b a\n' });
      const options = { cwd, before: 'exec <in.txt' };
      await succeed(['run', 'word-count', '/dev/stdin', '-o', 'out', ...flags], options);
      expect(linesOf(cwd)).toEqual(['a 2', 'b 1']);
    },
  );

  it('as /dev/stdin is named otherwise where it is a pipe', async () => {
    const ended = await rehearse(['run', 'word-count', '/dev/stdin'], { cwd: newFolder(), stdin: 'a\n' });
    expect([ended.code, ended.err]).toEqual([2, expect.stringContaining('name it "-" instead')]);
  });
});

describe('an empty file', () => {
  const whole = jobOf(
    "inputFormat: 'whole', map(text, emit, { input }) { emit(input.name + ':' + text.trim(), 1); }",
  );

  it.each([[['-w', '2', '-m', '2']], [['--sequential']]])(
    'is a record where a file is one, packed or not: %j',
    async (flags) => {
      const cwd = newFolder({ 'job.ts': whole, 'b.txt': 'text\n', 'd.gz': gzipSync('') });
      for (const name of ['a.txt', 'c.txt', 'e.txt']) writeFileSync(join(cwd, name), '');
      const inputs = ['a.txt', 'b.txt', 'c.txt', 'd.gz', 'e.txt'];
      await succeed(['run', 'job.ts', ...inputs, '-o', 'out', ...flags], { cwd });
      expect(linesOf(cwd)).toEqual(['a.txt: 1', 'b.txt:text 1', 'c.txt: 1', 'd.gz: 1', 'e.txt: 1']);
      await succeed(['run', 'job.ts', 'a.txt', '-o', 'alone', ...flags], { cwd });
      expect(linesOf(cwd, 'alone')).toEqual(['a.txt: 1']);
    },
  );
});

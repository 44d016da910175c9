/** Inputs and jobs with names and contents that few files have. */
import { describe, expect, it } from 'vitest';
import { linesOf, newFolder, onLinux, rehearse, succeed } from './command.js';

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

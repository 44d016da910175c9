/** The built program in another place than it was built in, as an installed package is. */
import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { jobOf, newFolder, program } from './command.js';

it('says where in the job an error was thrown, and shows no path of its builder', () => {
  const built = dirname(dirname(dirname(program)));
  const cwd = newFolder({ 'job.ts': jobOf('map(_line, emit) {\n  emit(undefined, 1);\n}'), 'in.txt': 'a\n' });
  const installed = newFolder({});
  for (const name of ['dist', 'package.json'])
    cpSync(join(built, name), join(installed, name), { recursive: true });
  symlinkSync(join(built, 'node_modules'), join(installed, 'node_modules'));
  const words = [
    join(installed, 'dist', 'bin', 'rehearse.cjs'),
    'run',
    'job.ts',
    'in.txt',
    '--max-attempts',
    '1',
  ];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd, encoding: 'utf8' });
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/\n {2}--> job\.ts:\d+:\d+\n/);
  expect(stderr).not.toContain(built);
});

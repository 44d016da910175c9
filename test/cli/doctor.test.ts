/** `rehearse doctor` where all is well. */
import { version } from 'esbuild';
import { expect, it } from 'vitest';
import { newFolder, succeed } from './command.js';

it('looks at everything that a run needs, the compiler of jobs among it', async () => {
  const { out } = await succeed(['doctor', '--json'], { cwd: newFolder() });
  const { findings } = JSON.parse(out) as { findings: { check: string; ok: boolean; found: string }[] };
  expect(findings.map(({ check }) => check)).toEqual([
    'node',
    'machine',
    'limits',
    'disk',
    'sockets',
    'compiler',
  ]);
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  expect(findings.at(-1)!.found).toBe(`esbuild ${version}`);
});

/**
 * What users get: packs the package, installs it in an empty folder elsewhere, and runs a job of that folder with it.
 * Types are checked as well: a job that misuses the API must not compile there.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const elsewhere = mkdtempSync(join(tmpdir(), 'rehearse-package-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const job = `import { defineJob, sum } from 'mapreduce-rehearsal';

export default defineJob({
  name: 'initials',
  map(line, emit) {
    for (const word of line.match(/\\p{L}+/gu) ?? []) emit(word[0]!.toLowerCase(), 1);
  },
  combine: sum,
  reduce: sum,
});
`;

try {
  const packed = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', elsewhere], root));
  const files = packed[0].files.map((file) => file.path);
  for (const wanted of ['dist/bin/rehearse.cjs', 'dist/jobs/index.d.ts', 'README.md', 'LICENSE']) {
    if (!files.includes(wanted)) throw new Error(`the package lacks ${wanted}`);
  }
  writeFileSync(
    join(elsewhere, 'package.json'),
    '{ "name": "elsewhere", "private": true, "type": "module" }\n',
  );
  run('npm', ['install', '--no-audit', '--no-fund', `./${packed[0].filename}`], elsewhere);
  writeFileSync(join(elsewhere, 'job.ts'), job);
  writeFileSync(join(elsewhere, 'text.txt'), 'an apple, a bee\nanother cat\n');
  run('npx', ['rehearse', 'run', 'job.ts', 'text.txt', '-o', 'out', '-r', '2'], elsewhere);
  const parts = readdirSync(join(elsewhere, 'out')).filter((name) => name.startsWith('part-'));
  const lines = parts.flatMap((name) =>
    readFileSync(join(elsewhere, 'out', name), 'utf8')
      .trim()
      .split('\n'),
  );
  const answer = lines
    .filter((line) => line !== '')
    .sort()
    .join(', ');
  if (answer !== 'a 4, b 1, c 1') throw new Error(`the installed package answers: ${answer}`);
  const version = run('npx', ['rehearse', '--version'], elsewhere).trim();
  const { version: expected } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (!version.endsWith(expected)) throw new Error(`--version says ${version}`);
  console.log(`${packed[0].filename}: ${files.length} files, installed elsewhere, ran job.ts: ${answer}`);
} finally {
  rmSync(elsewhere, { recursive: true, force: true });
}

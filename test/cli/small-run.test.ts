/** Small inputs of built-in jobs: no second process, and everything else as ever. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { newFolder, partsOf, rehearse, succeed } from './command.js';

const text = Array.from({ length: 900 }, (_, n) => `word${n % 70} of ${n % 11} lines\n`).join('');
const job = `import { defineJob, sum } from 'mapreduce-rehearsal';
export default defineJob({
  name: 'mine',
  map(line, emit) { for (const word of line.split(' ')) emit(word, 1); },
  combine: sum,
  reduce: sum,
});
`;

/** What kinds of processes the only run of the folder has had. */
function processesOf(folder: string): string[] {
  const runs = join(folder, '.rehearse/runs');
  const lines = readFileSync(join(runs, readdirSync(runs)[0]!, 'processes'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => line.split(' ')[0]!);
}

it('one process is enough for a small input: with journal and traces, for the same bytes', async () => {
  const folder = newFolder({ 'in.txt': text });
  await succeed(['run', 'word-count', 'in.txt', '-r', '3', '-o', 'out', '-q'], { cwd: folder });
  await succeed(['run', 'word-count', 'in.txt', '-r', '3', '-o', 'alone', '--sequential'], { cwd: folder });
  expect(partsOf(folder, 'out')).toEqual(partsOf(folder, 'alone'));
  expect(processesOf(folder)).toEqual(['command']);
  const { out, err } = await succeed(['replay', 'last'], { cwd: folder });
  expect(`${out}${err}`.match(/same decisions/g)).toHaveLength(3);
  expect(`${out}${err}`).toContain('worker-1.1.ndjson');
});

it.each([
  ['a small run has nobody to call, and does not load what calls', [], false],
  ['a worker of its own is called', ['-w', '1'], true],
])('%s', async (_why, flags, isLoaded) => {
  const tell = `process.on('exit', () => console.error(process.moduleLoadList.includes('NativeModule http2')));`;
  const folder = newFolder({ 'in.txt': text, 'tell.cjs': tell });
  const NODE_OPTIONS = '--require ./tell.cjs';
  const words = ['run', 'word-count', 'in.txt', ...flags, '-o', 'out', '-q'];
  const { err } = await succeed(words, { cwd: folder, env: { NODE_OPTIONS } });
  expect(err.includes('true')).toBe(isLoaded);
  expect(err).toContain('e\n');
});

it.each([
  ['the user asks for workers', ['word-count', 'in.txt', '-w', '1']],
  ['the user asks for map tasks', ['word-count', 'in.txt', '-m', '1']],
  ['there is a standby', ['word-count', 'in.txt', '--standby', '1']],
  ['map outputs are private', ['word-count', 'in.txt', '--private-data']],
  ['the job is the user’s', ['job.ts', 'in.txt']],
  ['a program is the job', ['--mapper', 'cat', '--reducer', 'cat', 'in.txt']],
  ['nobody knows how much is in it', ['word-count', 'in.txt.gz']],
  ['it is standard input', ['word-count', '-']],
  ['it is large', ['word-count', 'in.txt', 'large.txt']],
])('a worker has a process of its own where %s', async (_why, words) => {
  const folder = newFolder({ 'in.txt': text, 'large.txt': text.repeat(20), 'job.ts': job });
  writeFileSync(join(folder, 'in.txt.gz'), gzipSync(text));
  await succeed(['run', ...words, '-o', 'out', '-q'], { cwd: folder, stdin: text });
  expect(processesOf(folder)).toContain('child');
});

it('what cannot be looked at is told of by the command, not by what guesses before it', async () => {
  const folder = newFolder({ 'in.txt': text });
  const { code, err } = await rehearse(['run', 'word-count', 'in.txt', 'n'.repeat(5000)], { cwd: folder });
  expect([code, err]).toEqual([2, expect.stringContaining('error[I001]')]);
});

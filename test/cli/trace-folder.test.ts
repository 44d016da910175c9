/** The folder of `sim --trace`, and folders in which traces of several runs lie: no two runs are told as one. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder, rehearse, runsOf, succeed } from './command.js';

const small = `
name: small
cluster: { workers: 1 }
job: { maps: 1, reduces: 1 }
expect: {}
`;
const large = `
name: large
seed: 7
cluster: { workers: 3 }
job: { maps: 2, reduces: 1 }
expect: {}
`;
const smallRun = ['client-1.1.ndjson', 'master-1.1.ndjson', 'worker-1.1.ndjson'];
let cwd: string;
beforeEach(() => {
  cwd = newFolder({ 'small.yaml': small, 'large.yaml': large, 'words.txt': 'a b\n' });
});
const namesIn = (folder: string): string[] => readdirSync(join(cwd, folder)).sort();

it('what an earlier simulation has left in the folder of --trace goes, and nothing else does', async () => {
  await succeed(['sim', 'large.yaml', '--trace', 'traces', '-q'], { cwd });
  expect(namesIn('traces')).toHaveLength(5);
  writeFileSync(join(cwd, 'traces/notes.txt'), 'mine');
  writeFileSync(join(cwd, 'traces/other.ndjson'), '{"some":"lines"}\n');
  cpSync(join(cwd, 'traces/worker-2.1.ndjson'), join(cwd, 'traces/kept.ndjson'));
  const own = ['kept.ndjson', 'notes.txt', 'other.ndjson'];
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '-q'], { cwd });
  expect(namesIn('traces')).toEqual([...smallRun, ...own].sort());
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '-q'], { cwd });
  expect(namesIn('traces')).toEqual([...smallRun, ...own].sort());
});

it('runs that an earlier command has left in numbered folders go, as far as they follow each other', async () => {
  await succeed(['sim', 'large.yaml', '--trace', 'traces', '--seeds', '1..4', '-q'], { cwd });
  cpSync(join(cwd, 'traces/1'), join(cwd, 'traces/9'), { recursive: true });
  writeFileSync(join(cwd, 'traces/3/notes.txt'), 'mine');
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '--seeds', '1..2', '-q'], { cwd });
  expect(namesIn('traces')).toEqual(['1', '2', '3', '9']);
  expect(['1', '2', '3'].map((run) => namesIn(`traces/${run}`))).toEqual([smallRun, smallRun, ['notes.txt']]);
  expect(namesIn('traces/9')).toHaveLength(5);
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '-q'], { cwd });
  expect(namesIn('traces')).toEqual([...['3', '9'], ...smallRun]);
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '--seeds', '1..2', '-q'], { cwd });
  expect(namesIn('traces')).toEqual(['1', '2', '3', '9']);
});

it('of runs that do not follow each other those go in whose place others come', async () => {
  await succeed(['sim', 'large.yaml', '--trace', 'traces', '--seeds', '1..3', '-q'], { cwd });
  rmSync(join(cwd, 'traces/1'), { recursive: true });
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '--seeds', '1..2', '-q'], { cwd });
  expect(namesIn('traces/2')).toEqual(smallRun);
  expect(namesIn('traces/3')).toHaveLength(5);
});

it('traces that are played stay, where others of their folder would go', async () => {
  await succeed(['sim', 'small.yaml', '--trace', 'traces', '--seeds', '1..2', '-q'], { cwd });
  await succeed(['sim', '--from', 'traces/2', '--trace', 'traces', '-q'], { cwd });
  expect(namesIn('traces')).toEqual(['2', ...smallRun]);
  await succeed(['sim', '--from', 'traces', '--trace', 'traces', '--seeds', '1..2', '-q'], { cwd });
  expect(namesIn('traces')).toEqual(['1', '2', ...smallRun]);
});

it('traces of real processes are never written over, and stand beside no others', async () => {
  await succeed(['run', 'word-count', 'words.txt', '-q'], { cwd });
  const real = join(runsOf(cwd)[0]!, 'trace');
  const before = readdirSync(real).map((name) => readFileSync(join(real, name), 'utf8'));
  const { code, err } = await rehearse(['sim', 'large.yaml', '--trace', real], { cwd });
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(
      /^error\[U050\]: --trace: a trace of real processes is there already\n {2}--> .*ndjson\n/,
    ),
  ]);
  mkdirSync(join(cwd, 'traces/2'), { recursive: true });
  cpSync(real, join(cwd, 'traces/2'), { recursive: true });
  for (const first of ['missing', 'there']) {
    if (first === 'there') mkdirSync(join(cwd, 'traces/1'));
    const many = await rehearse(['sim', 'large.yaml', '--trace', 'traces', '--seeds', '1..2'], { cwd });
    expect([many.code, many.err]).toEqual([2, expect.stringContaining('error[U050]')]);
  }
  await succeed(['sim', 'large.yaml', '--trace', 'traces', '-q'], { cwd });
  expect(namesIn('traces/2')).toEqual(readdirSync(real).sort());
  expect(readdirSync(real).map((name) => readFileSync(join(real, name), 'utf8'))).toEqual(before);
  expect(existsSync(join(cwd, 'traces/worker-3.1.ndjson'))).toBe(true);
});

it('traces of different runs are refused by whoever reads them', async () => {
  await succeed(['sim', 'small.yaml', '--trace', 'mixed', '-q'], { cwd });
  await succeed(['sim', 'small.yaml', '--trace', 'seven', '--seed', '7', '-q'], { cwd });
  cpSync(join(cwd, 'seven/worker-1.1.ndjson'), join(cwd, 'mixed/worker-1.1.ndjson'));
  for (const words of [
    ['explain', 'mixed'],
    ['trace', 'mixed', '--to', 'merged'],
    ['trace', 'mixed/master-1.1.ndjson', 'seven/worker-1.1.ndjson', '--to', 'merged'],
    ['sim', '--from', 'mixed'],
    ['replay', 'mixed'],
  ]) {
    const { code, err, out } = await rehearse(words, { cwd });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(
      /^error\[T011\]: traces of different runs: one is of seed 1, the other of seed 7\n {2}--> /,
    );
  }
  await succeed(['replay', 'mixed/master-1.1.ndjson', 'seven/worker-1.1.ndjson'], { cwd });
  await succeed(['sim', 'large.yaml', '--seed', '1', '--trace', 'others', '-q'], { cwd });
  cpSync(join(cwd, 'others/worker-3.1.ndjson'), join(cwd, 'seven/worker-3.1.ndjson'));
  await succeed(['sim', 'large.yaml', '--trace', 'others', '-q'], { cwd });
  cpSync(join(cwd, 'others/worker-3.1.ndjson'), join(cwd, 'seven/worker-3.1.ndjson'));
  const setUp = await rehearse(['explain', 'seven'], { cwd });
  expect(setUp.err).toContain('error[T011]: traces of different runs: they differ in workers\n');
  await succeed(['run', 'word-count', 'words.txt', '-q'], { cwd });
  const real = readdirSync(join(runsOf(cwd)[0]!, 'trace')).find((name) => name.startsWith('worker'))!;
  cpSync(join(runsOf(cwd)[0]!, 'trace', real), join(cwd, 'others/worker-9.1.ndjson'));
  const both = await rehearse(['explain', 'others', 'map-0'], { cwd });
  expect(both.err).toContain('one was simulated, the other is of real processes\n');
});

/**
 * What the test suite of MIT's distributed systems course asks of its MapReduce lab, asked of this one on real
 * processes: word count, indexer, map parallelism, reduce parallelism, job count, early exit, crash.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  descendantsOf,
  expectTidy,
  isAlive,
  jobOf,
  linesOf,
  newFolder,
  onLinux,
  outputOf,
  partsOf,
  start,
  succeed,
  until,
} from './command.js';

const books: Readonly<Record<string, string>> = Object.fromEntries(
  ['emma', 'ulysses', 'walden', 'dracula'].map((name, book) => [
    `${name}.txt`,
    Array.from(
      { length: 60 },
      (_, line) => `${name} said word${'abcdefg'[(line * (book + 3)) % 7]} to the x${'klmno'[line % 5]}\n`,
    ).join(''),
  ]),
);

/** Notes when a call began and ended, in which process. */
const spans = `import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
const cell = new Int32Array(new SharedArrayBuffer(4));
const now = (): number => performance.timeOrigin + performance.now();
function span(folder: string, name: string, wait: () => void): void {
  const began = now();
  wait();
  appendFileSync(folder + '/spans', JSON.stringify({ name, pid: process.pid, began, ended: now() }) + '\\n');
}
/** Comes back when a second process is here too: were there only one, the job would fail. */
function meet(folder: string, name: string): void {
  mkdirSync(folder + '/' + name + '-' + process.pid, { recursive: true });
  for (const end = now() + 20_000; now() < end; Atomics.wait(cell, 0, 0, 20)) {
    if (readdirSync(folder).filter((one) => one.startsWith(name + '-')).length > 1) return;
  }
  throw new Error('alone');
}`;

interface Span {
  readonly name: string;
  readonly pid: number;
  readonly began: number;
  readonly ended: number;
}

function spansIn(folder: string): Span[] {
  const lines = readFileSync(join(folder, 'spans'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Span);
}

/** Calls of two processes overlap; those of one process never do. */
function expectParallel(all: readonly Span[]): void {
  expect(all).toHaveLength(6);
  expect(new Set(all.map(({ pid }) => pid)).size, 'processes').toBe(2);
  const overlaps = (a: Span, b: Span): boolean => a !== b && a.began < b.ended && b.began < a.ended;
  expect(all.some((a) => all.some((b) => a.pid !== b.pid && overlaps(a, b)))).toBe(true);
  expect(all.some((a) => all.some((b) => a.pid === b.pid && overlaps(a, b)))).toBe(false);
}

describe('word count and indexer', () => {
  it('give what a program without any of this gives', async () => {
    const folder = newFolder(books);
    const words = new Map<string, { count: number; names: Set<string> }>();
    for (const [name, text] of Object.entries(books)) {
      for (const word of text.match(/\p{L}+/gu) ?? []) {
        const known = words.get(word) ?? { count: 0, names: new Set() };
        words.set(word, { count: known.count + 1, names: known.names.add(name) });
      }
    }
    await succeed(['run', 'word-count', '*.txt', '-o', 'count', '-m', '8', '-r', '10'], { cwd: folder });
    expect(linesOf(folder, 'count')).toEqual(
      [...words].map(([word, { count }]) => `${word} ${count}`).sort(),
    );
    await succeed(['run', 'inverted-index', '*.txt', '-o', 'index', '-m', '8', '-r', '10'], { cwd: folder });
    expect(linesOf(folder, 'index')).toEqual(
      [...words].map(([word, { names }]) => `${word} ${names.size} ${[...names].sort().join(',')}`).sort(),
    );
  });
});

describe('parallelism', () => {
  it('two workers, a process each, map at the same time, and reduce at the same time', async () => {
    const job = jobOf(
      "map(line, emit) { const { folder } = emit.params; span(folder!, 'map', () => meet(folder!, 'map')); emit(line, 1); }",
      "(key, values, ctx) => { const { folder } = ctx.params; span(folder!, 'reduce', () => meet(folder!, 'reduce')); return sum(key, values); }",
      spans,
    );
    const folder = newFolder({ 'in.txt': 'a\nb\nc\nd\ne\nf\n', 'job.ts': job });
    const args = ['run', 'job.ts', 'in.txt', '-o', 'out', '-m', '6', '-r', '6', '-w', '2'];
    await succeed([...args, '--param', `folder=${folder}`], { cwd: folder });
    const all = spansIn(folder);
    expectParallel(all.filter(({ name }) => name === 'map'));
    expectParallel(all.filter(({ name }) => name === 'reduce'));
    const mapsEnded = Math.max(...all.filter(({ name }) => name === 'map').map(({ ended }) => ended));
    const reducesBegan = Math.min(...all.filter(({ name }) => name === 'reduce').map(({ began }) => began));
    expect(reducesBegan, 'no reduce before the last map').toBeGreaterThanOrEqual(mapsEnded);
  });
});

describe('job count', () => {
  it('each map is called exactly once when nothing fails, though tasks take seconds', async () => {
    const job = jobOf(
      'map(line, emit) { span(emit.params.folder!, line, () => Atomics.wait(cell, 0, 0, 2000 + 500 * Number(line))); emit(line, 1); }',
      'sum',
      spans,
    );
    const folder = newFolder({ 'in.txt': '0\n1\n2\n3\n', 'job.ts': job });
    const args = ['run', 'job.ts', 'in.txt', '-o', 'out', '-m', '4', '-r', '2', '-w', '2', '--lease', '1s'];
    await succeed([...args, '--param', `folder=${folder}`], { cwd: folder });
    const called = spansIn(folder).map(({ name }) => name);
    expect(called.sort()).toEqual(['0', '1', '2', '3']);
  });
});

describe.skipIf(!onLinux)('early exit (processes are watched through /proc)', () => {
  it('the output is final before the first process exits', async () => {
    const job = jobOf(
      'map(line, emit) { emit(line, 1); }',
      '(key, values) => { while (!existsSync("go")); return sum(key, values); }',
      "import { existsSync } from 'node:fs';",
    );
    const folder = newFolder({ 'in.txt': 'a\nb\nc\nd\ne\n', 'job.ts': job });
    const running = start(['run', 'job.ts', 'in.txt', '-o', 'out', '-m', '3', '-r', '5', '-w', '3'], {
      cwd: folder,
    });
    await until('three workers', () => workersBelow(running.pid).length === 3);
    const workers = workersBelow(running.pid);
    writeFileSync(join(folder, 'go'), '');
    await until('a worker is gone', () => !workers.every(isAlive));
    const first = hashOf(folder);
    expect((await running.ended).code).toBe(0);
    expect(hashOf(folder)).toBe(first);
    expect(linesOf(folder)).toEqual(['a 1', 'b 1', 'c 1', 'd 1', 'e 1']);
  });
});

function workersBelow(pid: number): number[] {
  return descendantsOf(pid).filter((one) => {
    try {
      return readFileSync(`/proc/${one}/cmdline`, 'utf8').startsWith('rehearse worker');
    } catch {
      return false;
    }
  });
}

function hashOf(folder: string): string {
  return createHash('sha256')
    .update(JSON.stringify(outputOf(folder)))
    .digest('hex');
}

describe('crash', () => {
  it('the answer is right when map and reduce end their thread, end their process, or sleep, at random', async () => {
    const strike = `import { mkdirSync, readdirSync } from 'node:fs';
const cell = new Int32Array(new SharedArrayBuffer(4));
function strike(folder: string): void {
  // The first call crashes for certain, the others at random. Every crash leaves a mark.
  const fate = readdirSync(folder).length === 0 ? 0 : Math.random();
  if (fate < 0.15) {
    mkdirSync(folder + '/exit-' + process.hrtime.bigint());
    process.exit(1);
  }
  if (fate < 0.25) {
    mkdirSync(folder + '/kill-' + process.hrtime.bigint());
    process.kill(process.pid, 'SIGKILL');
    Atomics.wait(cell, 0, 0, 1000);
  }
  if (fate < 0.5) Atomics.wait(cell, 0, 0, 150);
}`;
    const job = jobOf(
      'map(line, emit) { strike(emit.params.folder!); emit(line, 1); }',
      '(key, values, ctx) => { strike(ctx.params.folder!); return sum(key, values); }',
      strike,
    );
    const folder = newFolder({ 'in.txt': 'a\nb\nc\nd\na\nb\nc\na\n', 'job.ts': job });
    const marks = join(folder, 'marks');
    mkdirSync(marks);
    const args = ['run', 'job.ts', 'in.txt', '-m', '8', '-r', '4', '--param', `folder=${marks}`];
    // Ends of the whole process are held against a task as well: as many as these fail no job.
    const flags = ['-w', '4', '--max-attempts', '1000', '--lease', '2s', '--json'];
    const { out } = await succeed([...args, '-o', 'out', ...flags], { cwd: folder });
    expect(Object.keys(partsOf(folder))).toHaveLength(4);
    expect(linesOf(folder)).toEqual(['a 3', 'b 2', 'c 2', 'd 1']);
    expectTidy(folder);
    expect(JSON.parse(out).counters).toMatchObject({ 'map.records.in': 8, 'reduce.groups.in': 4 });
    expect(readdirSync(marks).length, 'something crashed').toBeGreaterThan(0);
  });
});

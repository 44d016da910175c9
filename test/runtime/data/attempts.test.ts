import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sum } from '../../../jobs/aggregates.js';
import { partName } from '../../../jobs/output-names.js';
import type { Job } from '../../../jobs/types.js';
import type { AttemptResult } from '../../../runtime/data/attempt.js';
import { DiskError, InputChangedError, SourceError, UserCodeError } from '../../../runtime/data/errors.js';
import type { InputFile } from '../../../runtime/data/input-file.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import { runMapAttempt } from '../../../runtime/data/map-attempt.js';
import type { MapAttemptOptions } from '../../../runtime/data/map-options.js';
import { planSplits, type SplitPlan } from '../../../runtime/data/plan.js';
import { attemptsPath, prepareWorkspace, publishOutput } from '../../../runtime/data/publish.js';
import { runReduceAttempt } from '../../../runtime/data/reduce-attempt.js';
import type { ReduceAttemptOptions } from '../../../runtime/data/reduce-options.js';
import { runSequential } from '../../../runtime/data/sequential.js';
import { temporaryDirectory } from './temporary.js';

const words: Job = {
  name: 'words',
  map(line: string, emit) {
    for (const word of line.split(' ')) emit(word, 1);
  },
  combine: sum,
  reduce: sum,
};

/** Shows the order of values: a string of them all. */
const places: Job = {
  name: 'places',
  map(line: string, emit) {
    for (const word of line.split(' ')) emit(word, `${emit.input.name}:${emit.input.offset}`);
  },
  reduce: (_key, values) => [...values].join(','),
};

/** Not associative in floating point: any other grouping shows. */
const fractions: Job = {
  name: 'fractions',
  map(line: string, emit, ctx) {
    for (const word of line.split(' ')) emit(word.slice(0, 1), 1 / (1 + word.length) + ctx.random() / 3);
  },
  combine: sum,
  reduce: sum,
};

const asynchronous: Job = {
  name: 'asynchronous',
  async map(line: string, emit) {
    await null;
    emit(line, { length: line.length });
    emit.count('lines');
  },
  async *reduce(key, values) {
    for (const value of values) yield { key, ...value };
  },
};

interface Shape {
  readonly targetMaps: number;
  readonly reduces: number;
  readonly budgetBytes: number;
  readonly fanIn: number;
}

const SHAPE: Shape = { targetMaps: 3, reduces: 2, budgetBytes: 1 << 20, fanIn: 64 };

async function inputsOf(
  directory: string,
  contents: Record<string, string | Uint8Array>,
): Promise<InputFile[]> {
  mkdirSync(join(directory, 'in'));
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(directory, 'in', name), content);
  return resolveInputs(['in'], { cwd: directory });
}

function mapOptions(
  directory: string,
  job: Job,
  plan: SplitPlan<InputFile>,
  map: number,
  shape: Shape,
): MapAttemptOptions {
  return {
    job,
    files: plan.files,
    ranges: plan.splits[map]!,
    reduces: shape.reduces,
    budgetBytes: shape.budgetBytes,
    context: { task: `map-${map}`, params: {}, seed: 'seed' },
    privateDirectory: join(directory, `private-map-${map}`),
    target: join(directory, 'maps', `map-${map}`),
    fanIn: shape.fanIn,
  };
}

function reduceOptions(
  directory: string,
  job: Job,
  maps: number,
  partition: number,
  shape: Shape,
): ReduceAttemptOptions {
  return {
    job,
    partition,
    sources: Array.from({ length: maps }, (_, task) => ({
      task,
      path: join(directory, 'maps', `map-${task}`),
    })),
    budgetBytes: shape.budgetBytes,
    context: { task: `reduce-${partition}`, params: {}, seed: 'seed' },
    privateDirectory: join(directory, `private-reduce-${partition}`),
    target: join(directory, 'reduces', `reduce-${partition}`),
    fanIn: shape.fanIn,
  };
}

interface Outcome {
  readonly parts: string[];
  readonly maps: AttemptResult[];
  readonly reduces: AttemptResult[];
}

/** All attempts of a job, one after the other. */
async function attempts(directory: string, job: Job, files: InputFile[], shape: Shape): Promise<Outcome> {
  for (const name of ['maps', 'reduces']) {
    rmSync(join(directory, name), { recursive: true, force: true });
    mkdirSync(join(directory, name));
  }
  const plan = planSplits(files, { targetMaps: shape.targetMaps, slots: 1 });
  const maps: AttemptResult[] = [];
  for (const map of plan.splits.keys())
    maps.push(await runMapAttempt(mapOptions(directory, job, plan, map, shape)));
  const reduces: AttemptResult[] = [];
  for (let partition = 0; partition < shape.reduces; partition++) {
    reduces.push(await runReduceAttempt(reduceOptions(directory, job, plan.splits.length, partition, shape)));
  }
  const parts = reduces.map((_, partition) =>
    readFileSync(join(directory, 'reduces', `reduce-${partition}`), 'utf8'),
  );
  return { parts, maps, reduces };
}

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'rehearse-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory], { stdio: 'ignore' });
    execFileSync('umount', [directory]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

let runs = 0;

async function sequentially(
  directory: string,
  job: Job,
  files: InputFile[],
  shape: Shape,
): Promise<string[]> {
  const plan = planSplits(files, { targetMaps: shape.targetMaps, slots: 1 });
  const output = join(directory, 'out');
  const runId = `sequential-${runs++}`;
  await prepareWorkspace(output, runId);
  const { reduces, budgetBytes } = shape;
  const { parts } = await runSequential({
    job,
    plan,
    reduces,
    budgetBytes,
    params: {},
    seed: 'seed',
    output,
    runId,
  });
  const published = await publishOutput({
    output,
    runId,
    overwrite: true,
    parts,
    success: '{}',
    publisher: 'p',
  });
  expect(published).toEqual({ outcome: 'published' });
  return parts.map(({ partition }) => readFileSync(join(output, partName(partition)), 'utf8'));
}

const word = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '', 'é', '\u{1f600}', '\uff21'),
  },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 200 }).map(String) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);
const text = fc
  .array(fc.tuple(fc.array(word, { maxLength: 12 }), fc.constantFrom('\n', '\n', '\r\n')), { maxLength: 40 })
  .map((lines) => lines.map(([line, end]) => line.join(' ') + end).join(''));
const shapes = fc.record({
  targetMaps: fc.integer({ min: 1, max: 12 }),
  reduces: fc.integer({ min: 1, max: 6 }),
  budgetBytes: fc.constantFrom(1, 300, 1000, 5000, 1 << 20),
  fanIn: fc.constantFrom(2, 3, 64),
});

describe('map and reduce attempts', () => {
  it.each([words, places, fractions, asynchronous])(
    'give the bytes of the sequential path for any text, cut and budget ($name)',
    async (job) => {
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), shapes, async (contents, shape) => {
          const directory = temporaryDirectory();
          const named = Object.fromEntries(
            contents.map((content, index) =>
              index === 1 ? ['1.gz', gzipSync(content)] : [`${index}.txt`, content],
            ),
          );
          const files = await inputsOf(directory, named);
          const { parts } = await attempts(directory, job, files, shape);
          expect(parts).toEqual(await sequentially(directory, job, files, shape));
          expect(readdirSync(directory).sort()).toEqual(expect.arrayContaining(['in', 'maps', 'reduces']));
          expect(readdirSync(directory).filter((name) => name.startsWith('private'))).toEqual([]);
          rmSync(directory, { recursive: true });
        }),
        { numRuns: 50 },
      );
    },
  );

  it('count words as a plain program does', async () => {
    const directory = temporaryDirectory();
    const lines = Array.from(
      { length: 3000 },
      (_, index) => `w${(index * 7919) % 500} common w${index % 13}\n`,
    );
    const files = await inputsOf(directory, { 'a.txt': lines.join('') });
    const { parts, maps } = await attempts(directory, words, files, { ...SHAPE, budgetBytes: 20_000 });
    const counts = new Map<string, number>();
    for (const one of lines.join('').split(/[ \n]/).filter(Boolean))
      counts.set(one, (counts.get(one) ?? 0) + 1);
    const expected = [...counts].map(([key, count]) => `${key} ${count}`).sort();
    expect(
      parts
        .flatMap((part) => part.split('\n'))
        .filter(Boolean)
        .sort(),
    ).toEqual(expected);
    expect(maps.every((map) => map.spills > 0)).toBe(true);
    expect(maps.reduce((all, map) => all + Number(new Map(map.counters).get('map.records.in')), 0)).toBe(
      3000,
    );
  });

  it('give the same digest for every fan-in', async () => {
    const directory = temporaryDirectory();
    const lines = Array.from({ length: 400 }, (_, index) => `${index % 37} ${index % 11} ${index}\n`);
    const files = await inputsOf(directory, { 'a.txt': lines.join('') });
    for (const job of [fractions, places]) {
      const digests = [];
      for (const fanIn of [2, 3, 7, 64]) {
        const { maps, reduces } = await attempts(directory, job, files, {
          targetMaps: 9,
          reduces: 3,
          budgetBytes: 900,
          fanIn,
        });
        expect(maps[0]!.spills).toBeGreaterThan(4);
        digests.push([...maps, ...reduces].map((result) => result.digest).join());
      }
      expect(new Set(digests).size).toBe(1);
    }
  });

  it('handle what is at the edges: no lines, more reduces than keys, more maps than lines, huge and odd keys', async () => {
    const directory = temporaryDirectory();
    const huge = 'k'.repeat(1_000_000);
    const files = await inputsOf(directory, {
      'empty.txt': '',
      'keys.txt': `__proto__\n\n${huge}\na\tb\\c\nlast`,
    });
    const { parts } = await attempts(directory, words, files, {
      targetMaps: 50,
      reduces: 9,
      budgetBytes: 1,
      fanIn: 2,
    });
    expect(parts.join('').split('\n').sort()).toEqual(
      ['', ' 1', '__proto__ 1', 'a\\tb\\\\c 1', `${huge} 1`, 'last 1'].sort(),
    );
    const nothing = await attempts(directory, words, files.slice(0, 1), SHAPE);
    expect(nothing.parts).toEqual(['', '']);
    expect(nothing.maps).toHaveLength(1);
  });

  it('tell how far they are, ending at all of it', async () => {
    const directory = temporaryDirectory();
    const files = await inputsOf(directory, {
      'a.txt': 'a b\n'.repeat(200_000),
      'b.gz': gzipSync('c\n'.repeat(1000)),
    });
    mkdirSync(join(directory, 'maps'));
    mkdirSync(join(directory, 'reduces'));
    const plan = planSplits(files, { targetMaps: 1, slots: 1 });
    const total = files.reduce((all, file) => all + file.sizeBytes, 0);
    const seen: number[] = [];
    const options = mapOptions(directory, words, plan, 0, SHAPE);
    const progress = (done: number, of: number): void => {
      seen.push(done);
      expect(of).toBe(total);
    };
    await runMapAttempt({ ...options, progress });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual([...seen].sort((left, right) => left - right));
    expect(seen.at(-1)).toBe(total);
    let last = [0, 1];
    await runReduceAttempt({
      ...reduceOptions(directory, words, 1, 0, SHAPE),
      progress: (...now) => (last = now),
    });
    expect(last[0]).toBe(last[1]);
  });
});

describe('an attempt that fails', () => {
  async function prepared(job: Job, content = 'one\ntwo\nthree\n', shape: Shape = SHAPE) {
    const directory = temporaryDirectory();
    const files = await inputsOf(directory, { 'a.txt': content });
    mkdirSync(join(directory, 'maps'));
    mkdirSync(join(directory, 'reduces'));
    const plan = planSplits(files, { targetMaps: 1, slots: 1 });
    return { directory, files, options: mapOptions(directory, job, plan, 0, shape) };
  }

  const failure = (attempt: Promise<unknown>) =>
    attempt.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('names input and byte of the line on which map threw, and keeps what it threw', async () => {
    const thrown = new RangeError('no twos');
    const throwing = (line: string): void => {
      if (line === 'two') throw thrown;
    };
    for (const map of [throwing, async (line: string) => throwing(line)]) {
      const { directory, options } = await prepared({ ...words, map });
      const error = await failure(runMapAttempt(options));
      expect(error).toBeInstanceOf(UserCodeError);
      expect(error).toMatchObject({
        message: 'no twos',
        cause: thrown,
        site: { input: 'in/a.txt', offset: 4 },
      });
      expect(readdirSync(join(directory, 'maps'))).toEqual([]);
    }
  });

  it('blames user code that emits what cannot be used', async () => {
    const { options } = await prepared({ ...words, map: (line, emit) => emit(line, Number.NaN) });
    expect(await failure(runMapAttempt(options))).toMatchObject({
      name: 'UserCodeError',
      site: { offset: 0 },
    });
  });

  it('names the key on which reduce threw', async () => {
    const job: Job = {
      ...words,
      reduce: (key) => {
        if (key === 'two') throw new Error('not two');
      },
    };
    const { directory, options } = await prepared(job, undefined, { ...SHAPE, reduces: 1 });
    await runMapAttempt(options);
    const error = await failure(runReduceAttempt(reduceOptions(directory, job, 1, 0, SHAPE)));
    expect(error).toMatchObject({ name: 'UserCodeError', message: 'not two', site: { key: 'two' } });
    expect(readdirSync(join(directory, 'reduces'))).toEqual([]);
  });

  it('names the key on which combine threw while runs were merged', async () => {
    let calls = 0;
    const job: Job = {
      ...words,
      combine: (_key, values) => {
        calls++;
        return sum(_key, values) > 1 ? fail() : 1;
      },
    };
    const fail = (): never => {
      throw new Error('too many');
    };
    const { directory, options } = await prepared(job, 'one\nx\ny\none\n', { ...SHAPE, budgetBytes: 100 });
    expect(await failure(runMapAttempt(options))).toMatchObject({
      name: 'UserCodeError',
      site: { key: 'one' },
    });
    expect(calls).toBe(1);
    expect(readdirSync(directory).sort()).toEqual(['in', 'maps', 'reduces']);
  });

  it('refuses an input that changed', async () => {
    const { files, options } = await prepared(words);
    writeFileSync(files[0]!.path, 'other content\n');
    expect(await failure(runMapAttempt(options))).toBeInstanceOf(InputChangedError);
  });

  it('cannot lose a spill that failed inside emit, even when map catches the error', async () => {
    const map: Job['map'] = (line, emit) => {
      try {
        emit(line, 1);
      } catch {
        // User code may do this.
      }
    };
    const { directory, options } = await prepared({ ...words, map }, undefined, { ...SHAPE, budgetBytes: 1 });
    writeFileSync(join(directory, 'file'), '');
    const error = await failure(
      runMapAttempt({ ...options, privateDirectory: join(directory, 'file/private') }),
    );
    expect(error).toBeInstanceOf(DiskError);
    expect(error).toMatchObject({ errno: 'ENOTDIR' });
    expect(existsSync(options.target)).toBe(false);
  });

  it.skipIf(!canMount())(
    'says that the disk is full, and leaves nothing (needs root to mount a small disk)',
    async () => {
      const lines = Array.from({ length: 20_000 }, (_, index) => `a rather long word ${index}\n`);
      const whole: Job = { ...words, map: (line, emit) => emit(line, 1) };
      const { directory, options } = await prepared(whole, lines.join(''), {
        ...SHAPE,
        budgetBytes: 100_000,
      });
      const disk = join(directory, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk]);
      try {
        for (const full of [{ privateDirectory: join(disk, 'private') }, { target: join(disk, 'map-0') }]) {
          const error = await failure(runMapAttempt({ ...options, ...full }));
          expect(error).toBeInstanceOf(DiskError);
          expect(error).toMatchObject({ errno: 'ENOSPC', place: expect.stringContaining(disk) });
          expect(readdirSync(disk)).toEqual([]);
        }
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );

  it('names the map whose output is missing or damaged', async () => {
    const directory = temporaryDirectory();
    const files = await inputsOf(directory, { 'a.txt': 'a b c\n'.repeat(100) });
    for (const fanIn of [2, 64]) {
      await attempts(directory, words, files, { targetMaps: 5, reduces: 1, budgetBytes: 1 << 20, fanIn });
      const options = {
        ...reduceOptions(directory, words, 5, 0, { ...SHAPE, fanIn }),
        target: join(directory, 'other'),
      };
      const path = join(directory, 'maps/map-3');
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at++) {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 1;
        writeFileSync(path, damaged);
        const error = await failure(runReduceAttempt(options));
        expect(error).toBeInstanceOf(SourceError);
        expect(error).toMatchObject({ task: 3, place: path, cause: { name: 'SegmentCorruptError' } });
      }
      rmSync(path);
      expect(await failure(runReduceAttempt(options))).toMatchObject({
        task: 3,
        cause: { name: 'SegmentMissingError' },
      });
      expect(existsSync(options.target)).toBe(false);
      expect(readdirSync(dirname(options.target)).sort()).toEqual(['in', 'maps', 'reduces']);
    }
  });
});

describe('the sequential path', () => {
  it('names the line or the key on which user code threw', async () => {
    const directory = temporaryDirectory();
    const files = await inputsOf(directory, { 'a.txt': 'one\ntwo\n' });
    const output = join(directory, 'out');
    await prepareWorkspace(output, 'x');
    const run = (job: Job) =>
      runSequential({
        job,
        plan: planSplits(files, { slots: 1 }),
        reduces: 1,
        budgetBytes: 1000,
        params: {},
        seed: '',
        output,
        runId: 'x',
      });
    const refuse = (text: string): void => {
      if (text === 'two') throw new Error('not two');
    };
    await expect(run({ ...words, map: refuse })).rejects.toMatchObject({
      name: 'UserCodeError',
      site: { input: 'in/a.txt', offset: 4 },
    });
    await expect(run({ ...words, reduce: refuse })).rejects.toMatchObject({
      name: 'UserCodeError',
      site: { key: 'two' },
    });
    expect(readdirSync(attemptsPath(output, 'x'))).toEqual(['.rehearse-placeholder']);
  });
});

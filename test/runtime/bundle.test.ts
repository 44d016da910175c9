import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { JobDefinitionError } from '../../jobs/define.js';
import { type PlainOutput, runPlain } from '../../jobs/plain.js';
import type { Job } from '../../jobs/types.js';
import { bundleJob } from '../../runtime/bundle/bundle.js';
import { JobCompileError, JobFileError } from '../../runtime/bundle/errors.js';
import { loadProgram } from '../../runtime/bundle/load.js';
import { userFrame } from '../../runtime/bundle/user-frame.js';
import { DiskError } from '../../runtime/data/errors.js';
import { sha256 } from '../../runtime/sha256.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'rehearse-bundle-')));
let folder: string;
let next = 0;

beforeEach(() => {
  folder = join(root, `case-${next++}`);
  mkdirSync(folder);
});

afterAll(() => rmSync(root, { recursive: true }));

function write(name: string, text: string, inFolder = folder): string {
  const path = join(inFolder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function load(path: string): Promise<Job> {
  const { code, name } = await bundleJob(path);
  return loadProgram(code, { directory: join(folder, 'bundles'), name }) as Promise<Job>;
}

function run(job: Job, texts: readonly string[]): string {
  const lines = texts.map((line, offset) => ({ record: line, offset, input: 'in' }));
  const output = runPlain({ job, splits: [lines], reduces: 1, budgetBytes: 1e6, params: {}, seed: '' });
  return (output as PlainOutput).parts[0]!;
}

/** What a process without vitest's loader, which for one offers `require` to every module, makes of the bundle. */
async function mapInChild(path: string, line: string): Promise<string> {
  const { code } = await bundleJob(path);
  await load(path);
  const child = fileURLToPath(new URL('./bundle-child.mjs', import.meta.url));
  const bundle = join(folder, 'bundles', `${sha256(code)}.mjs`);
  return execFileSync(process.execPath, [child, bundle, line], { encoding: 'utf8' });
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const WORDS = `import { defineJob, sum } from 'mapreduce-rehearsal';
import { split } from './lib/split.js';
export default defineJob({
  name: 'words',
  map(line: string, emit) { for (const word of split(line)) emit(word, 1); },
  combine: sum,
  reduce: sum,
});
`;
const SPLIT = `export function split(line: string): string[] {
  if (line === 'bad') throw new Error('a bad line');
  return line.split(' ');
}
`;

describe('the bundle of a job', () => {
  test('runs, from a folder in which the package is not installed', async () => {
    write('lib/split.ts', SPLIT);
    expect(run(await load(write('job.ts', WORDS)), ['b a', 'b'])).toBe('a 1\nb 2\n');
  });

  test.each(['j*.ts', '**.ts', '[j]{a,b}?.ts'])('is that of one file where its name is %s', async (name) => {
    write('lib/split.ts', SPLIT);
    write('jobs.ts', 'export default 1;');
    expect(run(await load(write(name, WORDS)), ['b a', 'b'])).toBe('a 1\nb 2\n');
  });

  test('keeps literals of regular expressions: made anew for each record, they cost a constructor', async () => {
    const code = String.raw`import { defineJob, sum } from 'mapreduce-rehearsal';
      const literals = [/\p{L}+/gu, /[\p{L}--[a-z]]/v, /(?<=(?<named>a))b/dsy];
      export default defineJob({
        name: 'words',
        map(line: string, emit) { if (literals.some((literal) => literal.test(line))) emit(line, 1); },
        combine: sum,
        reduce: sum,
      });`;
    const bundle = await bundleJob(write('job.ts', code));
    expect(bundle.code.split('sourceMappingURL')[0]).not.toContain('new RegExp(');
    expect(run(await load(write('job.ts', code)), ['A', '1'])).toBe('A 1\n');
  });

  test('has the same bytes and hash wherever its folder is, and another when a source changes', async () => {
    const bundles: string[] = [];
    for (const place of ['here', 'elsewhere/far/away', 'changed']) {
      write(
        'lib/split.ts',
        SPLIT.replace('bad line', place === 'changed' ? 'worse line' : 'bad line'),
        join(folder, place),
      );
      const { code, hash, name } = await bundleJob(write('job.ts', WORDS, join(folder, place)));
      expect(hash).toBe(sha256(code));
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(name).toBe('job.ts');
      bundles.push(code);
    }
    expect(bundles[1]).toBe(bundles[0]);
    expect(bundles[2]).not.toBe(bundles[0]);
    expect(bundles[0]).not.toContain(folder);
  });

  test('is made of .js and .mjs files, of CommonJS packages and of modules that use require themselves', async () => {
    write('node_modules/legacy/package.json', '{"name":"legacy","main":"index.js"}');
    write('node_modules/legacy/index.js', `const { sep } = require('path'); exports.sep = sep;`);
    const source = `import { createRequire } from 'node:module';
      import { sep } from 'legacy';
      const require = createRequire(import.meta.url);
      const map = (line, emit) => emit(sep + typeof require('node:os').cpus, 1);
      export default { name: 'js', map, reduce: (key) => key };`;
    for (const name of ['job.js', 'job.mjs']) {
      expect(await mapInChild(write(name, source), '')).toBe('/function\n');
    }
  });
});

describe('a job that does not compile', () => {
  test('is one error with file, line, column and a caret', async () => {
    const error = await failure(bundleJob(write('job.ts', `const x = 1;\n\tconst 'é' + y = ;\n`)));
    expect(error).toBeInstanceOf(JobCompileError);
    const { location, excerpt, message } = error as JobCompileError;
    expect(message).toBe('Expected identifier but found "\'é\'"');
    expect(location).toEqual({
      file: 'job.ts',
      line: 2,
      column: 8,
      lineText: `\tconst 'é' + y = ;`,
      length: 3,
    });
    expect(excerpt.split('\n')).toEqual([
      '  --> job.ts:2:8',
      `   2 | \tconst 'é' + y = ;`,
      '     | \t      ^^^',
    ]);
  });

  test('counts columns in characters, not in bytes', async () => {
    const error = await failure(bundleJob(write('job.ts', `const é = 'ééé'; const ;`)));
    expect((error as JobCompileError).location?.column).toBe(24);
  });

  test('is written anew where a power cut has left an empty file of its name', async () => {
    const { code, name } = await bundleJob(
      write('job.ts', `export default { name: 'x', map() {}, reduce: 'none' };`),
    );
    write(`bundles/${sha256(code)}.mjs`, '');
    expect(await loadProgram(code, { directory: join(folder, 'bundles'), name })).toMatchObject({
      name: 'x',
    });
  });

  test('names the file that is wrong, and an import that is missing', async () => {
    write('lib/split.ts', 'export const split = ;');
    const broken = (await failure(bundleJob(write('job.ts', WORDS)))) as JobCompileError;
    expect(broken.location).toMatchObject({ file: 'lib/split.ts', line: 1, column: 22 });
    rmSync(join(folder, 'lib'), { recursive: true });
    const missing = (await failure(bundleJob(join(folder, 'job.ts')))) as JobCompileError;
    expect(missing.message).toBe('Could not resolve "./lib/split.js"');
    expect(missing.location).toMatchObject({ file: 'job.ts', line: 2, lineText: WORDS.split('\n')[1] });
  });

  test('says how many errors there are besides the first', async () => {
    const error = await failure(
      bundleJob(write('job.ts', `import './a.js';\nimport './b.js';\nimport './c.js';\n`)),
    );
    expect((error as Error).message).toBe('Could not resolve "./a.js" (and 2 more)');
  });
});

describe("a job's file", () => {
  test.each([
    ['no such job file: ', 'missing.ts'],
    ['a job is a file, but this is a folder: ', ''],
    ["a job's file ends in .ts, .mts, .js, .mjs, unlike ", 'job.py'],
  ])('is refused: %s', async (message, name) => {
    write('job.py', '');
    const path = join(folder, name);
    const error = await failure(bundleJob(path));
    expect(error).toBeInstanceOf(JobFileError);
    expect((error as Error).message).toBe(message + path);
  });

  test('without a default export is refused', async () => {
    const error = await failure(load(write('job.ts', 'export const job = 1;')));
    expect(error).toBeInstanceOf(JobFileError);
    expect((error as Error).message).toBe(
      'job.ts has no default export: end it with "export default defineJob({ … })"',
    );
  });

  test('whose export is no job is refused, with or without defineJob', async () => {
    const plain = await failure(load(write('job.ts', `export default { name: 'x', reduce() {} };`)));
    expect(plain).toBeInstanceOf(JobDefinitionError);
    expect((plain as Error).message).toBe('job "x": has no map');
    const defined = await failure(
      load(
        write(
          'job.mjs',
          `import { defineJob } from 'mapreduce-rehearsal';\nexport default defineJob({ name: 'x' });`,
        ),
      ),
    );
    expect(defined).toMatchObject({ name: 'JobDefinitionError', message: 'job "x": has no map' });
  });

  test('that throws when it is loaded keeps its own error', async () => {
    const error = await failure(load(write('job.ts', `throw new RangeError('mine');`)));
    expect(error).toMatchObject({ name: 'RangeError', message: 'mine' });
  });
});

describe("the user's own frame", () => {
  test("is found below Node's, ours and those of packages, relative to the job", () => {
    const ours = new URL('../../jobs/map-task.js', import.meta.url);
    const stack = `Error: at (no/frame:1:2)
    at node:internal/process:1:2
    at sum (/data/bundles/rehearse:aggregates.js:3:4)
    at MapTask.offer (${ours.pathname}:5:6)
    at parse (/data/bundles/node_modules/csv/index.js:7:8)
    at split (/data/lib/split.ts:9:10)
    at Object.map (/data/bundles/job.ts:11:12)`;
    expect(userFrame(stack, '/data/bundles')).toBe('../lib/split.ts:9:10');
    const top = stack.replace(/.*split.ts.*\n/, '');
    expect(userFrame(top, '/data/bundles')).toBe('job.ts:11:12');
    expect(
      userFrame(top.replace('/data/bundles/job.ts', 'file:///data/bundles/my%20job.ts'), '/data/bundles'),
    ).toBe('my job.ts:11:12');
    expect(userFrame(`Error: x\n    at ${ours.href}:5:6`, '/data/bundles')).toBeUndefined();
  });

  test('of a bundle is the line of its source', async () => {
    write('lib/split.ts', SPLIT);
    const stack = await mapInChild(write('job.ts', WORDS), 'bad');
    expect(userFrame(stack, join(folder, 'bundles'))).toBe('lib/split.ts:2:29');
  });
});

test('a bundle that cannot be written is the disk’s failure, with its place, and not the job’s', async () => {
  const place = write('bundles', 'a file in the way');
  const path = write('job.ts', 'export default 1;');
  const error = await load(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DiskError);
  expect((error as DiskError).message).toContain(place);
});

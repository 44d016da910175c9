/** Bad input gets one clear error and the documented exit code; nothing is started, nothing is left. */

import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { builtinJobs, builtinPipelines } from '../../jobs/builtin/registry.js';
import { type Ended, jobOf, newFolder, onLinux, rehearse } from './command.js';

const scenario = join(import.meta.dirname, '..', '..', 'scenarios', 'drain-at-the-very-end.yaml');
const usage = 2;
const environment = 4;

function folderWithMistakes(): string {
  const folder = newFolder({
    'in.txt': 'a b a\n',
    'nomap.ts': 'export default { name: "a", reduce() {} };\n',
    'nodefault.ts': 'export const job = 1;\n',
    'broken.ts': 'export default {\n  name: "x",\n\tmap(line, emit) { emit(line 1); },\n};\n',
    'throws.ts': 'console.log("loading");\nconst none: any = null;\nnone.field;\nexport default {};\n',
    'job.py': '',
    'typo.ts': `import { defineJob } from 'mapreduce-rehearsal';
export default defineJob({ name: 'lines', map() {}, reduec() {} } as any);
`,
    'beside.ts': `import { readFileSync } from 'node:fs';
const side = readFileSync(new URL('./in.txt', import.meta.url), 'utf8');
export default { name: side, map() {}, reduce() {} };
`,
    'bad.gz': 'not packed',
  });
  mkdirSync(join(folder, 'books'));
  writeFileSync(join(folder, 'books', 'one.txt'), 'one\n');
  symlinkSync('gone', join(folder, 'link.txt'));
  symlinkSync('books', join(folder, 'shelf'));
  mkdirSync(join(folder, 'empty'));
  return folder;
}

function everythingIn(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort();
}

/** `error[CODE]: what`, then indented lines, and no second error. */
function expectOneError(ended: Ended, code: string): void {
  expect(ended.err).toMatch(/^error\[[A-Z]\d{3}\]: \S.*\n(( {2}.*| *\d+ \|.*)\n)*$/);
  expect(ended.err).toMatch(new RegExp(`^error\\[${code}\\]: `));
  expect(ended.err).not.toMatch(/undefined|\bat .*\.js:\d+/);
  expect(ended.out).toBe('');
}

/** No other line than what and where. */
const onlyThat = /unknown field "reduec"; did you mean "reduce"\?\n.*\n$/;

type Mistake = [title: string, args: string[], code: string, exit: number, ...says: (string | RegExp)[]];

const count = ['run', 'word-count'];
const mistakes: Mistake[] = [
  ['no such file', [...count, 'nothere.txt'], 'I001', usage, '--> nothere.txt'],
  ['a file that is almost right', [...count, 'IN.txt'], 'I001', usage, 'did you mean "in.txt"?'],
  [
    'a link that leads nowhere',
    [...count, 'link.txt'],
    'I001',
    usage,
    'link.txt is a link that leads nowhere',
  ],
  ['a glob that matches nothing', [...count, 'z*.txt'], 'I001', usage, 'no file matches z*.txt'],
  ['a folder without files', [...count, 'empty'], 'I001', usage, 'empty holds no input files'],
  ['an empty name of an input', [...count, ''], 'U007', usage],
  ['standard input beside a missing file', [...count, '-', 'nothere.txt'], 'I001', usage],
  ['an output that exists', [...count, 'in.txt', '-o', 'books'], 'O001', usage, '--> books', '--overwrite'],
  ['an output that is a file', [...count, 'books', '-o', 'in.txt', '--overwrite'], 'O002', usage],
  [
    'an output that is a link to a folder',
    [...count, 'in.txt', '-o', 'shelf'],
    'O002',
    usage,
    'leads to books',
  ],
  [
    'the same, to be replaced',
    [...count, 'in.txt', '-o', 'shelf/', '--overwrite'],
    'O002',
    usage,
    'the output is a symbolic link',
    'name the folder itself',
  ],
  ['an output below a file', [...count, 'books', '-o', 'in.txt/out'], 'E002', environment, '--> '],
  ['a data directory below a file', [...count, 'books', '--data-dir', 'in.txt'], 'E002', environment],
  [
    'a folder in which none can be made',
    [...count, 'in.txt', '--data-dir', '/proc/none'],
    'E002',
    environment,
  ],
  [
    'the same, for a rehearsal',
    ['run', '--faults', scenario, '--data-dir', '/proc/none'],
    'E002',
    environment,
  ],
  ['an empty name of an output', [...count, 'in.txt', '-o', ''], 'O004', usage],
  ['an output inside the input', [...count, 'books', '-o', 'books/out'], 'I001', usage, 'inside the input'],
  ['an input inside the output', [...count, 'books/one.txt', '-o', 'books', '--overwrite'], 'I001', usage],
  ['no reduce task', [...count, 'in.txt', '-r', '0'], 'U002', usage, 'at least one reduce task'],
  ['no worker', [...count, 'in.txt', '-w', '0'], 'U002', usage, '-w: 0 is too few'],
  ['too many workers', [...count, 'in.txt', '-w', '300'], 'U002', usage, '300 is too many', '1 to 256'],
  ['a number that is none', [...count, 'in.txt', '-m', 'x'], 'U002', usage, 'not a whole number'],
  ['a negative number', [...count, 'in.txt', '-m', '-1'], 'U002', usage, '-1 is too few'],
  ['an unknown flag', [...count, 'in.txt', '--wrokers', '3'], 'U001', usage, 'did you mean --workers?'],
  ['an unknown verb', ['rum', 'word-count', 'in.txt'], 'U001', usage, 'did you mean run?'],
  ['an unknown choice', [...count, 'in.txt', '--progress', 'loud'], 'U001', usage, 'auto, tty, plain'],
  ['a choice that is misspelt', ['trace', 'last', '--to', 'htm'], 'U001', usage, 'did you mean html?', 'svg'],
  [
    'a word of another flag',
    [...count, 'in.txt', '--progress', 'plian'],
    'U001',
    usage,
    'did you mean plain?',
  ],
  ['a form that is missing', ['trace', 'last'], 'U001', usage, "'--to <form>'", 'see rehearse trace --help'],
  ['a flag like no other', [...count, 'in.txt', '--xyzzy-xyzzy'], 'U001', usage, 'see rehearse run --help'],
  ['a verb like no other', ['xyzzy-xyzzy'], 'U001', usage, 'see rehearse --help'],
  ['no job', ['run'], 'U006', usage, 'word-count'],
  ['no input', count, 'U007', usage],
  ['no run to resume', ['resume'], 'U001', usage],
  ['an unknown built-in', ['run', 'wordcount', 'in.txt'], 'J001', usage, 'did you mean "word-count"?'],
  ['a job that is not there', ['run', 'none.ts', 'in.txt'], 'J003', usage, '--> none.ts'],
  ['a job of another language', ['run', 'job.py', 'in.txt'], 'J003', usage, '.ts'],
  ['a job that is a folder', ['run', 'books', 'in.txt'], 'J003', usage],
  ['a job without map', ['run', 'nomap.ts', 'in.txt'], 'J004', usage, 'has no map', '--> nomap.ts'],
  ['a job without default export', ['run', 'nodefault.ts', 'in.txt'], 'J003', usage, 'export default'],
  [
    'a job that does not compile',
    ['run', 'broken.ts', 'in.txt'],
    'J002',
    usage,
    '--> broken.ts:3:30',
    /3 \| \tmap\(line, emit\) \{ emit\(line 1\); \},\n +\| \t {28}\^/,
  ],
  ['a field that a job has not', ['run', 'typo.ts', 'in.txt'], 'J004', usage, '--> typo.ts:2:16', onlyThat],
  ['a job that throws when loaded', ['run', 'throws.ts', 'in.txt'], 'J006', usage, '--> throws.ts:3:6'],
  ['a job that reads what lies beside it', ['run', 'beside.ts', 'in.txt'], 'J006', usage, 'import it'],
  ['a size that is none', [...count, 'in.txt', '--split-size', '12x'], 'U003', usage, '16MiB'],
  ['a budget of nothing', [...count, 'in.txt', '--budget', '0'], 'U003', usage],
  ['a budget without unit', [...count, 'in.txt', '--budget', '3'], 'U051', usage, '64kB', '3MiB'],
  ['a heap without unit', [...count, 'in.txt', '--heap', '512'], 'U051', usage, '16MiB', '512MiB'],
  ['a duration without unit', [...count, 'in.txt', '--lease', '5'], 'U004', usage, '10s'],
  ['a lease that is too short', [...count, 'in.txt', '--lease', '5ms'], 'U004', usage, '100ms'],
  ['packing what does not travel', [...count, 'in.txt', '--pack-shuffle'], 'U026', usage, '--private-data'],
  ['a mapper that is empty', ['run', 'in.txt', '--mapper', ''], 'U042', usage, '--mapper cat'],
  ['a mapper of blanks', ['run', 'in.txt', '--mapper', ' \t\n'], 'U042', usage, '--> --mapper'],
  [
    'a combiner that is empty',
    ['run', 'in.txt', '--mapper', 'cat', '--combiner', '', '--reducer', 'cat'],
    'U042',
    usage,
    'leave --combiner away',
  ],
  ['a reducer that is empty', ['run', 'in.txt', '--mapper', 'cat', '--reducer', ' '], 'U042', usage],
  ['a param without value', [...count, 'in.txt', '--param', 'x'], 'U005', usage],
  ['a param that the job does not take', [...count, 'in.txt', '--param', 'x=1'], 'J005', usage, 'takes none'],
  ['a param that is missing', ['run', 'grep', 'in.txt'], 'J005', usage, '--param pattern='],
  ['a pattern that does not compile', ['run', 'grep', 'in.txt', '--param', 'pattern=('], 'J005', usage],
  ['a schema that is none', ['schema', 'constructor'], 'U012', usage, 'scenario, trace'],
  ['an input to check that is damaged', ['check', 'word-count', 'bad.gz'], 'I001', usage, 'bad.gz'],
  ['an input to check that is empty', ['check', 'word-count', 'job.py'], 'U043', usage, 'nothing was tried'],
  ['an unknown run', ['resume', 'nope'], 'R001', usage, 'there is no run "nope"'],
];

describe.each(mistakes)('%s', (_title, args, code, exit, ...says) => {
  it(`is error ${code}, exit code ${exit}, and leaves nothing`, async () => {
    const folder = folderWithMistakes();
    const before = everythingIn(folder);
    const ended = await rehearse(args, { cwd: folder, stdin: 'some text\n' });
    // Jobs print to stderr, and only a loaded one can.
    const error = code === 'J006' ? { ...ended, err: ended.err.replace(/^loading\n/, '') } : ended;
    expectOneError(error, code);
    for (const text of says) expect(ended.err).toMatch(text instanceof RegExp ? text : textPattern(text));
    expect(ended.code).toBe(exit);
    expect(everythingIn(folder).filter((name) => !/^\.rehearse(\/runs)?$/.test(name))).toEqual(before);
  });
});

function textPattern(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

describe('with --json', () => {
  it.each([
    ['a flag', [...count, 'in.txt', '-r', '0', '--json'], 'U002', usage],
    ['commander', [...count, 'in.txt', '--json', '--bogus'], 'U001', usage],
    ['an input', [...count, 'nothere', '--json'], 'I001', usage],
    ['a job', ['run', 'throws.ts', 'in.txt', '--json'], 'J006', usage],
    ['an output that is to stand there too', [...count, 'in.txt', '-o', '-', '--json'], 'O005', usage],
    ['the disk', [...count, 'books', '-o', 'in.txt/out', '--json'], 'E002', environment],
  ])('an error about %s is exactly one document on stdout', async (_about, args, code, exit) => {
    const ended = await rehearse(args, { cwd: folderWithMistakes() });
    expect(JSON.parse(ended.out)).toMatchObject({ error: { code, what: expect.any(String) } });
    expect(ended.out.trim().split('\n')).toHaveLength(1);
    expect(ended.err).not.toContain('error[');
    expect(ended.code).toBe(exit);
  });

  it('what an error quotes cannot move a cursor either, and is what it was', async () => {
    const name = 'a\u007f\u009b2J';
    const { out } = await rehearse([...count, name, '--json'], { cwd: folderWithMistakes() });
    expect(out).toContain('a\\u007f\\u009b2J');
    expect(out).not.toMatch(/[^\P{Cc}\n]/u);
    expect(JSON.parse(out).error.what).toContain(name);
  });
});

describe('an ordinary user', () => {
  const nobody = 65534;

  it('is told which file or folder cannot be read or written, and nothing is left', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can become another user');
    const folder = newFolder({ 'in.txt': 'a b\n', 'locked.txt': 'secret\n' });
    chmodSync(folder, 0o777);
    chmodSync(join(folder, 'locked.txt'), 0o600);
    mkdirSync(join(folder, 'locked'), { mode: 0o700 });
    mkdirSync(join(folder, 'readonly'), { mode: 0o755 });
    const before = everythingIn(folder);
    const options = { cwd: folder, uid: nobody };
    if ((await rehearse(['--version'], options)).code !== 0) skip('another user cannot read this clone');
    for (const [args, code, exit, says] of [
      [['in.txt', 'locked.txt'], 'I001', usage, 'cannot read locked.txt: permission denied'],
      [['l*.txt'], 'I001', usage, 'cannot read locked.txt'],
      [['locked'], 'I001', usage, 'cannot read locked: permission denied'],
      [['in.txt', '-o', 'readonly/out'], 'E002', environment, 'permission denied'],
      [['in.txt', '-o', 'readonly/out', '--sequential'], 'E002', environment, 'permission denied'],
      [['in.txt', '--data-dir', 'readonly/data'], 'E002', environment, 'permission denied'],
    ] as const) {
      const ended = await rehearse([...count, ...args], options);
      expectOneError(ended, code);
      expect(ended.err).toContain(says);
      expect(ended.code).toBe(exit);
      expect(everythingIn(folder).filter((name) => !/^\.rehearse(\/runs)?$/.test(name))).toEqual(before);
    }
  });
});

async function startsUnder(before: string): Promise<boolean> {
  return (await rehearse(['--version'], { cwd: newFolder(), before })).code === 0;
}

describe('surroundings in which nothing can be run', () => {
  const inFile = 'a b\n';

  it.each([
    ['a folder for temporary files that is not there', 'export TMPDIR=/no/such/folder', 'set TMPDIR to'],
    ['a folder for temporary files that is none', 'export TMPDIR="$PWD/in.txt"', 'set TMPDIR to'],
    ['a folder that was removed', 'mkdir gone && cd gone && rmdir ../gone', 'go to one that exists'],
  ])('%s: E003, exit code 4', async (_, before, says) => {
    const folder = newFolder({ 'in.txt': inFile });
    const args = [...count, join(folder, 'in.txt'), '-w', '2', '--progress', 'none'];
    const ended = await rehearse(args, { cwd: folder, before });
    expectOneError(ended, 'E003');
    expect(ended.err).toContain(says);
    expect(ended.code).toBe(environment);
  });

  it.skipIf(!onLinux).for([
    ['a master in the command', ['-w', '2'], /worker-\d ended \(spawn .* EMFILE\); next start in \d+ ms\n/],
    ['masters of their own', ['--standby', '2'], /master-\d ended \(spawn .* EMFILE\); next start/],
  ] as const)(
    'so few files that no process can be started (%s): it is tried for a while, then E003',
    async ([, flags, tried], { skip }) => {
      if (!(await startsUnder('ulimit -n 25'))) skip('this version of Node opens more by itself');
      const folder = newFolder({ 'in.txt': inFile });
      const ended = await rehearse([...count, 'in.txt', ...flags], {
        cwd: folder,
        before: 'ulimit -n 25',
      });
      expect(ended.err).toMatch(tried);
      expect(ended.err).toMatch(/^error\[E003\]: too many files are open at once\n/m);
      expect(ended.err).toMatch(/ulimit -n; then: rehearse resume \S+\n$/);
      expect(ended.err).not.toMatch(/\bat .*\.c?js:\d+/);
      expect(ended.code).toBe(environment);
    },
  );

  it.skipIf(!onLinux)('so few files that the compiler cannot be started: the job is not blamed', async () => {
    const folder = newFolder({ 'in.txt': inFile, 'job.ts': jobOf('map(line, emit) { emit(line, 1); }') });
    const ended = await rehearse(['run', 'job.ts', 'in.txt'], { cwd: folder, before: 'ulimit -n 22' });
    expectOneError(ended, 'E003');
    expect(ended.err).toContain('ulimit -n');
    expect(ended.code).toBe(environment);
  });

  it('a compiler that does not run: the job is not blamed', async () => {
    const folder = newFolder({ 'in.txt': inFile, 'job.ts': jobOf('map(line, emit) { emit(line, 1); }') });
    const broken = join(folder, 'esbuild');
    writeFileSync(broken, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const env = { ESBUILD_BINARY_PATH: broken };
    const ended = await rehearse(['run', 'job.ts', 'in.txt'], { cwd: folder, env });
    expectOneError(ended, 'U057');
    expect(ended.err).toContain('The service was stopped');
    expect(ended.code).toBe(environment);
  });
});

it('a rehearsal whose output can be written nowhere leaves no run', async () => {
  const folder = newFolder();
  const ended = await rehearse(['run', '--faults', scenario, '-o', '/proc/none/out'], { cwd: folder });
  expectOneError(ended, 'E002');
  expect(ended.code).toBe(environment);
  expect(readdirSync(join(folder, '.rehearse', 'runs'))).toEqual([]);
});

it('a run that has left nothing to go on with is not resumed', async () => {
  const folder = newFolder({ 'in.txt': 'a\n' });
  const ran = await rehearse(['run', 'word-count', 'in.txt', '--sequential', '-q'], { cwd: folder });
  const resumed = await rehearse(['resume', 'last'], { cwd: folder });
  expect(resumed.err).toMatch(/error\[R002\]: run \S+ left nothing to go on with\n[\s\S]*--sequential/);
  expect([ran.code, resumed.code]).toEqual([0, usage]);
});

describe('help', () => {
  it.each(['run', 'resume', 'sim', 'replay', 'demo', 'doctor'])(
    'of %s is on stdout, exit code 0',
    async (verb) => {
      const ended = await rehearse([verb, '--help'], { cwd: newFolder() });
      expect(ended).toMatchObject({ code: 0, err: '' });
      expect(ended.out).toContain(`Usage: rehearse ${verb}`);
    },
  );

  it.each(['resume', 'replay', 'explain'])('of %s says that the last run has a name', async (verb) => {
    const { out } = await rehearse([verb, '--help'], { cwd: newFolder() });
    expect(out).toContain('id or folder of a run');
    expect(out).toContain('or last');
  });

  it('of run names every built-in job and its parameters', async () => {
    const { out } = await rehearse(['run', '--help'], { cwd: newFolder() });
    for (const [name, { params }] of [...builtinJobs, ...builtinPipelines]) {
      if (name === 'modelled') continue;
      expect(out).toMatch(new RegExp(`^ +${name} `, 'm'));
      for (const param of params) expect(out).toContain(param.summary);
    }
  });

  it('is shown when no verb is given, which is a mistake', async () => {
    const ended = await rehearse([], { cwd: newFolder() });
    expect(ended).toMatchObject({ code: usage, out: '' });
    expect(ended.err).toContain('Usage: rehearse');
  });

  it('gives the version alone', async () => {
    expect((await rehearse(['--version'], { cwd: newFolder() })).out).toMatch(
      /^rehearse \d+\.\d+\.\d+\S*\n$/,
    );
  });
});

describe('a dry run', () => {
  it('says what would be done and leaves nothing, also of standard input', async () => {
    const folder = folderWithMistakes();
    const before = everythingIn(folder);
    const ended = await rehearse([...count, '-', '-r', '3', '-w', '1', '--dry-run'], {
      cwd: folder,
      stdin: 'a\n',
    });
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(
      /^word-count: 1 file, 2 B, 1 map and 3 reduce tasks on 1 worker, .*; nothing was started\n$/,
    );
    expect(everythingIn(folder).filter((name) => !/^\.rehearse(\/runs)?$/.test(name))).toEqual(before);
  });

  it('says one worker where one map is one task, and no reduce where the job has none', async () => {
    const job = 'export default { name: "a", map() {}, reduce: "none" };';
    const folder = newFolder({ 'in.txt': 'a\n', 'job.ts': job });
    const dry = ['run', 'job.ts', 'in.txt', '--dry-run'];
    const { out } = await rehearse(dry, { cwd: folder });
    expect(out).toMatch(/1 map task on 1 worker,/);
    const { out: json } = await rehearse([...dry, '--json'], { cwd: folder });
    expect(JSON.parse(json)).toMatchObject({ maps: 1, reduces: 0, workers: 1 });
  });
});

describe('a folder for temporary files whose name is short in letters and long in bytes', () => {
  it('keeps no run from its sockets', async () => {
    const folder = newFolder({ 'in.txt': 'a\n' });
    const TMPDIR = `/tmp/${'ж'.repeat(40)}-${process.pid}`;
    mkdirSync(TMPDIR);
    onTestFinished(() => rmSync(TMPDIR, { recursive: true }));
    for (const args of [[...count, 'in.txt'], ['doctor']]) {
      const ended = await rehearse(args, { cwd: folder, env: { TMPDIR } });
      expect(ended.code, ended.err).toBe(0);
    }
  });
});

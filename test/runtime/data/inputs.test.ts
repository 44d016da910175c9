import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InputError } from '../../../runtime/data/errors.js';
import { type ResolveOptions, resolveInputs } from '../../../runtime/data/inputs.js';
import { temporaryDirectory } from './temporary.js';

function tree(files: Record<string, string>): string {
  const cwd = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return cwd;
}

async function names(patterns: string[], options: ResolveOptions): Promise<string[]> {
  return (await resolveInputs(patterns, options)).map((file) => file.name);
}

async function refusal(patterns: string[], options: ResolveOptions): Promise<InputError> {
  const error = await resolveInputs(patterns, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  return error as InputError;
}

describe('what is taken', () => {
  const files = {
    'b/2.txt': '22',
    'b/1.txt': '1',
    'b/deep/3.txt.gz': 'x',
    'b/_tmp/4.txt': '4',
    'b/.git/5.txt': '5',
    'b/_SUCCESS': '',
    'a.md': 'a',
    '_named.txt': 'n',
  };

  it('walks directories and leaves out names that begin with _ or .', async () => {
    const cwd = tree(files);
    expect(await names(['b'], { cwd })).toEqual(['b/1.txt', 'b/2.txt', 'b/deep/3.txt.gz']);
  });

  it('takes hidden names when asked to', async () => {
    const cwd = tree(files);
    expect(await names(['b'], { cwd, hidden: true })).toHaveLength(6);
    expect(await names(['b/**/*.txt'], { cwd, hidden: true })).toHaveLength(4);
  });

  it('expands globs, without hidden names unless the pattern says them', async () => {
    const cwd = tree(files);
    expect(await names(['**/*.txt'], { cwd })).toEqual(['b/1.txt', 'b/2.txt']);
    expect(await names(['b/_tmp/*.txt'], { cwd })).toEqual(['b/_tmp/4.txt']);
    expect(await names(['_*.txt'], { cwd })).toEqual(['_named.txt']);
  });

  it('always takes a file named outright', async () => {
    const cwd = tree(files);
    expect(await names(['_named.txt', 'b/.git/5.txt'], { cwd })).toEqual(['_named.txt', 'b/.git/5.txt']);
  });

  it('takes a file once and in path order by UTF-8 bytes, whatever the order of the patterns', async () => {
    const cwd = tree({ '\u{1f600}': 'astral', '\uff21': 'fullwidth', z: 'z', Z: 'Z' });
    const patterns = ['z', './z', '*', '\u{1f600}', 'Z'];
    expect(await names(patterns, { cwd })).toEqual(['Z', 'z', '\uff21', '\u{1f600}']);
  });

  it('takes a file whose name looks like a glob literally', async () => {
    const cwd = tree({ 'a[1].txt': 'x', 'a1.txt': 'y' });
    expect(await names(['a[1].txt'], { cwd })).toEqual(['a[1].txt']);
  });

  it('pins size, modification time and inode, and knows gzip by its name', async () => {
    const cwd = tree(files);
    const [text, gzip] = await resolveInputs(['b/2.txt', 'b/deep'], { cwd });
    expect(text).toMatchObject({ path: join(cwd, 'b/2.txt'), sizeBytes: 2, compression: 'none' });
    expect(text!.mtimeNs).toMatch(/^\d{19}$/);
    expect(text!.inode).toMatch(/^\d+$/);
    expect(gzip).toMatchObject({ compression: 'gzip' });
  });

  it('follows links to files but not to directories inside a directory', async () => {
    const cwd = tree(files);
    mkdirSync(join(cwd, 'links'));
    symlinkSync('../a.md', join(cwd, 'links/file'));
    symlinkSync('../b', join(cwd, 'links/directory'));
    symlinkSync('nowhere', join(cwd, 'links/dangling'));
    expect(await names(['links'], { cwd })).toEqual(['links/file']);
    expect(await names(['links/*'], { cwd })).toEqual(['links/file']);
  });

  it('spools standard input into a file', async () => {
    const cwd = tree({});
    const spoolDirectory = join(cwd, 'spool');
    const stdin = Readable.from([Buffer.from('one\n'), Buffer.from('two\n')]);
    const [file] = await resolveInputs(['-'], { cwd, spoolDirectory, stdin });
    expect(file).toMatchObject({ name: '-', sizeBytes: 8, path: join(spoolDirectory, 'stdin') });
  });

  it('reads standard input once, however often it is named', async () => {
    const cwd = tree({});
    const stdin = Readable.from([Buffer.from('one\n')]);
    const files = await resolveInputs(['-', '-'], { cwd, spoolDirectory: join(cwd, 'spool'), stdin });
    expect(files).toMatchObject([{ name: '-', sizeBytes: 4 }]);
  });

  it('is quick with thousands of files', async () => {
    const cwd = temporaryDirectory();
    for (let index = 0; index < 3000; index++) writeFileSync(join(cwd, `${index}.txt`), '');
    expect(await resolveInputs(['.'], { cwd })).toHaveLength(3000);
  });
});

describe.skipIf(process.platform !== 'linux')('what the system makes up', () => {
  it('is refused where it is said to have 0 bytes and has more', async () => {
    const expected = {
      code: 'is-special',
      place: '/proc/cpuinfo',
      next: expect.stringContaining('pipe it in'),
    };
    expect(await refusal(['/proc/cpuinfo'], { cwd: '/' })).toMatchObject(expected);
    expect(await refusal(['cpuinf[o]'], { cwd: '/proc' })).toMatchObject({ code: 'is-special' });
  });

  it('is taken by its own name where the given one means another file in each process', async () => {
    const cwd = tree({ 'in.txt': 'text' });
    const path = join(cwd, 'in.txt');
    const descriptor = openSync(path, 'r');
    onTestFinished(() => closeSync(descriptor));
    for (const name of [`/dev/fd/${descriptor}`, `/proc/self/fd/${descriptor}`])
      expect(await resolveInputs([name], { cwd })).toMatchObject([{ path, name, sizeBytes: 4 }]);
    rmSync(path);
    const expected = { code: 'is-special', message: expect.stringContaining('this process alone') };
    expect(await refusal([`/dev/fd/${descriptor}`], { cwd })).toMatchObject(expected);
  });
});

describe('what is refused', () => {
  it('names a file that is missing and the name that was probably meant', async () => {
    const cwd = tree({ 'books.txt': 'x' });
    expect(await refusal(['Books.txt'], { cwd })).toMatchObject({
      code: 'missing',
      place: 'Books.txt',
      next: 'did you mean "books.txt"?',
    });
  });

  it('names the glob or directory in which there is nothing', async () => {
    const cwd = tree({ 'a.txt': 'x', 'only/_hidden': 'x' });
    expect(await refusal(['a.txt', '*.csv'], { cwd })).toMatchObject({
      code: 'nothing-matched',
      place: '*.csv',
    });
    expect(await refusal(['only'], { cwd })).toMatchObject({ code: 'nothing-matched', place: 'only' });
  });

  it('refuses a named pipe, but skips one inside a directory', async () => {
    const cwd = tree({ 'd/a': 'x' });
    execFileSync('mkfifo', [join(cwd, 'd/pipe')]);
    expect(await refusal(['d/pipe'], { cwd })).toMatchObject({ code: 'is-special', place: 'd/pipe' });
    expect(await names(['d'], { cwd })).toEqual(['d/a']);
  });

  it.each([
    ['gz', 'gzip'],
    ['zst', 'zstd'],
  ])(
    'names a file .%s in which there is nothing: packed, nothing has some bytes too',
    async (end, format) => {
      const cwd = tree({ 'd/a': '', [`d/b.${end}`]: '' });
      expect(await refusal(['d'], { cwd })).toMatchObject({
        code: 'unreadable',
        place: `d/b.${end}`,
        message: `cannot read d/b.${end}: the ${format} data end too early`,
      });
    },
  );

  it('names a file that the user may not read', async () => {
    const cwd = tree({ 'd/secret': 'x' });
    chmodSync(join(cwd, 'd/secret'), 0o000);
    asOrdinaryUser(cwd);
    expect(await refusal(['d'], { cwd })).toMatchObject({ code: 'unreadable', place: 'd/secret' });
  });

  it('names a directory that the user may not list', async () => {
    const cwd = tree({ 'd/locked/a': 'x' });
    chmodSync(join(cwd, 'd/locked'), 0o000);
    asOrdinaryUser(cwd);
    expect(await refusal(['d'], { cwd })).toMatchObject({ code: 'unreadable', place: 'd/locked' });
    expect(await refusal(['d/**'], { cwd })).toMatchObject({ code: 'unreadable' });
  });

  it('names a directory that cannot be listed for any other reason', async () => {
    const cwd = tree({ 'd/a': 'x' });
    onTestFinished(() => void execFileSync('rm', ['-rf', cwd]));
    const dig = `for (const name of Array(17).fill('n'.repeat(250))) fs.mkdirSync(name), process.chdir(name)`;
    execFileSync(process.execPath, ['-e', dig], { cwd: join(cwd, 'd') }); // until no path leads there any more
    const expected = { code: 'unreadable', message: expect.stringContaining('path is too long') };
    expect(await refusal(['d'], { cwd })).toMatchObject(expected);
    expect(await refusal(['d/**'], { cwd })).toMatchObject(expected);
  });

  it.skipIf(process.platform !== 'linux')('names a file or folder whose name is no UTF-8', async () => {
    const cwd = tree({ 'd/a': 'x', 'e/a': 'x' });
    writeFileSync(Buffer.from(`${cwd}/d/bad\xff.txt`, 'latin1'), 'x');
    mkdirSync(Buffer.from(`${cwd}/e/bad\xff`, 'latin1'));
    writeFileSync(Buffer.from(`${cwd}/e/bad\xff/a`, 'latin1'), 'x');
    for (const pattern of ['d', 'd/*', 'd/bad\ufffd.txt', 'e', 'e/**']) {
      const { code, message, next } = await refusal([pattern], { cwd });
      expect([code, next]).toEqual(['unreadable', 'rename it, or leave it out']);
      expect(message).toMatch(/^cannot read .*bad\ufffd.*: its name is no UTF-8$/);
    }
    const other = await refusal(['d/worse\ufffd.txt'], { cwd });
    expect(other).toMatchObject({ code: 'missing', next: expect.stringContaining('check the name') });
  });

  it('does not ask for permission to follow links that go in a circle', async () => {
    const cwd = tree({});
    symlinkSync('around', join(cwd, 'around'));
    const { message, next } = await refusal(['around'], { cwd });
    expect(message).toContain('circle');
    expect(next).not.toContain('permission');
  });

  it('refuses an output inside an input directory, unless it would be skipped there', async () => {
    const cwd = tree({ 'd/a': 'x' });
    expect(await refusal(['d'], { cwd, output: 'd/out' })).toMatchObject({ code: 'output-inside-input' });
    expect(await refusal(['d'], { cwd, output: 'd' })).toMatchObject({ code: 'output-inside-input' });
    expect(await names(['.'], { cwd, output: '.rehearse/runs/1/out' })).toEqual(['d/a']);
    expect(await names(['d'], { cwd, output: 'd2' })).toEqual(['d/a']);
  });

  it('sees an output inside an input directory through a link', async () => {
    const cwd = tree({ 'd/a': 'x' });
    symlinkSync('d', join(cwd, 'alias'));
    expect(await refusal(['d'], { cwd, output: 'alias/out' })).toMatchObject({ code: 'output-inside-input' });
  });

  it('refuses inputs that lie in the output', async () => {
    const cwd = tree({ 'out/part-00000': 'x' });
    expect(await refusal(['out/part-*'], { cwd, output: 'out' })).toMatchObject({
      code: 'input-inside-output',
    });
  });

  it('sees inputs that lie in the output through a link', async () => {
    const cwd = tree({ 'real/out/part-00000': 'x' });
    symlinkSync('real', join(cwd, 'alias'));
    symlinkSync('real/out/part-00000', join(cwd, 'file'));
    const expected = { code: 'input-inside-output' };
    expect(await refusal(['alias/out/part-*'], { cwd, output: 'alias/out' })).toMatchObject(expected);
    expect(await refusal(['file'], { cwd, output: 'real/out' })).toMatchObject(expected);
    expect(await names(['file'], { cwd, output: 'real/other' })).toEqual(['file']);
  });
});

/** Root may read everything, so the test goes on as nobody until it ends. */
function asOrdinaryUser(directory: string): void {
  if (process.geteuid?.() !== 0) {
    onTestFinished(() => void execFileSync('chmod', ['-R', 'u+rwx', directory]));
    return;
  }
  const nobody = 65534;
  chownSync(directory, nobody, nobody);
  process.seteuid?.(nobody);
  onTestFinished(() => {
    process.seteuid?.(0);
    rmSync(directory, { recursive: true, force: true });
  });
}

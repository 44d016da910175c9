/** An output takes the place of all that lies there: where that is the run itself, or the user's job, nothing is touched. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jobOf, linesOf, newFolder, rehearse, runsOf, slowJob, start, succeed, until } from './command.js';

const scenario = join(import.meta.dirname, '..', '..', 'scenarios', 'drain-at-the-very-end.yaml');

/** Runs take place in `here`, which is not empty. */
function folderOfRuns(): string {
  const folder = newFolder({ 'in.txt': 'a b a\n', 'precious.txt': 'precious\n' });
  for (const name of ['here', 'here/jobs', 'here/data']) mkdirSync(join(folder, name));
  for (const name of ['here/precious.txt', 'here/data/precious.txt'])
    writeFileSync(join(folder, name), 'precious\n');
  writeFileSync(join(folder, 'here/jobs/job.ts'), jobOf('map(line, emit) { emit(line, 1); }'));
  writeFileSync(join(folder, 'here/job.ts'), "export { default } from './jobs/job.ts';\n");
  symlinkSync('.', join(folder, 'here/alias'));
  return folder;
}

const count = ['word-count', '../in.txt'];
const ofData = (how: string): string => `the output ${how} the data directory`;
const ofJob = 'the output holds jobs/job.ts, of which the job is made';
const elsewhere = ['--data-dir', '../none/data'];

describe('an output is refused that', () => {
  it.each([
    ['holds the data directory', [...count, '-o', '.'], ofData('holds')],
    ['holds it in one process', [...count, '-o', '..', '--sequential'], ofData('holds')],
    ['would hold it', [...count, '-o', 'new', '--data-dir', 'new/data'], ofData('holds')],
    [
      'would hold it through a link',
      [...count, '-o', 'new', '--data-dir', 'alias/new/data'],
      ofData('holds'),
    ],
    ['is the data directory', [...count, '-o', 'jobs/../data', '--data-dir', 'data'], ofData('is')],
    ['lies in it', [...count, '-o', 'alias/data/out', '--data-dir', 'data'], ofData('lies in')],
    ['is the current folder', [...count, '-o', 'alias', ...elsewhere], 'the output is the current folder'],
    ['is it by its full name', [...count, '-o', '../here', ...elsewhere], 'the output is the current folder'],
    ['holds the job', ['jobs/job.ts', '../in.txt', '-o', 'jobs'], ofJob],
    ['holds what the job imports', ['job.ts', '../in.txt', '-o', 'jobs'], ofJob],
    ['holds a program', ['--mapper', 'node "jobs/job.ts"', '../in.txt', '-o', 'jobs'], ofJob],
    ['holds the data directory of a rehearsal', ['--faults', scenario, '-o', '.'], ofData('holds')],
  ])('%s', async (_, args, what) => {
    const folder = folderOfRuns();
    const before = everythingIn(folder);
    const cwd = join(folder, 'here');
    const flags = args[0] === '--faults' ? [] : ['--overwrite'];
    const { code, err } = await rehearse(['run', ...args, ...flags], { cwd });
    expect([code, err]).toEqual([2, expect.stringContaining(`error[U045]: ${what}\n`)]);
    expect(everythingIn(folder)).toEqual(before);
  });

  it('holds the current folder', async () => {
    const folder = folderOfRuns();
    const cwd = join(folder, 'here/jobs');
    const args = ['run', 'word-count', '../../in.txt', '-o', '..', '--overwrite', '--data-dir', '../../data'];
    const { code, err } = await rehearse(args, { cwd });
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('error[U045]: the output holds the current folder'),
    ]);
    expect(readdirSync(cwd)).toEqual(['job.ts']);
  });

  it('holds the data directory by the time the run is resumed', async () => {
    const folder = newFolder({ 'in.txt': 'a\nb\nc\nd\n', 'job.ts': slowJob(200) });
    const flags = ['-w', '1', '-m', '4', '-r', '1', '-o', 'out', '--overwrite'];
    const running = start(['run', 'job.ts', 'in.txt', ...flags], { cwd: folder });
    const data = join(folder, '.rehearse');
    await until('it works', () => {
      try {
        return readdirSync(join(runsOf(folder)[0]!, 'work')).length > 0;
      } catch {
        return false;
      }
    });
    running.child.kill('SIGKILL');
    await running.ended;
    const run = basename(runsOf(folder)[0]!);
    const moved = join(folder, 'out', 'data');
    mkdirSync(join(folder, 'out'));
    renameSync(data, moved);
    const { code, err } = await rehearse(['resume', join('out/data/runs', run)], { cwd: folder });
    expect([code, err]).toEqual([2, expect.stringContaining(`error[U045]: ${ofData('holds')}`)]);
    renameSync(moved, data);
    rmdirSync(join(folder, 'out'));
    await succeed(['resume', run], { cwd: folder });
    expect(linesOf(folder)).toHaveLength(4);
  });
});

it('an output beside the data directory replaces whatever folder was there', async () => {
  const folder = folderOfRuns();
  const cwd = join(folder, 'here');
  await succeed(['run', ...count, '-o', 'data', '--overwrite', '-r', '1'], { cwd });
  expect(readdirSync(join(cwd, 'data')).sort()).toEqual(['_SUCCESS.json', 'part-00000']);
  expect(readFileSync(join(cwd, 'precious.txt'), 'utf8')).toBe('precious\n');
});

function everythingIn(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort();
}

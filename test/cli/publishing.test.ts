/** What strangers and disks do to an output on its way to its place, and what the command says of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Concluding, concludeRun } from '../../cli/run/conclude.js';
import type { Conclusion } from '../../runtime/node/client-node.js';
import {
  expectTidy,
  forgetPublishing,
  jobOf,
  linesOf,
  newFolder,
  type Running,
  rehearse,
  runsOf,
  start,
  succeed,
  until,
  workspaceOf,
} from './command.js';

/** A line "bad" is not for it, and "wait" waits for a file `go`. */
const job = jobOf(
  `map(line, emit) {
    while (line === 'wait' && !existsSync('go')) Atomics.wait(cell, 0, 0, 10);
    if (existsSync('bad')) throw new Error('bad');
    emit(line, 1);
  }`,
  'sum',
  "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));",
);

function folderOf(): string {
  return newFolder({ 'job.ts': job, 'old.txt': 'old\n', 'wait.txt': 'wait\n' });
}

const runOf = (input: string, ...more: string[]): string[] => {
  return ['run', 'job.ts', input, '-o', 'out', '-r', '1', '-w', '1', ...more];
};

/** A run that waits for a file `go`. */
async function waiting(folder: string, ...more: string[]): Promise<Running & { readonly run: string }> {
  const before = existsSync(join(folder, '.rehearse')) ? runsOf(folder).length : 0;
  const command = start(runOf('wait.txt', ...more), { cwd: folder });
  const runs = (): string[] => (existsSync(join(folder, '.rehearse', 'runs')) ? runsOf(folder) : []);
  await until('it works', () =>
    runs()
      .slice(before)
      .some((run) => existsSync(join(run, 'work'))),
  );
  return { ...command, run: runs().at(-1)! };
}

const goOn = (folder: string): void => writeFileSync(join(folder, 'go'), '');

describe('a run whose staging folder is removed while it works', () => {
  it.each([[[]], [['--standby', '1']]])('has failed, and the old output stays (%j)', async (more) => {
    const folder = folderOf();
    await succeed(runOf('old.txt', '-q'), { cwd: folder });
    const { run, ended } = await waiting(folder, '--overwrite', ...more);
    const staging = join(workspaceOf(run), 'staging');
    expect(readdirSync(staging)).not.toEqual([]); // or whoever tidies empty folders away would remove it
    rmSync(staging, { recursive: true });
    goOn(folder);
    const { code, err } = await ended;
    expect(code, err).toBe(1);
    expect(err).toContain('error[F001]: the job failed: somebody else has removed ');
    expect(linesOf(folder)).toEqual(['old 1']);
    const resumed = await rehearse(['resume', basename(run)], { cwd: folder });
    expect([resumed.code, resumed.out]).toEqual([1, '']);
    expect(resumed.err).toContain(`run ${basename(run)} has failed: somebody else has removed `);
    expectTidy(folder);
  });
});

describe('a run that was published', () => {
  async function conclude(
    folder: string,
    json = false,
  ): Promise<{ code: number; out: string; said: string }> {
    const out: string[] = [];
    const said: string[] = [];
    const note = (line: string): void => void said.push(line);
    const terminal = {
      out: (text: string) => void out.push(text),
      say: note,
      warn: note,
      interactive: false,
    };
    const conclusion = { type: 'ended', status: { phase: 'published' } } as unknown as Conclusion;
    const spec = { name: 'job', output: join(folder, 'out'), reduces: 1 };
    const code = await concludeRun({ type: 'concluded', conclusion, left: [] }, {
      request: { runId: 'mine', spec },
      ...{ terminal, flags: { json } },
    } as unknown as Concluding);
    return { code, out: out.join(''), said: said.join('\n') };
  }

  it('is no success, and has no summary, when the output is another’s by now', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out', '_SUCCESS.json'), '{"run":"other","parts":[{"bytes":5}]}');
    const output = join(folder, 'out');
    const { code, out, said } = await conclude(folder, true);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({ run: 'mine', outcome: 'replaced', output, by: 'other' });
    expect(said).toBe(
      `run mine is done, but in the place of its output is the output of run other: ${output}; start it anew`,
    );
  });

  it('is no success when nothing is there', async () => {
    const { code, said } = await conclude(newFolder());
    expect(code).toBe(1);
    expect(said).toContain('run mine is done, but its output is there no more: ');
  });
});

describe('publishing that nobody can tell the outcome of', () => {
  /** A run that was killed before it knew that it is published. Its workspace is gone. */
  async function killed(...more: string[]): Promise<{ folder: string; run: string; resume: string[] }> {
    const folder = folderOf();
    await succeed(runOf('old.txt', '-q', ...more), { cwd: folder });
    const run = runsOf(folder)[0]!;
    await forgetPublishing(run);
    return { folder, run, resume: ['resume', basename(run)] };
  }

  it('is told, given up after a while (E005), and goes on when what was in the way is gone', async () => {
    const { folder, run, resume } = await killed();
    writeFileSync(workspaceOf(run), ''); // no folder
    const { code, err } = await rehearse(resume, { cwd: folder });
    expect(code, err).toBe(4);
    expect(err.match(/publishing fails, and is tried again: disk error ENOTDIR/g)).toHaveLength(1);
    expect(err).toContain('error[E005]: the output cannot be published\n  --> out\n');
    expect(err).toContain(`once that is mended: rehearse resume ${basename(run)}\n`);
    rmSync(workspaceOf(run));
    await succeed(resume, { cwd: folder });
    expect(linesOf(folder)).toEqual(['old 1']);
    expectTidy(folder);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at the first %s', async (signal, wanted) => {
    const { folder, run, resume } = await killed();
    writeFileSync(workspaceOf(run), '');
    const command = start(resume, { cwd: folder });
    await until('it says so', () => command.err().includes('publishing fails'));
    command.child.kill(signal);
    const { code, err } = await command.ended;
    expect(code, err).toBe(wanted);
    expect(err).toContain(`stopped. to go on: rehearse resume ${basename(run)}\n`);
  });

  it.each([[[]], [['-q', '--json']]])(
    'is given up at once when the workspace is gone (E006, %j)',
    async (more) => {
      const { folder, run, resume } = await killed();
      rmSync(join(folder, 'out'), { recursive: true });
      const { code, out, err } = await rehearse([...resume, ...more], { cwd: folder });
      expect(code, err).toBe(4);
      const said = more.length > 0 ? out : err;
      expect(said).toContain('E006');
      expect(said).toContain(basename(workspaceOf(run)));
      expect(err).not.toContain('is tried again');
    },
  );

  it('is given up when the master that says so is a process of its own', async () => {
    const { folder, resume } = await killed('--standby', '1');
    rmSync(join(folder, 'out'), { recursive: true });
    const { code, err } = await rehearse(resume, { cwd: folder });
    expect(code, err).toBe(4);
    expect(err).toContain('error[E006]: ');
  });

  it('is a success when the workspace is gone and the output is there', async () => {
    const { folder, resume } = await killed();
    await succeed(resume, { cwd: folder });
    expect(linesOf(folder)).toEqual(['old 1']);
    expectTidy(folder);
  });
});

describe('what cannot be removed at the end', () => {
  it.each([
    ['a success', false, 0, /^output {2}out$/m],
    ['a failure', true, 1, /^error\[F001\]: the job failed: map-0 failed 4 times/m],
  ])('is told after %s, and changes nothing of it', async (_title, bad, wanted, told) => {
    const folder = folderOf();
    if (bad) writeFileSync(join(folder, 'bad'), '');
    const { run, ended } = await waiting(folder);
    mkdirSync(join(`${workspaceOf(run)}.removed`, 'in-the-way'), { recursive: true });
    goOn(folder);
    const { code, err } = await ended;
    expect(code, err).toBe(wanted);
    expect(err).toMatch(told);
    const left = `could not be removed, and is of no use any more: ${basename(workspaceOf(run))} (`;
    expect(err.indexOf(left), err).toBeGreaterThan(err.search(told));
    expect(existsSync(join(run, 'work'))).toBe(false); // the rest is gone
    expect(readFileSync(join(run, 'run.json'), 'utf8')).not.toBe('');
  });
});

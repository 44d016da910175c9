/** `resume` of a run that is over: it is a success only as long as that run's own answer is where it was to be. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Ended,
  expectTidy,
  forgetPublishing,
  jobOf,
  linesOf,
  newFolder,
  outputOf,
  rehearse,
  runsOf,
  start,
  succeed,
  until,
  workspaceOf,
} from './command.js';

/** Lines that begin with "new" are not for it; one that is "wait" waits for a file `go`. */
const job = jobOf(
  `map(line, emit) {
    if (line.startsWith('new')) throw new Error('too new');
    while (line === 'wait' && !existsSync('go')) Atomics.wait(cell, 0, 0, 10);
    emit(line, 1);
  }`,
  'sum',
  "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));",
);

function folderOf(): string {
  return newFolder({ 'job.ts': job, 'old.txt': 'old\n', 'new.txt': 'new\n', 'wait.txt': 'wait\n' });
}

const runOf = (input: string, ...more: string[]): string[] => {
  return ['run', 'job.ts', input, '-o', 'out', '-q', '-r', '1', '-w', '1', ...more];
};

/** A run of old.txt that is done; its id. */
async function doneIn(folder: string): Promise<string> {
  await succeed(runOf('old.txt'), { cwd: folder });
  return basename(runsOf(folder).at(-1)!);
}

async function resumed(folder: string, run = 'last'): Promise<Ended & { readonly document: object }> {
  const document = JSON.parse((await rehearse(['resume', run, '--json'], { cwd: folder })).out);
  return { ...(await rehearse(['resume', run], { cwd: folder })), document };
}

it('of one that has failed says so, whoever else wrote to its output', async () => {
  const folder = folderOf();
  await doneIn(folder);
  expect((await rehearse(runOf('new.txt', '--overwrite'), { cwd: folder })).code).toBe(1);
  const run = basename(runsOf(folder).at(-1)!);
  const { code, out, err, document } = await resumed(folder);
  const message = 'map-0 failed 4 times; the limit is 4';
  expect([code, out]).toEqual([1, '']);
  expect(err).toBe(`run ${run} has failed: ${message} (rehearse explain ${run}); start it anew\n`);
  expect(document).toMatchObject({ run, outcome: 'failed', failure: { message } });
  expect(linesOf(folder)).toEqual(['old 1']);
});

it('of one whose output another was faster to fill says so', async () => {
  const folder = folderOf();
  const slow = start(runOf('wait.txt'), { cwd: folder });
  await until('it runs', () => existsSync(join(folder, '.rehearse', 'runs')));
  await until('its place is taken', () =>
    readdirSync(folder).some((name) => name.startsWith('.out.rehearse-')),
  );
  const run = basename(runsOf(folder)[0]!);
  await doneIn(folder);
  writeFileSync(join(folder, 'go'), '');
  expect((await slow.ended).code).toBe(1);
  const { code, err } = await resumed(folder, run);
  expect(code).toBe(1);
  expect(err).toContain(`run ${run} has failed: the output exists by now`);
});

describe.each([
  ['that is over', () => {}],
  ['that was killed before it had cleaned up', (run: string) => mkdirSync(join(run, 'work'))],
  ['that was killed before it knew that it was published', forgetThatItIsPublished],
])('of one %s', (_title, prepare) => {
  async function preparedIn(folder: string): Promise<string> {
    const run = await doneIn(folder);
    await prepare(runsOf(folder)[0]!);
    return run;
  }

  it('whose output another run has replaced names that run', async () => {
    const folder = folderOf();
    const run = await preparedIn(folder);
    await succeed(['run', 'word-count', 'new.txt', '-o', 'out', '-q', '--overwrite'], { cwd: folder });
    const before = outputOf(folder);
    const by = basename(runsOf(folder).at(-1)!);
    const { code, out, err, document } = await resumed(folder, run);
    const output = join(folder, 'out');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(
      `run ${run} is done, but in the place of its output is the output of run ${by}: ${output}; start it anew\n`,
    );
    expect(document).toEqual({ run, outcome: 'replaced', output, by });
    expect(outputOf(folder)).toEqual(before);
    expectTidy(folder);
  });

  it('whose output was moved away says so, and what lies there now is nobody’s', async () => {
    const folder = folderOf();
    const run = await preparedIn(folder);
    const output = join(folder, 'out');
    renameSync(output, join(folder, 'kept'));
    const gone = await resumed(folder, run);
    expect(gone.code).toBe(1);
    expect(gone.err).toContain(
      `run ${run} is done, but its output is there no more: ${output}; start it anew\n`,
    );
    expect(gone.document).toEqual({ run, outcome: 'removed', output });
    mkdirSync(output);
    writeFileSync(join(output, '_SUCCESS.json'), '{}');
    const other = await resumed(folder, run);
    expect(other.code).toBe(1);
    expect(other.err).toBe(
      `run ${run} is done, but in the place of its output is something else: ${output}; start it anew\n`,
    );
    expect(other.document).toEqual({ run, outcome: 'replaced', output });
    expectTidy(folder);
  });

  it('whose output is there is a success', async () => {
    const folder = folderOf();
    const run = await preparedIn(folder);
    const { code, document } = await resumed(folder, run);
    expect(code).toBe(0);
    expect(document).toMatchObject({ run, outcome: 'published', output: join(folder, 'out') });
    expectTidy(folder);
  });
});

/** As a kill between the last rename and the journal leaves it. */
async function forgetThatItIsPublished(run: string): Promise<void> {
  await forgetPublishing(run);
  const workspace = workspaceOf(run);
  for (const name of ['attempts', 'tomb']) mkdirSync(join(workspace, name), { recursive: true });
  for (const name of ['success.master-1-1-1.json', 'tomb/.rehearse-tomb'])
    writeFileSync(join(workspace, name), '');
}

it.each([
  ['in its middle', (length: number) => Math.floor(length / 2)],
  ['at its begin', () => 100],
])('of one whose journal is damaged %s blames the store', async (_where, endOf) => {
  const folder = folderOf();
  const run = await doneIn(folder);
  const journal = join(runsOf(folder)[0]!, 'journal');
  renameSync(join(folder, 'out'), join(folder, 'kept'));
  for (const name of readdirSync(journal)) {
    const bytes = readFileSync(join(journal, name));
    const end = endOf(bytes.length);
    bytes.fill(0, end - 100, end); // what follows tells that it is no end
    writeFileSync(join(journal, name), bytes);
  }
  const { code, out, err } = await rehearse(['resume', run], { cwd: folder });
  expect([code, out]).toEqual([4, '']);
  expect(err).toContain(`error[E001]: the journal of run ${run} cannot be read\n`);
});

const pipeline = `import { defineJob, definePipeline, sum } from 'mapreduce-rehearsal';
const count = (name, bad) => defineJob({
  name,
  inputFormat: name === 'first' ? 'lines' : 'ndjson',
  map(record, emit) { if (bad) throw new Error('no'); emit(record.key ?? record, 1); },
  reduce: sum,
});
export default definePipeline({
  name: 'two',
  stages: ({ bad }) => [count('first', bad === '0'), count('second', bad === '1')],
});
`;

describe('of a stage of a pipeline', () => {
  const two = (bad: string): string[] => {
    return ['run', 'job.mjs', 'in.txt', '-o', 'out', '-q', '-r', '1', '--overwrite', '--param', `bad=${bad}`];
  };

  it.each(['0', '1'])(
    'that has failed (%s) says so, whatever lies in the place of the output',
    async (bad) => {
      const folder = newFolder({ 'job.mjs': pipeline, 'in.txt': 'a\n' });
      await succeed(two('none'), { cwd: folder });
      expect((await rehearse(two(bad), { cwd: folder })).code).toBe(1);
      const { code, err } = await resumed(folder);
      expect(code).toBe(1);
      expect(err).toContain(' has failed: map-0 failed 4 times');
    },
  );

  it('that is done tells the first from the last: whose output is replaced, and whose was read', async () => {
    const folder = newFolder({ 'job.mjs': pipeline, 'in.txt': 'a\n' });
    for (let times = 0; times < 2; times++) await succeed(two('none'), { cwd: folder });
    const said: string[] = [];
    const codes: (number | string)[] = [];
    for (const run of runsOf(folder)) {
      const { code, err } = await resumed(folder, basename(run));
      codes.push(code);
      said.push(err);
    }
    expect(codes).toEqual([1, 1, 1, 0]);
    for (const stage of [0, 2])
      expect(said[stage]).toContain('is done, and the stage that followed has read');
    const by = basename(runsOf(folder)[3]!);
    expect(said[1]).toContain(`in the place of its output is the output of run ${by}: `);
    expect(said[3]).toContain(`run ${by} is done: `);
  });
});

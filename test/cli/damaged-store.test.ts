/** A store that was lost, restored from an older copy or damaged, under a run or before it is resumed. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../core/records.js';
import { runLayout } from '../../runtime/node/layout.js';
import { readRunRequest } from '../../runtime/run/run-request.js';
import { FileJournal } from '../../runtime/store/file-journal.js';
import {
  decisionsOf,
  descendantsOf,
  expectTidy,
  jobOf,
  linesOf,
  newFolder,
  onLinux,
  rehearse,
  runsOf,
  start,
  until,
} from './command.js';

/** A line that is "wait" waits for a file `go`. */
const job = jobOf(
  `map(line, emit) {
    while (line === 'wait' && !existsSync('go')) Atomics.wait(cell, 0, 0, 10);
    emit(line, 1);
  }`,
  'sum',
  "import { existsSync } from 'node:fs';\nconst cell = new Int32Array(new SharedArrayBuffer(4));",
);

const runOf = (...more: string[]): string[] => {
  return ['run', 'job.ts', 'one.txt', 'two.txt', 'wait.txt', '-o', 'out', '-r', '1', '-w', '1', ...more];
};

/** A run of which two maps are committed and the third waits. */
async function waitingIn(...more: string[]) {
  const files = { 'one.txt': 'one\n', 'two.txt': 'two\n', 'wait.txt': 'wait\n' };
  const folder = newFolder({ 'job.ts': job, ...files });
  const command = start(runOf('-m', '3', ...more), { cwd: folder });
  await until(
    'it has begun',
    () => existsSync(join(folder, '.rehearse', 'runs')) && runsOf(folder).length > 0,
  );
  const run = runsOf(folder)[0]!;
  await until('two maps are committed', () => commitsSeen(run) >= 2);
  return { folder, run, command };
}

/** By its masters, as their traces tell. */
function commitsSeen(run: string): number {
  const trace = join(run, 'trace');
  if (!existsSync(trace)) return 0;
  const names = readdirSync(trace).filter((name) => name.startsWith('master-'));
  const text = names.map((name) => readFileSync(join(trace, name), 'utf8')).join('');
  const appended = text.split('\n').filter((line) => line.includes('"event":{"type":"journal.appended"'));
  return appended.join('').match(/"type":"task\.committed"/g)?.length ?? 0;
}

/** As an older copy of the store is. */
async function shorten(run: string, slots: number): Promise<void> {
  const path = join(run, 'journal');
  const journal = await FileJournal.open<JournalRecord>(path);
  const { entries } = await journal.read(1, slots);
  await journal.close();
  rmSync(path, { recursive: true });
  const shorter = await FileJournal.open<JournalRecord>(path);
  for (const { slot, ...batch } of entries)
    expect((await shorter.append(slot, batch, 1000)).outcome).toBe('ok');
  await shorter.close();
}

const answer = ['one 1', 'two 1', 'wait 1'];

describe.each([
  ['a master', []],
  ['a standby', ['--standby', '1']],
])('a run with %s that was killed', (_who, flags) => {
  it.each([
    ['is gone', (run: string) => rmSync(join(run, 'journal'), { recursive: true }), 'is empty'],
    ['is an older copy', (run: string) => shorten(run, 2), 'ends with slot 2 of epoch 1'],
  ])(
    'and whose journal %s, goes on above it, says so, and explains what it does again',
    async (_how, damage, found) => {
      const { folder, run, command } = await waitingIn(...flags);
      command.child.kill('SIGKILL');
      await command.ended;
      await damage(run);
      writeFileSync(join(folder, 'go'), '');
      const { code, err } = await rehearse(['resume', 'last'], { cwd: folder });
      expect(code, err).toBe(0);
      expect(err).toMatch(
        /^the store went back: it had acknowledged slot \d+ in epoch \d+, and its journal /m,
      );
      expect(err).toContain(`, and its journal ${found}; what is lost is done again\n`);
      expect(linesOf(folder)).toEqual(answer);
      // A standby may have led for a moment, between the end of its leader and its own.
      const epochs = decisionsOf(run, 'leader-began').map(({ epoch }) => epoch);
      expect(new Set(epochs).size, `${epochs}`).toBe(epochs.length);
      const told = (await rehearse(['explain', 'last', 'map-0'], { cwd: folder })).out;
      expect(told).toContain('map-0@2 on worker-1: committed\n');
      expect(told).toMatch(/map-0@1 on worker-1: lost\n/);
      expect(told).toContain('because the store has lost that map-0@1 was committed\n');
      expect((await rehearse(['replay', 'last'], { cwd: folder })).code).toBe(0);
      expectTidy(folder);
    },
  );
});

it('a store that is whole when its run is resumed is not said to have gone back', async () => {
  const { folder, run, command } = await waitingIn();
  command.child.kill('SIGKILL');
  await command.ended;
  writeFileSync(join(folder, 'go'), '');
  const { code, err } = await rehearse(['resume', 'last'], { cwd: folder });
  expect([code, decisionsOf(run, 'store-went-back')], err).toEqual([0, []]);
  expect(err).not.toContain('went back');
  expect(linesOf(folder)).toEqual(answer);
});

it('a run that was killed and has lost the files of its maps makes them again: it had not ended', async () => {
  const { folder, run, command } = await waitingIn();
  command.child.kill('SIGKILL');
  await command.ended;
  rmSync(join(run, 'work'), { recursive: true });
  writeFileSync(join(folder, 'go'), '');
  const { code, err } = await rehearse(['resume', 'last'], { cwd: folder });
  expect(code, err).toBe(0);
  expect(linesOf(folder)).toEqual(answer);
  expectTidy(folder);
});

describe.each([
  ['is gone', (file: string) => rmSync(file)],
  ['is damaged', (file: string) => writeFileSync(file, 'damaged')],
])(
  'a run that was killed and has lost what its tasks read first, which %s, is not failed for it',
  (_how, damage) => {
    it.each(['code', 'work order'])('the %s', async (what) => {
      const { folder, run, command } = await waitingIn();
      command.child.kill('SIGKILL');
      await command.ended;
      const { code: ran, spec } = readRunRequest(runLayout(join(folder, '.rehearse'), basename(run)))!;
      damage(join(run, 'files', what === 'code' ? (ran as { hash: string }).hash : spec.work));
      const { code, out, err } = await rehearse(['resume', 'last'], { cwd: folder });
      expect([code, out], err).toEqual([4, '']);
      expect(err).toMatch(/^error\[E001\]: the store of the run is damaged\n {2}--> /m);
      expect(err).not.toContain('failed');
    });
  },
);

describe('a store that is hit under a run', () => {
  it.each([
    [
      'whose journal is removed',
      'journal',
      /^error\[E001\]: files of the run are gone\n {2}--> .*journal\n/m,
    ],
    [
      'whose journal is set back',
      'older',
      /^error\[E001\]: the store of the run is damaged\n.*\n.*journal\.0+1 is damaged/m,
    ],
    ['that is removed', '.', /^error\[E001\]: files of the run are gone\n(.*\n)*.*\n {2}start the job anew/m],
  ])('%s, is no bug of ours', async (_title, what, says) => {
    const { folder, run, command } = await waitingIn();
    const journal = join(run, 'journal');
    if (what !== 'older') rmSync(join(run, what), { recursive: true });
    else for (const name of readdirSync(journal)) truncateSync(join(journal, name), 700);
    const { code, err } = await command.ended;
    expect(code, err).toBe(4);
    expect(err).toMatch(says);
    writeFileSync(join(folder, 'go'), '');
    if (what !== 'journal') return;
    expect(err).toMatch(/, then: rehearse resume \S+; or start/);
    expect((await rehearse(['resume', 'last'], { cwd: folder })).code).toBe(0);
    expect(linesOf(folder)).toEqual(answer);
  });

  it.runIf(onLinux).each([
    ['a master', 'master-1', ['--standby', '1']],
    ['a worker that others read from', 'worker-1', ['--private-data']],
    ['the last worker', 'worker-1', []],
  ])('whose sockets are removed, ends when %s has to be started again', async (_who, node, flags) => {
    const { folder, run, command } = await waitingIn(...flags);
    rmSync(readFileSync(join(run, 'sockets'), 'utf8'), { recursive: true });
    const child = descendantsOf(command.pid).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`rehearse ${node}`),
    )!;
    process.kill(child, 'SIGKILL');
    const { code, err } = await command.ended;
    expect(code, err).toBe(4);
    expect(err).toMatch(
      /^error\[E007\]: the folder of the run’s sockets is gone.*\n {2}--> .*\n.*\n {2}to go on: rehearse resume \S+\n/m,
    );
    writeFileSync(join(folder, 'go'), '');
    expect((await rehearse(['resume', 'last'], { cwd: folder })).code).toBe(0);
    expect(linesOf(folder)).toEqual(answer);
  });
});

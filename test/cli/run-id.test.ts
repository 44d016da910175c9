/** Names of runs: in the order in which the runs began, whoever made them and whatever the clock says. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { findRun, newRunId } from '../../cli/run/run-id.js';
import type { UserError } from '../../cli/user-error.js';
import { newFolder, rehearse, runsOf, succeed } from './command.js';

/** A data directory with runs of these names. */
function dataWith(...names: string[]): string {
  const folder = newFolder();
  for (const name of names) {
    mkdirSync(join(folder, 'runs', name), { recursive: true });
    writeFileSync(join(folder, 'runs', name, 'run.json'), '');
  }
  return folder;
}

const noon = Date.UTC(2026, 10, 22, 12, 0, 0, 7);

it('tells when the run began, to the millisecond', () => {
  expect(newRunId(dataWith(), noon)).toMatch(/^20261122-120000007-[a-z]{4}$/);
  expect(newRunId(dataWith('20261122-115959-abcd'), noon)).toMatch(/^20261122-120000007-/);
});

it('is behind every name that is there, in the same millisecond and where the clock was put back', () => {
  const data = dataWith();
  const ids = Array.from({ length: 50 }, (_, index) => {
    const id = newRunId(data, noon - (index % 5) * 3_600_000);
    mkdirSync(join(data, 'runs', id), { recursive: true });
    return id;
  });
  expect(readdirSync(join(data, 'runs')).sort()).toEqual(ids);
  expect(new Set(ids.map((id) => id.slice(0, 18))).size).toBe(50);
});

it.each([
  ['a name of a former version, of the same second', '20261122-120000-zzzz', '20261122-120001000-'],
  ['one of the end of a year', '20261231-235959-abcd', '20270101-000000000-'],
  ['one of a later day', '20261124-030405006-abcd', '20261124-030405007-'],
])('comes behind %s', (_title, there, beginning) => {
  const data = dataWith('20261121-120000-zzzz', there);
  const id = newRunId(data, noon);
  expect(id.startsWith(beginning), id).toBe(true);
  expect([id, there].sort()).toEqual([there, id]);
});

it('takes no notice of what is no run, and neither does last', () => {
  const data = dataWith('20261121-120000-zzzz', '20261122-115959999-abcd', '99999999-999999-zzzz', 'zzz');
  expect(newRunId(data, noon)).toMatch(/^20261122-120000007-/);
  expect(findRun('last', data).layout.runId).toBe('20261122-115959999-abcd');
  expect(findRun('20261121', data).layout.runId).toBe('20261121-120000-zzzz');
  expect(findRun('zzz', data).layout.runId).toBe('zzz');
  expect(() => findRun('2026112', data)).toThrow('"2026112" is the beginning of 2 runs');
  expect(() => findRun('last', dataWith('zzz'))).toThrow('there is no run "last"');
});

it('last and beginnings of names pass over what a command has left that was killed before its run was begun', () => {
  const data = dataWith('20261121-120000-abcd', '20261122-120000-abcd');
  const kept = { 'files/order': '', 'run.json.tmp': '{', stdin: 'a' };
  for (const [index, name] of ['', ...Object.keys(kept)].entries())
    mkdirSync(dirname(join(data, 'runs', `20261122-12000${index + 1}-abcd`, name)), { recursive: true });
  for (const [index, [name, text]] of Object.entries(kept).entries())
    writeFileSync(join(data, 'runs', `20261122-12000${index + 2}-abcd`, name), text);
  expect(findRun('last', data).layout.runId).toBe('20261122-120000-abcd');
  expect(findRun('20261122', data).layout.runId).toBe('20261122-120000-abcd');
  expect(findRun('20261122-120003-abcd', data).layout.runId).toBe('20261122-120003-abcd');
  expect(newRunId(data, noon)).toMatch(/^20261122-120005000-/);
  mkdirSync(join(data, 'runs', '20261122-120009-abcd', 'output'), { recursive: true });
  expect(findRun('last', data).layout.runId).toBe('20261122-120009-abcd');
});

it('a run that was killed before its first step, and one that leaves no trace, are told of as such', async () => {
  const folder = newFolder({ 'in.txt': 'a\n' });
  await succeed(['run', 'word-count', 'in.txt', '--sequential', '-q'], { cwd: folder });
  const run = basename(runsOf(folder)[0]!);
  for (const command of [['explain'], ['replay'], ['trace', '--to', 'merged'], ['sim', '--from']]) {
    const { code, err } = await rehearse([...command, 'last'], { cwd: folder });
    expect(err).toMatch(/^error\[T001\]: there are no traces here\n/);
    expect(err).toContain(run);
    expect(code).toBe(2);
  }
});

it('a misspelt last is told from the name of a run', () => {
  const next = (name: string, data: string): string | undefined => {
    try {
      findRun(name, data);
    } catch (error) {
      return (error as UserError).parts.next;
    }
    return undefined;
  };
  const data = dataWith('20261121-120000-zzzz');
  expect(next('lats', data)).toBe('did you mean "last"? it is 20261121-120000-zzzz');
  expect(next('Last', data)).toBe('did you mean "last"? it is 20261121-120000-zzzz');
  expect(next('20261120', data)).toBe('the last one is 20261121-120000-zzzz');
  expect(next('lats', dataWith())).toBe('no run has been made here yet');
});

it('every command takes the run that began last for the last one', async () => {
  const folder = newFolder({ 'in.txt': 'a b a\n' });
  mkdirSync(join(folder, '.rehearse', 'runs', '20991231-235959-zzzz'), { recursive: true });
  for (const k of ['1', '2']) {
    const args = ['top-k', 'in.txt', '--param', `k=${k}`, '-o', `top-${k}`, '-q'];
    await succeed(['run', ...args], { cwd: folder });
  }
  const stages = runsOf(folder).map((run) => basename(run));
  expect(stages).toHaveLength(5);
  expect(stages[0]).toBe('20991231-235959-zzzz');
  const resumed = await succeed(['resume', 'last'], { cwd: folder });
  expect(resumed.err).toBe(`run ${stages.at(-1)} is done: ${join(folder, 'top-2')}\n`);
  const same = async (...command: string[]): Promise<void> => {
    const [last, named] = await Promise.all(
      ['last', stages.at(-1)!].map((run) => succeed([...command, run], { cwd: folder })),
    );
    expect(last!.out.replaceAll('last', stages.at(-1)!)).toBe(named!.out);
  };
  for (const command of [['explain'], ['replay'], ['trace', '--to', 'merged'], ['sim', '--from']])
    await same(...command);
});

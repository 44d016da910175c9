/** `rehearse explore` as a user has it: verdicts, exit codes, one document. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, start } from './command.js';

const calm = '{ name: calm, cluster: { workers: 1 }, job: { maps: 1 }, explore: { losses: 1 }, expect: {} }';

function rehearse(files: Record<string, string>, ...args: string[]) {
  const cwd = newFolder(files);
  return { cwd, ended: start(['explore', ...args], { cwd }).ended };
}

describe('rehearse explore', () => {
  it('says that every rule holds, how much it looked at, and what was reached', async () => {
    const { cwd, ended } = rehearse({ 'calm.yaml': calm }, 'calm.yaml', '--reached', 'reached.txt');
    const { code, out, err } = await ended;
    expect(err).toMatch(/^ok {4}calm\.yaml, 1 losses: [\d,]+ states generated, [\d,]+ distinct, depth \d+/m);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    const reached = readFileSync(join(cwd, 'reached.txt'), 'utf8').trimEnd().split('\n');
    expect(reached).toEqual(reached.toSorted());
    expect(reached.some((line) => /^master leader.* <- attempt\.completed$/.test(line))).toBe(true);
  });

  it.each(['--scenario', '--reached'])('says at once that %s cannot be written', async (flag) => {
    const { ended } = rehearse({ 'calm.yaml': calm }, 'calm.yaml', flag, 'nowhere/file');
    const { code, out, err } = await ended;
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatch(new RegExp(`^error\\[U025\\]: ${flag}: there is no such folder\n`));
  });

  it('says the same with --liveness, and as one document with --json', async () => {
    const { ended } = rehearse({ 'calm.yaml': calm }, 'calm.yaml', '--liveness', '--json');
    const { code, out } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ explorations: [{ scenario: 'calm.yaml', verdict: 'holds' }] });
  });

  it('takes the faults of a scenario for bounds when it names none', async () => {
    const text =
      '{ name: calm, cluster: { workers: 1 }, job: { maps: 1 }, faults: [{ at: 1s, drop: worker-1 }], expect: {} }';
    const { err, code } = await rehearse({ 'drop.yaml': text }, 'drop.yaml').ended;
    expect(err).toContain('1 losses');
    expect(code).toBe(0);
  });

  it('says which faults of a scenario it has no bound for', async () => {
    const text =
      '{ name: calm, cluster: { workers: 1 }, job: { maps: 1 }, faults: [{ at: 1s, fill: worker-1 }], expect: {} }';
    const { err, code } = await rehearse({ 'fill.yaml': text }, 'fill.yaml').ended;
    expect(err).toContain('not explored: fill worker-1 at 1s');
    expect(code).toBe(0);
  });

  it.each([
    [['--max-states', '100']],
    [['--max-states', '100', '--liveness']],
    [['--memory', '64KiB', '--exact']],
  ])('is inconclusive at a limit: %j', async (flags) => {
    const { code, err } = await rehearse({ 'calm.yaml': calm }, 'calm.yaml', ...flags).ended;
    expect(err).toContain('INCONCLUSIVE');
    expect(code).toBe(3);
  });

  it.each([
    [['calm.yaml', '--max-states', 'many'], 'U023'],
    [['calm.yaml', '--memory', 'much'], 'U024'],
    [['calm.yaml', '--liveness', '--symmetry'], 'U021'],
    [['two.yaml'], 'U022'],
    [['bad.yaml'], 'S003'],
    [['none.yaml'], 'S000'],
  ])('refuses %j', async (args, code) => {
    const files = {
      'calm.yaml': calm,
      'two.yaml': '{ name: two, jobs: [{ maps: 1 }, { maps: 1, output: other }], expect: {} }',
      'bad.yaml': '{ name: bad, explore: { crashs: 1 }, expect: {} }',
    };
    const ended = await rehearse(files, ...args).ended;
    expect(ended.err).toContain(`error[${code}]`);
    expect(ended.code).toBe(2);
  });
});

it('a cluster that is too large is refused', async () => {
  const text = '{ name: many, cluster: { workers: 70 }, job: { maps: 1 }, expect: {} }';
  const { code, err } = await rehearse({ 'many.yaml': text }, 'many.yaml').ended;
  expect(err).toMatch(
    /^error\[U029\]: this cluster is too large to be explored\n {2}--> many\.yaml\n {2}.*64 kinds/,
  );
  expect(code).toBe(2);
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Conductor, namesAttempts } from '../../cli/rehearsal/conductor.js';
import { runLayout } from '../../runtime/node/layout.js';
import type { LocalCluster } from '../../runtime/run/local-cluster.js';
import { loadScenarios } from '../../sim/scenario/load.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A conductor on a stage where nothing is but a list of what was done to whom. */
function staged(faults: string): { conductor: Conductor; done: string[]; leads: (master: string) => void } {
  const text = `
name: a test
cluster: { masters: 2, workers: 1 }
job: { maps: 1, reduces: 1 }
faults: [${faults}]
expect: { job: succeeded }
`;
  const loaded = loadScenarios(text, 'test.yaml');
  if (!loaded.ok) throw new Error('the scenario cannot be read');
  const conductor = new Conductor(loaded.scenarios[0]!, runLayout('nowhere', 'run'), () => {});
  const done: string[] = [];
  const supervisor = {
    hold: (node: string) => done.push(`${node} killed`),
    tell: (node: string, { type, factor }: { type: string; factor?: number }) =>
      done.push(`${node} told: ${type}${factor === undefined ? '' : ` by ${factor}`}`),
    signal: (node: string, signal: string) => done.push(`${node} ${signal}`),
  };
  conductor.begin({ supervisor } as unknown as LocalCluster);
  const leads = (node: string): void =>
    conductor.watch(node, { type: 'node.started' }, [
      { type: 'decide', decision: 'leader-began', node, epoch: 1 },
    ]);
  return { conductor, done, leads };
}

it('attempts are counted as they are given out, whoever leads, and whether they begin or not', () => {
  const { conductor } = staged('{ at: 0s, slow: worker-1, by: 2 }');
  const attempt = { job: 1, task: 0, epoch: 1, n: 1 };
  const decision = { type: 'decide', decision: 'attempt-assigned', attempt, node: 'worker-1' } as const;
  conductor.watch('master-1', { type: 'node.started' }, [decision]);
  expect(conductor.ordinalOf({ ...attempt, epoch: 2 })).toBe(2);
  conductor.end();
});

it.each([
  [true, 'misbehave: { map-0@2: throws }', ''],
  [true, 'times: { map-0@2: 1s }', ''],
  [true, '', '{ point: attempt.before_write, task: map-0@2, crash: it }'],
  [false, 'misbehave: { map-0: throws }, times: { map-0: 1s }', '{ point: attempt.before_write, crash: it }'],
  [false, '', '{ when: map-0@2 started, crash: its worker }'],
])('workers ask about their attempts: %s, where a job has "%s" and there is "%s"', (expected, job, fault) => {
  const text = `name: a test\njob: { ${job} }\nfaults: [${fault}]\nexpect: { job: succeeded }\n`;
  const loaded = loadScenarios(text, 'test.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  expect(namesAttempts(loaded.scenarios[0]!)).toBe(expected);
});

it('faults by the clock count from the first leader on, however long the processes take to start', () => {
  const { conductor, done, leads } = staged('{ at: 1s, crash: leader }');
  vi.advanceTimersByTime(60_000);
  leads('master-2');
  vi.advanceTimersByTime(999);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(['master-2 killed']);
  leads('master-1');
  vi.advanceTimersByTime(60_000);
  expect(done).toHaveLength(1);
  conductor.end();
});

it('what holds from 0s on does so before there is a leader', () => {
  const { conductor, done, leads } = staged('{ at: 0s, slow: worker-1, by: 2 }');
  vi.advanceTimersByTime(0);
  expect(done).toEqual(['worker-1 told: slow by 2']);
  leads('master-1');
  vi.advanceTimersByTime(1000);
  expect(done).toHaveLength(1);
  conductor.end();
});

it('of faults that overlap the one that ends leaves the other as it was, as in the simulator', () => {
  const { conductor, done } = staged(
    '{ at: 0s, slow: worker-1, by: 10 }, { at: 0s, slow: worker-1, by: 2, for: 1s }, ' +
      '{ at: 0s, pause: worker-1, for: 4s }, { at: 0s, pause: worker-1, for: 1s }',
  );
  vi.advanceTimersByTime(3999);
  expect(done).toEqual([
    'worker-1 told: slow by 10',
    'worker-1 told: slow by 20',
    'worker-1 SIGSTOP',
    'worker-1 told: slow by 10',
  ]);
  expect(conductor.effective.size).toBe(3);
  vi.advanceTimersByTime(1);
  expect(done.at(-1)).toBe('worker-1 SIGCONT');
  conductor.end();
});

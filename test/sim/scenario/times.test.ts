/** Times of single tasks and attempts. */
import { expect, it } from 'vitest';
import { pace } from '../../../runtime/executor/pace.js';
import type { WorkOrder } from '../../../runtime/node/work-order.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import type { Scenario } from '../../../sim/scenario/types.js';
import { writeScenario } from '../../../sim/scenario/write.js';
import { singleRemovals } from '../../../sim/shrink/removals.js';
import { simplifications } from '../../../sim/shrink/simplify.js';
import { simulate } from '../../../sim/simulate.js';

function read(job: string): Scenario {
  const loaded = loadScenarios(`name: x\njob: { ${job} }\nexpect: {}\n`, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return loaded.scenarios[0]!;
}

const job =
  'maps: 3, reduces: 1, mapTime: 100ms, times: { map-1: 3s, map-2: 9s, map-2@1: 500ms, map-2@2: 200ms, reduce-0: 1s..2s }, misbehave: { map-2@1: throws }';

function tookMs(scenario: Scenario, attempt: string): number {
  const { facts } = simulate(scenario);
  const of = facts.filter(({ task, ordinal }) => `${task}@${ordinal}` === attempt);
  const end = of.find(({ name }) => name === 'finished' || name === 'broke')!;
  return (end.atUs - of.find(({ name }) => name === 'started')!.atUs) / 1000;
}

it('stand in place of those of their kind', () => {
  const scenario = read(job);
  // Around the work lie moments in which a file is written.
  for (const [attempt, ms] of Object.entries({
    'map-0@1': 100,
    'map-1@1': 3000,
    'map-2@1': 500,
    'map-2@2': 200,
  })) {
    const took = tookMs(scenario, attempt);
    expect(took, attempt).toBeGreaterThanOrEqual(ms);
    expect(took, attempt).toBeLessThan(ms + 50);
  }
  const reduce = tookMs(scenario, 'reduce-0@1');
  expect(reduce).toBeGreaterThanOrEqual(1000);
  expect(reduce).toBeLessThan(2050);
});

it('are written as they were read, and what is wrong is refused', () => {
  const scenario = read(job);
  const again = loadScenarios(writeScenario(scenario), 'x.yaml');
  expect(again.ok && again.scenarios[0]!.jobs).toEqual(scenario.jobs);
  expect(() => read('times: { map-7: 1s }')).toThrow(/S0\d\d .*map-7/);
  expect(() => read('times: { map-0: 2s..1s }')).toThrow('S006 the range "2s..1s" ends before it begins');
  expect(() => read('times: { map-0: soon }')).toThrow('S006');
  expect(() => read('cost: { inputs: [1GB] }, times: { map-0: 1s }')).toThrow(
    'S012 "times" is decided by "cost"',
  );
});

it('a job may take as long as they say', () => {
  expect(simulate(read('maps: 1, reduces: 1, times: { map-0: 9m }')).verdict).toBe('passed');
});

it('are shrunk with their tasks, and away', () => {
  const scenario = read(job);
  const timesOf = ({ scenario: { jobs } }: { scenario: Scenario }) =>
    jobs[0]!.times?.map(({ task }) => task.index);
  const fewer = [...singleRemovals(scenario)].find(({ scenario: { jobs } }) => jobs[0]!.maps === 2)!;
  expect(timesOf(fewer)).toEqual([1, 0]);
  expect([...simplifications(scenario, [])].map(timesOf)).toContain(undefined);
});

it('hold on real processes as well', () => {
  const tasks = [
    { task: 1, ordinal: 2, us: [80_000, 80_000] as const },
    { task: 1, us: [40_000, 40_000] as const },
  ];
  const order = { seed: 'x', pace: { mapUs: [1, 1], reduceUs: [1, 1], tasks } } as unknown as WorkOrder;
  const totalUs = (task: number, ordinal: number): number => {
    const gauge = new Float64Array(8);
    const attempt = { job: 1, task, epoch: 2, n: 1 };
    pace(order, { attempt, ordinal, maps: 2, begunAtMs: Date.now() }, gauge);
    return Math.max(...gauge);
  };
  expect([totalUs(0, 1), totalUs(1, 1), totalUs(1, 2)]).toEqual([1, 40_000, 80_000]);
});

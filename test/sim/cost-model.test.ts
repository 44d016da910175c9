import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mapsOf,
  mapWorkUs,
  reduceWorkUs,
  slownessOfWorker,
  splitBytesOf,
  timesOf,
} from '../../sim/cost-model.js';
import { drawKey, expandSeed } from '../../sim/random.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { ScenarioCost } from '../../sim/scenario/types.js';
import { type SimulationResult, simulate } from '../../sim/simulate.js';

const megabyte = 1_000_000;
const second = 1_000_000;

const plain: ScenarioCost = {
  inputs: [{ count: 10, bytes: 64 * megabyte }],
  splitBytes: 64 * megabyte,
  startupUs: { min: second, max: second },
  scanRate: 32 * megabyte,
  writeRate: 16 * megabyte,
  networkRate: 8 * megabyte,
  intermediate: 1,
  output: 1,
  stragglers: { percent: 0, by: { min: 1, max: 1 } },
};

describe('the cost model', () => {
  it('cuts every file into splits of its own, the last of which holds what is left', () => {
    const cost = { ...plain, inputs: [{ count: 2, bytes: 150 * megabyte }] };
    expect(mapsOf(cost)).toBe(6);
    const splits = [0, 1, 2, 3, 4, 5].map((map) => splitBytesOf(cost, map) / megabyte);
    expect(splits).toEqual([64, 64, 22, 64, 64, 22]);
    expect(() => splitBytesOf(cost, 6)).toThrow(RangeError);
  });

  it('gives every byte of the inputs to exactly one map, whatever the sizes', () => {
    const files = fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      bytes: fc.integer({ min: 0, max: 1000 }),
    });
    fc.assert(
      fc.property(
        fc.array(files, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 200 }),
        (inputs, splitBytes) => {
          const cost = { ...plain, inputs, splitBytes };
          let read = 0;
          for (let map = 0; map < mapsOf(cost); map++) read += splitBytesOf(cost, map);
          expect(read).toBe(inputs.reduce((sum, { count, bytes }) => sum + count * bytes, 0));
        },
      ),
    );
  });

  it('takes a map its split over the scan rate, and what it gives over the write rate', () => {
    expect(mapWorkUs(plain, 0)).toBe(2 * second + 4 * second);
    expect(mapWorkUs({ ...plain, intermediate: 0.5 }, 0)).toBe(2 * second + 2 * second);
  });

  it('takes a reduce its even share over the network, and what it gives over the write rate', () => {
    expect(reduceWorkUs(plain, 5)).toEqual({ copyUs: 16 * second, writeUs: 8 * second });
    expect(reduceWorkUs({ ...plain, output: 2, intermediate: 0.5 }, 5)).toEqual({
      copyUs: 8 * second,
      writeUs: 8 * second,
    });
  });

  it('bounds what any attempt takes, start and stragglers included', () => {
    const cost = { ...plain, stragglers: { percent: 10, by: { min: 2, max: 4 } } };
    expect(timesOf(cost, 5).mapTimeUs.max).toBe(4 * (second + mapWorkUs(cost, 0)));
    expect(timesOf(cost, 5).reduceTimeUs.min).toBe(second + 24 * second);
  });

  it('makes about so many percent of the workers slow, always the same ones, and by no more than was said', () => {
    const cost = { ...plain, stragglers: { percent: 20, by: { min: 3, max: 5 } } };
    const seed = expandSeed('1');
    const slownesses = Array.from({ length: 1000 }, (_, worker) =>
      slownessOfWorker(cost, seed, drawKey(`worker-${worker}`)),
    );
    const slow = slownesses.filter((by) => by > 1);
    expect(slow.length).toBeGreaterThan(150);
    expect(slow.length).toBeLessThan(250);
    expect(Math.min(...slow)).toBeGreaterThanOrEqual(3);
    expect(Math.max(...slow)).toBeLessThanOrEqual(5);
    expect(slownessOfWorker(cost, seed, drawKey('worker-7'))).toBe(slownesses[7]);
  });
});

function run(text: string): SimulationResult {
  const loaded = loadScenarios(text, 'cost.yaml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const result = simulate(loaded.scenarios[0]!);
  expect(result.verdict).toBe('passed');
  return result;
}

function secondsOf({ facts }: SimulationResult, name: string): number {
  return facts.find((fact) => fact.name === name)!.atUs / second;
}

const cluster = 'cluster: { workers: 4, mapOutputs: worker }';
const cost = 'inputs: [8 x 64MB], startup: 1s, scan: 32MB/s, write: 16MB/s, network: 16MB/s';
const form = (policy: string, faults = '', more = '', reduces = 4): string => `
name: modelled work
seed: 1
${cluster}
job: { reduces: ${reduces}, cost: { ${cost}${more} } }
policy: { ${policy} }
${faults}
expect: { job: succeeded }
`;

describe('a job with a cost', () => {
  it('takes as many waves as its tasks make, each as long as its bytes cost', () => {
    const result = run(form('slowstart: 1'));
    // Two waves of maps, 1 s + 2 s + 4 s each; then a wave of reduces, 1 s + 8 s + 8 s.
    expect(secondsOf(result, 'maps-done')).toBeCloseTo(14, 0);
    expect(secondsOf(result, 'reduces-done') - secondsOf(result, 'maps-done')).toBeCloseTo(17, 0);
  });

  it('is over sooner when reduces copy while the last maps run', () => {
    const slow = 'faults: [{ when: "map-7@1 started", slow: "its worker", by: 4, until: "map-7 committed" }]';
    const late = run(form('slowstart: 1', slow, '', 3));
    const early = run(form('slowstart: 0', slow, '', 3));
    expect(early.counts.starved).toBeUndefined();
    expect(secondsOf(late, 'reduces-done') - secondsOf(early, 'reduces-done')).toBeGreaterThan(1);
  });

  it('waits for a straggler, unless there are backup tasks', () => {
    const stragglers = ', stragglers: { percent: 25, by: "20" }';
    const alone = run(form('speculation: off', '', stragglers));
    const backedUp = run(form('speculation: on', '', stragglers));
    expect(backedUp.counts['attempt-speculated']).toBeGreaterThan(0);
    expect(secondsOf(backedUp, 'reduces-done')).toBeLessThan(secondsOf(alone, 'reduces-done') / 2);
  });

  it('makes again the maps whose holder died', () => {
    const kill = 'faults: [{ when: "map-5 committed", crash: worker-1, restartAfter: 1s }]';
    const result = run(form('slowstart: 1', kill));
    expect(result.counts.invalidated).toBeGreaterThan(0);
    expect(result.jobs[0]).toMatchObject({ output: 'same-as-sequential' });
  });
});

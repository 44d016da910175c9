import { describe, expect, it } from 'vitest';
import type { Effect } from '../../core/effects.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { isSettled } from '../../sim/settled.js';
import { simulate } from '../../sim/simulate.js';
import { stories } from '../scenarios/stories.js';

const second = 1_000_000;

function scenario(faults: string): Scenario {
  const text = `{ name: x, cluster: { masters: 2, workers: 3 }, job: { maps: 4, reduces: 2 }, faults: [${faults}], expect: {} }`;
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return loaded.scenarios[0]!;
}

/** Virtual seconds from the end of the job to the end of the run. */
function watchedFor(faults: string): number {
  const result = simulate(scenario(faults));
  expect(result.violation).toBeUndefined();
  return (result.virtualUs - result.jobs[0]!.concludedUs) / second;
}

describe('after its last job a world is watched', () => {
  it('for some beats, when everybody is well', () => {
    expect(watchedFor('')).toBeLessThan(2);
  });

  it('until a worker that was paused is back and has got its answer', () => {
    const result = simulate(scenario('{ when: "map-0@1 started", pause: "its worker", for: 25s }'));
    const refused = result.facts.find(({ name }) => name === 'late-report-refused');
    expect(refused?.atUs).toBeGreaterThan(25 * second);
    expect(result.virtualUs).toBeGreaterThan(refused!.atUs);
  });

  it('until a worker that was killed is given up', () => {
    expect(watchedFor('{ when: "reduces done", crash: worker-1 }')).toBeGreaterThan(1);
    const { facts } = simulate(scenario('{ when: "reduces done", crash: worker-1 }'));
    expect(facts.at(-1)).toMatchObject({ name: 'worker-lost', about: 'worker-1' });
  });

  it('until another leads, when the leader is killed at the end', () => {
    const { facts } = simulate(scenario('{ when: "job-published", crash: leader }'));
    expect(facts.filter(({ name }) => name === 'leader-began')).toHaveLength(2);
  });

  it('until a worker that was killed before its end is back', () => {
    const { facts } = simulate(scenario('{ when: "reduces done", crash: worker-1, restartAfter: 5s }'));
    expect(facts.map(({ name }) => name)).toContain('node-restarted');
  });

  it('and the clock brings no fault any more', () => {
    const { facts } = simulate(scenario('{ at: 20s, crash: worker-1, restartAfter: 5s }'));
    expect(facts.map(({ name }) => name)).not.toContain('node-crashed');
  });

  it('no longer for a fault of the network that holds nothing', () => {
    expect(watchedFor('{ at: 0s, duplicate: [all masters, all workers] }')).toBeLessThan(8);
  });
});

/** What machines decided in a world that was at rest before and after. */
function surprises(of: Scenario): Effect[] {
  const found: Effect[] = [];
  const { violation } = simulate(of, {
    observe: (world) => {
      let rested = false;
      return {
        stepped: ({ effects }) => {
          const rests = world.jobs.at(-1)!.conclusion !== undefined && isSettled(world);
          if (rested && rests) found.push(...effects.filter(({ type }) => type === 'decide'));
          rested = rests;
        },
      };
    },
  });
  expect(violation).toBeUndefined();
  return found;
}

it('in a world at rest nothing is decided any more, unless a fault strikes', () => {
  for (const variants of stories.values())
    for (const variant of variants) expect(surprises(variant)).toEqual([]);
  expect(surprises(scenario('{ when: "job-published", crash: leader }'))).toEqual([]);
  expect(surprises(scenario('{ when: "reduce-1 committed", crash: "its worker" }'))).toEqual([]);
});

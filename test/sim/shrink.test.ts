import { describe, expect, it } from 'vitest';
import type { MasterState } from '../../core/master/state.js';
import { drawScenario } from '../../sim/fuzz/draw.js';
import { runScenario } from '../../sim/fuzz/failure.js';
import type { Plants } from '../../sim/plants.js';
import { scenarioErrorText } from '../../sim/scenario/error.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { writeScenario } from '../../sim/scenario/write.js';
import { bulkRemovals, singleRemovals } from '../../sim/shrink/removals.js';
import { type Shrunk, shrink } from '../../sim/shrink/shrink.js';
import { simplifications } from '../../sim/shrink/simplify.js';

function load(text: string): Scenario {
  const loaded = loadScenarios(text, 'test.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  return loaded.scenarios[0]!;
}

/** A planted bug with what is needed for it to show: that much must be left. */
interface Planted {
  readonly sentence: string;
  readonly id: string;
  readonly plants: () => Plants;
  readonly faults: number;
  readonly tasks: number;
}

/** Late completions, which are refused, are answered as committed. */
const answersLateAsCommitted = (): Plants => ({
  effects: (life, _, effects) =>
    life.node.kind !== 'master'
      ? effects
      : effects.map((effect) =>
          effect.type === 'message.send' &&
          effect.message.type === 'attempt.answer' &&
          effect.message.verdict !== 'dead' // which is what failures are answered as well
            ? ({ ...effect, message: { ...effect.message, verdict: 'committed' } } as typeof effect)
            : effect,
        ),
});

/** A worker that comes back says that it runs what its last life ran. */
const remembersItsLastLife = (): Plants => {
  const ran = new Map<string, { job: number; task: number; epoch: number; n: number }>();
  return {
    effects: (life, _, effects) =>
      effects.map((effect) => {
        if (effect.type === 'attempt.run') ran.set(life.node.name, effect.attempt);
        const before = ran.get(life.node.name);
        if (effect.type !== 'message.send' || effect.message.type !== 'worker.hello') return effect;
        if (life.incarnation === 1 || !before) return effect;
        return { ...effect, message: { ...effect.message, running: [before] } } as typeof effect;
      }),
  };
};

const planted: readonly Planted[] = [
  {
    sentence: 'a bug that shows in every run needs no fault and the fewest tasks',
    id: 'C2',
    plants: () => ({ acknowledgeBeforeSync: true }),
    faults: 0,
    tasks: 2,
  },
  {
    sentence: 'a bug of late reports needs one fault',
    id: 'C14',
    plants: answersLateAsCommitted,
    faults: 1,
    tasks: 2,
  },
  {
    sentence: 'a bug of second lives needs a crash with a restart',
    id: 'C11',
    plants: remembersItsLastLife,
    faults: 1,
    tasks: 2,
  },
];

/** Much of everything. */
const rich = load(`
name: much of everything
seed: 11
cluster: { masters: 3, workers: 6, slots: 2, mapOutputs: worker, latency: 1ms..20ms }
jobs:
  - { maps: 9, reduces: 4, mapTime: 300ms..2s, misbehave: { map-3@1: throws } }
  - { maps: 5, reduces: 2, overwrite: true, poison: { lines: [ash] } }
policy: { lease: 2s, masterLease: 2s, speculation: on, speculationAge: 1s, taskTimeout: 20s }
faults:
  - { when: "map-1@1 started", pause: "its worker", until: "map-1@2 committed" }
  - { at: 1234ms, partition: [worker-5, all masters], for: 3456ms }
  - { when: "map-4@1 started", crash: "its worker", restartAfter: 777ms }
  - { at: 2s, drop: worker-2 }
  - { when: "job-1 job-publishing", crash: leader }
  - { at: 4321us, slow: worker-1, by: 3, for: 2s }
  - { when: "maps-done", lose: map-2 }
heal: { at: 60s, nodes: [master-1, worker-1, worker-2] }
expect: { job: any }
`);

describe.each(planted)('$sentence', ({ id, plants, faults, tasks }) => {
  const shrunk = shrink(rich, rich.seed, { plants }) as Shrunk;
  const { scenario } = shrunk;

  it('is shrunk to what it needs, and fails as before', () => {
    expect(shrunk.failure.id).toBe(id);
    expect(scenario.faults).toHaveLength(faults);
    expect(scenario.jobs.reduce((sum, job) => sum + job.maps + job.reduces, 0)).toBe(tasks);
    expect(scenario.cluster).toMatchObject({ masters: 1, slots: 1 });
    expect(scenario.cluster.workers).toBeLessThanOrEqual(2);
    expect(scenario.heal).toBeUndefined();
    expect(scenario.jobs[0]).toMatchObject({ misbehaviours: [], poison: { lines: [], keys: [] } });
  });

  it('is 1-minimal: whatever else is taken away, it does not fail like this any more', () => {
    expect(shrunk.minimal).toBe(true);
    for (const candidate of singleRemovals(scenario)) {
      const { failure } = runScenario(candidate.scenario, { plants });
      expect(failure?.id, candidate.what).not.toBe(id);
    }
  });

  it('is a file that fails in the same way', () => {
    const loaded = load(writeScenario(scenario));
    expect(runScenario(loaded, { plants }).failure).toEqual(shrunk.failure);
  });

  it('is shrunk to the same scenario again', () => {
    expect(shrink(rich, rich.seed, { plants })!.scenario).toEqual(scenario);
  });
});

describe('of jobs at once', () => {
  /** A leader forgets to publish while another job is open. */
  const plants = (): Plants => ({
    effects: (life, _, effects) => {
      const { leading } = life.machine.state as MasterState;
      if (life.node.kind !== 'master' || (leading?.jobs.size ?? 0) < 2) return effects;
      return effects.filter(({ type }) => type !== 'output.publish');
    },
  });
  const scenario = load(`
name: jobs at once
cluster: { workers: 3, masters: 2 }
jobs:
  - { maps: 6, output: a }
  - { maps: 2, output: b, at: 150ms }
  - { maps: 1, output: c }
  - { maps: 3, output: d, at: 2s }
policy: { sharing: fifo }
faults:
  - { when: "job-1 map-1 started", crash: its worker, restartAfter: 1s }
expect: { job: any }
`);

  it('those are left that must run at once', () => {
    const shrunk = shrink(scenario, '1', { plants }) as Shrunk;
    expect(shrunk).toMatchObject({ failure: { id: 'C13' }, minimal: true });
    expect(shrunk.scenario).toMatchObject({ faults: [], jobs: [{ maps: 1 }, { maps: 1 }] });
    expect(shrunk.scenario.jobs.some(({ atUs }) => atUs !== undefined)).toBe(true);
    expect(shrunk.scenario.cluster.sharing).toBe('fair');
    expect(runScenario(load(writeScenario(shrunk.scenario)), { plants }).failure).toEqual(shrunk.failure);
  });

  it('a job that fails alone is left alone, and no more at a time of its own', () => {
    const alone = () => ({ acknowledgeBeforeSync: true }) as const;
    const shrunk = shrink(scenario, '1', { plants: alone }) as Shrunk;
    expect(shrunk.scenario.jobs).toHaveLength(1);
    expect(shrunk.scenario.jobs[0]!.atUs).toBeUndefined();
  });
});

describe('shrinking', () => {
  it('leaves a scenario alone that does not fail', () => {
    expect(shrink(rich, rich.seed)).toBeUndefined();
  });

  it('speaks of events instead of times, and of round times', () => {
    const { scenario } = shrink(
      load(`
name: a pause by the clock
cluster: { workers: 3 }
job: { maps: 5, mapTime: 1s }
policy: { lease: 2s }
faults: [{ at: 876543us, pause: worker-2, for: 7654321us }]
expect: { job: any }
`),
      '3',
      { plants: answersLateAsCommitted },
    )!;
    expect(scenario.faults).toHaveLength(1);
    const [{ trigger, forUs }] = scenario.faults as [(typeof scenario.faults)[0]];
    if (trigger.kind === 'at') expect(trigger.atUs % 10_000).toBe(0);
    else expect(trigger.kind).toBe('when');
    expect((forUs ?? 0) % 100_000).toBe(0);
  });

  it('leaves out the times of single tasks that do not matter', () => {
    const { scenario, minimal } = shrink(
      load(`
name: one task takes too long
cluster: { workers: 3 }
job: { maps: 4, reduces: 2, times: { map-0@2: 1s..2s, map-1: 1s, map-3: 300s, reduce-0: 3s, reduce-1: 2s } }
expect: { within: 20s }
`),
      '1',
    )!;
    expect(minimal).toBe(true);
    const { times } = scenario.jobs[0]!;
    expect(times).toHaveLength(1);
    expect(times![0]!.task.kind).toBe('map');
  });

  it('stops when the work is enough, with the best so far', () => {
    const plants = answersLateAsCommitted;
    const some = shrink(rich, rich.seed, { plants, stepsTotal: 5_000 })!;
    expect(some.minimal).toBe(false);
    expect(some.failure.id).toBe('C14');
    expect(runScenario(some.scenario, { plants }).failure?.id).toBe('C14');
  });

  it('gives what is left new names, so that every file it writes can be loaded', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { scenario } = drawScenario(String(seed));
      for (const candidate of singleRemovals(scenario)) {
        const loaded = loadScenarios(writeScenario(candidate.scenario), scenario.file);
        expect(loaded.ok ? loaded.scenarios[0] : loaded.errors[0], `seed ${seed}: ${candidate.what}`).toEqual(
          candidate.scenario,
        );
      }
    }
  });
});

it('leaves what can be read again, though a default would fail as well', () => {
  const far = load(`
name: a lease shorter than the way
cluster: { workers: 1, latency: 400ms }
job: { maps: 1, reduces: 1, mapTime: 5s }
policy: { lease: 300ms, suspect: 5s, lateReports: owner-only }
expect: { job: succeeded }
`);
  const shrunk = shrink(far, '1')!;
  expect(shrunk.failure.id).toBe('C13');
  expect(loadScenarios(writeScenario(shrunk.scenario), 'test.yaml')).toMatchObject({ ok: true });
});

it('tries only what a file can say', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { scenario } = drawScenario(String(seed), {
      vary: ['short-leases', 'standbys', 'stores', 'clocks'],
    });
    for (const candidate of [...simplifications(scenario, []), ...singleRemovals(scenario)]) {
      const text = writeScenario(candidate.scenario);
      const loaded = loadScenarios(text, 'test.yaml');
      const errors = loaded.ok ? [] : loaded.errors.map(scenarioErrorText);
      expect(errors, `${candidate.what} of seed ${seed}`).toEqual([]);
    }
  }
});

describe('a job whose attempts take what their bytes cost', () => {
  const costed = load(`
name: cost
seed: 3
cluster: { workers: 3, mapOutputs: worker }
job:
  reduces: 3
  cost: { inputs: [1GB, 0B, 4 x 100MB], split: 64MB, startup: 500ms..1s, scan: 40MB/s, network: 40MB/s }
faults: [{ when: "map-5@1 started", crash: "its worker", restartAfter: 3s }]
expect: { not: [worker-lost] }
`);

  it('is written, whatever is taken away of it, as the very job that was run', () => {
    const of = (scenario: Scenario) => [
      ...bulkRemovals(scenario),
      ...singleRemovals(scenario),
      ...simplifications(scenario, []),
    ];
    for (const { what, scenario } of of(costed).flatMap((once) => [once, ...of(once.scenario)])) {
      expect(load(writeScenario(scenario)).jobs, what).toEqual(scenario.jobs);
    }
  });

  it('keeps of its inputs what as many maps read, and loads as what was shrunk', () => {
    const { scenario } = shrink(costed, costed.seed)!;
    expect(scenario.jobs[0]).toMatchObject({ maps: 1, cost: { inputs: [{ count: 1, bytes: 64_000_000 }] } });
    expect(load(writeScenario(scenario)).jobs).toEqual(scenario.jobs);
  });
});

import { describe, expect, it } from 'vitest';
import { drawScenario } from '../../sim/fuzz/draw.js';
import { runScenario } from '../../sim/fuzz/failure.js';
import { fuzzSeed } from '../../sim/fuzz/fuzz.js';
import { drawProfile, profileText, readProfile } from '../../sim/fuzz/profile.js';
import type { Plants } from '../../sim/plants.js';
import { scenarioErrorText } from '../../sim/scenario/error.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import { faultKinds, honestKinds } from '../../sim/scenario/read-fault.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { writeScenario } from '../../sim/scenario/write.js';
import { simulate } from '../../sim/simulate.js';

const seeds = Array.from({ length: 300 }, (_, index) => String(index + 1));

function load(text: string, file = 'test.yaml'): Scenario {
  const loaded = loadScenarios(text, file);
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  return loaded.scenarios[0]!;
}

/** No master hears of a completion: no job can ever end. */
const deaf = (): Plants => ({
  event: (_, event) =>
    event.type === 'message.received' && event.message.type === 'attempt.completed' ? undefined : event,
});

describe('drawing', () => {
  it('gives the same scenario for the same seed, and another one for another', () => {
    expect(drawScenario('7')).toEqual(drawScenario('7'));
    expect(drawScenario('7').scenario).not.toEqual(drawScenario('8').scenario);
  });

  it('draws every kind of fault', () => {
    for (const kind of faultKinds) {
      const { scenario } = drawScenario('1', { faults: [kind], faultsMax: 3 });
      expect([...new Set(scenario.faults.map(({ action }) => action.kind))]).toEqual([kind]);
    }
  });

  it('draws what a seed may do before what it does: a part of the kinds, and not always the same', () => {
    const profiles = seeds.map((seed) => drawProfile(seed));
    expect(profiles.every(({ faults }) => faults.length > 0 && faults.length < faultKinds.length)).toBe(true);
    for (const kind of honestKinds) {
      const share = profiles.filter(({ faults }) => faults.includes(kind)).length;
      expect(share, kind).toBeGreaterThan(seeds.length / 10);
    }
  });

  it('draws for a descendant what its ancestors drew, but for some details', () => {
    const origin = drawScenario('7').scenario;
    const shares = seeds.slice(0, 60).map((seed) => {
      const given = { like: ['7', `1${seed}`] };
      const { scenario } = drawScenario(seed, given);
      expect(drawScenario(seed, given).scenario).toEqual(scenario);
      const parts = Object.keys(origin.cluster) as (keyof Scenario['cluster'])[];
      const kept = parts.filter(
        (name) => JSON.stringify(scenario.cluster[name]) === JSON.stringify(origin.cluster[name]),
      );
      return kept.length / parts.length;
    });
    expect(shares.some((share) => share < 1)).toBe(true);
    const unlike = drawScenario('8').scenario.cluster;
    expect(unlike).not.toEqual(origin.cluster);
    // Two generations change at most 60 draws of 100, and mostly far fewer.
    expect(shares.filter((share) => share > 0.6).length).toBeGreaterThan(shares.length / 2);
  });

  it('draws jobs beside others for some seeds, and all else of them as it would be without', () => {
    let beside = 0;
    for (const seed of seeds) {
      const profile = drawProfile(seed);
      if (!profile.vary.includes('at-once')) continue;
      beside++;
      const { jobs, cluster, faults, heal } = drawScenario(seed).scenario;
      const vary = profile.vary.filter((name) => name !== 'at-once');
      const without = drawScenario(seed, { ...profile, vary }).scenario;
      expect(without).toMatchObject({ faults, cluster: { ...cluster, sharing: 'fair' } });
      expect(without.heal).toEqual(heal);
      expect(jobs.slice(0, without.jobs.length)).toEqual(without.jobs);
      const added = jobs.slice(without.jobs.length).map(({ atUs }) => atUs);
      expect(added.length === 1 || added.length === 2).toBe(true);
      expect(added).not.toContain(undefined);
    }
    expect(beside).toBeGreaterThan(seeds.length / 20);
    expect(beside).toBeLessThan(seeds.length / 4);
  });

  it('draws a takeover into doubt for some clusters with standbys', () => {
    const drawn = seeds.map((seed) => drawScenario(seed, { size: 'medium' }).scenario);
    const troubled = drawn.filter(({ faults }) =>
      faults.some(
        ({ action, after }) => action.kind === 'blur' && after?.name === 'node-crashed' && !after.task,
      ),
    );
    const standbys = drawn.filter(({ cluster }) => cluster.masters > 1);
    expect(troubled.length).toBeGreaterThan(0);
    expect(troubled.length).toBeLessThan(standbys.length / 8);
    for (const { cluster, faults } of troubled) {
      expect(cluster.masters).toBeGreaterThan(1);
      const doubt = faults.findLast(({ action }) => action.kind === 'blur')!;
      expect(doubt).toMatchObject({ trigger: { kind: 'when', pattern: { name: 'leader-began' } } });
      const leaders = faults.filter(
        ({ action }) => action.kind === 'crash' && action.target.kind === 'leader',
      );
      expect(leaders.length).toBeGreaterThan(0);
    }
  });

  it('leaves the draws of a fault as they are when there are fewer faults', () => {
    const given = { faultsMax: 6, heal: false };
    for (const seed of seeds.slice(0, 50)) {
      const profile = drawProfile(seed, given);
      const many = drawScenario(seed, profile).scenario;
      const few = drawScenario(seed, { ...profile, faultsMax: 1 }).scenario;
      expect(few.faults[0]).toEqual(many.faults[0]);
      expect(few.jobs).toEqual(many.jobs);
      expect(few.cluster).toEqual(many.cluster);
    }
  });

  it('repeats a drawn profile from its text', () => {
    for (const seed of seeds) {
      const profile = drawProfile(seed);
      const read = readProfile(profileText(profile));
      expect(read).toEqual({ ok: true, profile });
      if (read.ok) expect(drawScenario(seed, read.profile)).toEqual(drawScenario(seed));
    }
  });

  it.each([
    ['size=huge', '"huge" is no size'],
    ['faults=crash+crsh', '"crsh" is no faults'],
    ['most=x', '"x" is no number'],
    ['heal=maybe', 'heal is yes or no'],
    ['focus=crash', '"crash" is no focus'],
    ['color=red', 'unknown field "color"'],
    ['faults=', 'faults names none: crash, restart, '],
    ['triggers=', 'triggers names none: at, when, point'],
    ['focus=misbehave@done', 'misbehave cannot strike in done: it can in map, reduce'],
  ])('says what is wrong with the profile %s', (text, message) => {
    const read = readProfile(text);
    expect(read.ok ? '' : read.message).toContain(message);
  });

  it('strikes where the focus wants it', () => {
    const { scenario } = drawScenario('3', { focus: { kind: 'corrupt', phase: 'reduce' } });
    expect(scenario.faults[0]!.action.kind).toBe('corrupt');
  });
});

describe('a drawn scenario as a file', () => {
  it('loads to the same scenario', () => {
    for (const seed of seeds) {
      const { scenario } = drawScenario(seed);
      expect(load(writeScenario(scenario), scenario.file), `seed ${seed}`).toEqual(scenario);
    }
  });

  it('runs with the same hash chain', () => {
    for (const seed of seeds.slice(0, 40)) {
      const { scenario } = drawScenario(seed, { size: 'tiny' });
      const loaded = load(writeScenario(scenario));
      expect(runScenario(loaded).result?.chain, `seed ${seed}`).toBe(runScenario(scenario).result?.chain);
    }
  });
});

describe('running', () => {
  it('finds no failure in the first seeds', () => {
    const failed = seeds
      .slice(0, 150)
      .map((seed) => fuzzSeed(seed, { twice: Number(seed) % 10 === 0 }))
      .filter(({ failure }) => failure !== undefined);
    expect(failed.map(({ seed, failure }) => `${seed}: ${failure!.id} ${failure!.message}`)).toEqual([]);
  });

  it('finds a planted bug', () => {
    const plants = (): Plants => ({ acknowledgeBeforeSync: true });
    const found = seeds.slice(0, 20).map((seed) => fuzzSeed(seed, { plants }).failure?.id);
    expect(found).toContain('C2');
  });

  it('takes an error that nobody expects for a failure, and says where it was thrown', () => {
    const plants = (): Plants => ({
      event: () => {
        throw new TypeError('planted');
      },
    });
    const { failure } = fuzzSeed(1, { plants });
    expect(failure!.id).toBe('bug TypeError in fuzz.test.ts');
    expect(failure!.message).toContain('planted');
  });

  it('runs a seed twice when asked, and names a leak', () => {
    let runs = 0;
    const plants = (): Plants => {
      const mark = ++runs;
      return {
        effects: (_, __, effects) =>
          effects.map((effect) => (effect.type === 'decide' ? { ...effect, facts: { mark } } : effect)),
      };
    };
    expect(fuzzSeed(1, { plants }).failure).toBeUndefined();
    const { failure } = fuzzSeed(1, { plants, twice: true });
    expect(failure!.id).toBe('leak');
    expect(failure!.message).toMatch(
      /master-1, .*: effects\[\d+\]\.facts\.mark was \d+ in one run and \d+ in another/,
    );
  });
});

describe('liveness', () => {
  const healed = load(`
name: everything is cut off, and a core is healed
cluster: { masters: 2, workers: 3 }
job: { maps: 6, reduces: 2, mapTime: 1s }
faults:
  - { when: "leader began", partition: [all nodes, all nodes] }
  - { at: 2s, crash: worker-2 }
  - { at: 2s, crash: client-1 }
  - { at: 3s, pause: worker-1 }
  - { at: 40s, crash: worker-1 }
  - { at: 41s, partition: [worker-1, all masters] }
heal: { at: 20s, nodes: [master-2, worker-1, worker-2] }
expect: {}
`);

  it('a healed core ends the job, while the rest stays broken and nothing more happens to the core', () => {
    const result = simulate(healed);
    expect(result.violation).toBeUndefined();
    expect(result.jobs[0]!.outcome).toBe('succeeded');
    const workers = new Set(result.facts.filter(({ name }) => name === 'started').map(({ node }) => node));
    expect([...workers].sort()).toEqual(['worker-1', 'worker-2']);
    const crashes = result.facts.filter(({ name }) => name === 'node-crashed').map(({ node }) => node);
    expect(crashes.sort()).toEqual(['client-1', 'worker-2']);
  });

  it('a core that is healed and does not end the job has stalled', () => {
    expect(simulate(healed, { plants: deaf() }).violation?.id).toBe('C13');
  });

  it('a stall is legal when nobody is left who could end the job', () => {
    const dead = load(`
name: no worker is left
cluster: { workers: 1 }
faults: [{ when: "map-0 started", crash: worker-1 }]
expect: { job: any }
`);
    const result = simulate(dead);
    expect(result.violation).toBeUndefined();
    expect(result.jobs[0]!.outcome).toBe('unfinished');
  });

  it('drawn cores are healed in a part of the seeds, and name a master and a worker', () => {
    const healings = seeds.flatMap((seed) => drawScenario(seed).scenario.heal ?? []);
    expect(healings.length).toBeGreaterThan(seeds.length / 10);
    for (const { nodes } of healings) {
      expect(nodes.filter((name) => name.startsWith('master'))).toHaveLength(1);
      expect(nodes.some((name) => name.startsWith('worker'))).toBe(true);
    }
  });
});

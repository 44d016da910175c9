import { expect, it } from 'vitest';
import type { Effect } from '../../../core/effects.js';
import { Cluster } from '../../../sim/explore/cluster/cluster.js';
import { retell } from '../../../sim/explore/cluster/retell.js';
import { clusterSetupOf } from '../../../sim/explore/cluster/setup.js';
import { explore } from '../../../sim/explore/explore.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { simulate } from '../../../sim/simulate.js';

/** A second life of a worker begins everything twice. */
function twice(incarnation: number, effects: readonly Effect[]): readonly Effect[] {
  if (incarnation === 1) return effects;
  return effects.flatMap((effect): readonly Effect[] =>
    effect.type === 'attempt.run' ? [effect, effect] : [effect],
  );
}

function setupOf(explored: object) {
  const job = { maps: 1, reduces: 1 };
  const text = JSON.stringify({ name: 'small', cluster: { workers: 1 }, job, explore: explored, expect: {} });
  const loaded = loadScenarios(text, 'small.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return clusterSetupOf(loaded.scenarios[0]!);
}

function counterexample(bounds: object) {
  const setup = setupOf(bounds);
  const cluster = new Cluster(setup, {
    effects: (local, _, effects) => twice(local.incarnation, effects),
  });
  const found = explore(cluster).counterexample!;
  const { path, rule } = found;
  const steps = path.ordinals.map((ordinal, index) =>
    cluster.step(path.states, index * cluster.words, ordinal),
  );
  return { setup, rule, steps };
}

const plants = {
  effects: (life: { incarnation: number }, _: unknown, effects: readonly Effect[]) =>
    twice(life.incarnation, effects),
};

it('a counterexample with a crash becomes a scenario that breaks the same rule', () => {
  const { setup, rule, steps } = counterexample({ crashes: 1 });
  expect(rule).toMatch(/^C17/);
  const retold = retell(setup, steps, rule, { plants })!;
  const loaded = loadScenarios(retold.text, 'retold.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  const [scenario] = loaded.scenarios;
  expect(scenario!.faults.map(({ action }) => action.kind)).toEqual(['crash']);
  expect(simulate(scenario!, { plants }).violation?.id).toBe('C17');
  expect(simulate(scenario!).violation).toBeUndefined();
});

it('none is told when the simulator does not show it', () => {
  const { setup, rule, steps } = counterexample({ crashes: 1 });
  expect(retell(setup, steps, rule)).toBeUndefined();
});

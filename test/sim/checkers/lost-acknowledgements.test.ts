/** A store forgets what it has acknowledged: whose fault it is that nobody says so. */
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../sim/fuzz/failure.js';
import type { Plants } from '../../../sim/plants.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { type SimulationResult, simulate } from '../../../sim/simulate.js';

/** The only record that nobody but the leader has read, forgotten while the output is put in place. */
function forget(more: string, plants?: Plants): SimulationResult {
  const text = `
name: a store forgets
seed: 2
cluster: { workers: 1 }
job: { maps: 1, reduces: 2 }
faults:
  - { point: publish.between_links, forget: journal, slots: 3 }
  ${more}
expect: { job: any }
`;
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  return simulate(loaded.scenarios[0]!, plants ? { plants } : {});
}

describe('an acknowledged record that the store forgets', () => {
  it('is missed by the leader that wrote it', () => {
    const run = forget('');
    expect(run.violation).toBeUndefined();
    expect(run.counts).toHaveProperty('store-went-back');
  });

  it('is a broken rule, but nobody’s bug, when nobody is left who knew of it', () => {
    const run = forget('- { point: publish.after_links, crash: it, restartAfter: 3s }');
    expect(run.verdict).toBe('failed');
    expect(run.violation).toMatchObject({ id: 'C2', blameless: true });
    expect(failureOf(run)).toBeUndefined();
  });

  it('is a bug when a leader that knew of it lives on and says nothing', () => {
    const silent: Plants = {
      effects: (_, __, effects) =>
        effects.filter((effect) => effect.type !== 'decide' || effect.decision !== 'store-went-back'),
    };
    const run = forget('', silent);
    expect(run.violation?.blameless).toBeUndefined();
    expect(failureOf(run)).toBeDefined();
  });
});

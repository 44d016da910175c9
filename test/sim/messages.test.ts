import { expect, it } from 'vitest';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';
import { stories } from '../scenarios/stories.js';

function read(text: string): Scenario {
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return loaded.scenarios[0]!;
}

it('what was said does not change on its way, whatever happens to its sender meanwhile', () => {
  const failing = `{ name: x, cluster: { workers: 4, latency: 150ms..300ms }, expect: {},
    job: { maps: 4, mapTime: 50ms..900ms, misbehave: { map-0@1: throws, map-1@1: throws, map-2@1: throws, map-3@1: throws } } }`;
  for (const of of [...[...stories.values()].map(([first]) => first!), read(failing)]) {
    const said = new Map<object, string>();
    const { violation } = simulate(of, {
      onStep: ({ event, effects }) => {
        if (event.type === 'message.received')
          expect(JSON.stringify(event.message)).toBe(said.get(event.message));
        for (const effect of effects) {
          if (effect.type === 'message.send') said.set(effect.message, JSON.stringify(effect.message));
        }
      },
    });
    expect(violation).toBeUndefined();
  }
});

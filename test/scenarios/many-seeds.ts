/**
 * Every story on a thousand seeds and more: its variants share them, but none has fewer than 250. Variants are dealt to two
 * test files, so that two cores share them. A story with a cost has hundreds of attempts, and takes a tenth of the seeds.
 */
import { expect, it } from 'vitest';
import type { Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';
import { complaint } from './complaint.js';
import { stories } from './stories.js';

const seedsPerStory = 1000;
const seedsPerVariantMin = 250;
/** Long enough for a machine that is busy with other things. */
const timeoutMs = 600_000;

/** One test for each second variant of all stories, from the first or from the second on. */
export function testOnManySeeds(half: 0 | 1): void {
  const all = [...stories.values()].flatMap((variants) =>
    variants.map((scenario) => [scenario.name, scenario, seedsFor(scenario, variants.length)] as const),
  );
  it.each(all.filter((_, index) => index % 2 === half))(
    'goes as expected on many seeds: %s',
    (_, scenario, seeds) => {
      const complaints: string[] = [];
      for (let index = 1; index <= seeds; index++) {
        const text = complaint(simulate(scenario, { seed: `other-${index}` }));
        if (text !== '') complaints.push(text);
      }
      expect(complaints).toEqual([]);
    },
    timeoutMs,
  );
}

function seedsFor({ jobs }: Scenario, variants: number): number {
  if (jobs.some(({ cost }) => cost !== undefined)) return seedsPerStory / 10;
  return Math.max(seedsPerVariantMin, Math.ceil(seedsPerStory / variants));
}

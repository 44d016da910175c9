/**
 * Every story on a thousand seeds. Variants are dealt to two test files, so that two cores share them; a run costs
 * about two milliseconds. A story with a cost has hundreds of attempts, and takes a tenth of the seeds.
 */
import { expect, it } from 'vitest';
import { simulate } from '../../sim/simulate.js';
import { complaint } from './complaint.js';
import { stories } from './stories.js';

const seeds = Array.from({ length: 1000 }, (_, index) => `other-${index + 1}`);
/** Long enough for a machine that is busy with other things. */
const timeoutMs = 600_000;

/** One test for each second variant of all stories, from the first or from the second on. */
export function testOnManySeeds(half: 0 | 1): void {
  const dealt = [...stories.values()].flat().filter((_, index) => index % 2 === half);
  it.each(dealt.map((scenario) => [scenario.name, scenario] as const))(
    'goes as expected on many seeds: %s',
    (_, scenario) => {
      const complaints: string[] = [];
      const few = scenario.jobs.some(({ cost }) => cost !== undefined);
      for (const seed of few ? seeds.slice(0, 100) : seeds) {
        const text = complaint(simulate(scenario, { seed }));
        if (text !== '') complaints.push(text);
      }
      expect(complaints).toEqual([]);
    },
    timeoutMs,
  );
}

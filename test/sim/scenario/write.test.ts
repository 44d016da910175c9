import { expect, it } from 'vitest';
import { jobFilesOf } from '../../../sim/scenario/job-files.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import type { Scenario } from '../../../sim/scenario/types.js';
import { writeScenario } from '../../../sim/scenario/write.js';
import { stories } from '../../scenarios/stories.js';

/** A duration can be written in more ways than one, and the text of a fault keeps the way. */
function plain(scenario: Scenario): Scenario {
  return { ...scenario, faults: scenario.faults.map((fault) => ({ ...fault, text: '' })) };
}

it.each([...stories])('%s, written and loaded, is the same story', (_, variants) => {
  for (const scenario of variants) {
    const loaded = loadScenarios(writeScenario(scenario), scenario.file, jobFilesOf(scenario));
    if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
    const again = { ...loaded.scenarios[0]!, variant: scenario.variant };
    expect(plain(again)).toEqual(plain(scenario));
  }
});

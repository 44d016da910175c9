/** What is bundled to run core and simulator outside of Node: nothing but the simulator. */
import type { Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';

export function chainsOf(scenarios: readonly Scenario[]): string[] {
  return scenarios.map((scenario) => simulate(scenario).chain);
}

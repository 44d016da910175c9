/** What `scenario`, `variant` and `seed` of a bug or a control ask to be played. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Control } from './plants.js';
import { projectPath } from './plants.js';
import type { Play } from './plays.js';

export function playOf(staged: Pick<Control, 'scenario' | 'variant' | 'seed'>): Play & { kind: 'scenario' } {
  const { scenario, variant, seed } = staged;
  const own = typeof scenario !== 'string';
  return {
    kind: 'scenario',
    file: own ? `${scenario.name}.yaml` : `${scenario}.yaml`,
    text: own
      ? stringify(scenario)
      : readFileSync(join(projectPath, 'scenarios', `${scenario}.yaml`), 'utf8'),
    ...(variant === undefined ? {} : { variant }),
    ...(seed === undefined ? {} : { seed }),
  };
}

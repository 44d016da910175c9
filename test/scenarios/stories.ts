/** The stories of `scenarios/`, loaded: every variant of every file. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readScenarios } from '../../cli/scenario-files.js';
import type { Scenario } from '../../sim/scenario/types.js';

export const scenariosPath = fileURLToPath(new URL('../../scenarios/', import.meta.url));

/** Variants by file name without its ending. */
export const stories: ReadonlyMap<string, readonly Scenario[]> = new Map(
  await Promise.all(
    readdirSync(scenariosPath)
      .filter((file) => file.endsWith('.yaml'))
      .sort()
      .map(
        async (file) => [file.slice(0, -'.yaml'.length), await readScenarios(scenariosPath + file)] as const,
      ),
  ),
);

/** One variant of a story. */
export function story(name: string, variant = ''): Scenario {
  const found = stories.get(name)?.find((scenario) => Object.values(scenario.variant).join(', ') === variant);
  if (!found) throw new Error(`no story ${name} ${variant}`);
  return found;
}

/** The stories of `scenarios/`, loaded: every variant of every file. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { scenarioErrorText } from '../../sim/scenario/error.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';

export const scenariosPath = fileURLToPath(new URL('../../scenarios/', import.meta.url));

/** Variants by file name without its ending. */
export const stories: ReadonlyMap<string, readonly Scenario[]> = new Map(
  readdirSync(scenariosPath)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => [file.slice(0, -'.yaml'.length), load(file)]),
);

function load(file: string): readonly Scenario[] {
  const loaded = loadScenarios(readFileSync(scenariosPath + file, 'utf8'), `scenarios/${file}`);
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  return loaded.scenarios;
}

/** One variant of a story. */
export function story(name: string, variant = ''): Scenario {
  const found = stories.get(name)?.find((scenario) => Object.values(scenario.variant).join(', ') === variant);
  if (!found) throw new Error(`no story ${name} ${variant}`);
  return found;
}

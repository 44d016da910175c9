/** Runs the unit tests against a planted bug: `REHEARSE_PLANT=<name> npx vitest run test/core`. */
import { relative, sep } from 'node:path';
import type { Plugin } from 'vitest/config';
import { loadPlant, plantedSource, projectPath } from './plants.js';

export function plantedForTests(name: string): Plugin {
  const plant = loadPlant(name);
  return {
    name: 'planted-bug',
    enforce: 'pre',
    load: (id) => plantedSource(plant, relative(projectPath, id.split('?')[0]!).split(sep).join('/')),
  };
}

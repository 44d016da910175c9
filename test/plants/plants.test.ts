/** Each planted bug is caught by the quickest detector known for it; `npm run campaign:plants` is the whole matrix. */
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildSimulator, makeBuildDirectory } from './build.js';
import type * as Simulator from './planted-simulator.js';
import { loadControls, loadPlants, type Planted, plantedSource } from './plants.js';
import { type Play, perform } from './plays.js';
import { runProcesses } from './processes.js';
import { playOf } from './stage.js';
import { runUnitTests } from './unit.js';

const plants = loadPlants();
const controls = loadControls();
const directory = makeBuildDirectory();

afterAll(() => rmSync(directory, { recursive: true }));

/** The simulator with the bug in it, or without one. */
async function simulatorWith(planted: Planted | undefined): Promise<typeof Simulator> {
  return import(pathToFileURL(await buildSimulator(planted, directory)).href);
}

/** What the suite is told of every bug, as plays; undefined for those that other detectors catch. */
function knownPlay({ caught }: (typeof plants)[number]): { play: Play; by: string } | undefined {
  if ('scenario' in caught) return { play: playOf(caught), by: caught.by };
  return undefined;
}

it('there are at least thirty bugs, and every patch changes exactly one place', () => {
  expect(plants.length).toBeGreaterThanOrEqual(30);
  for (const plant of [...plants, ...controls.map(({ name, patches = [] }) => ({ name, patches }))]) {
    for (const { file } of plant.patches) expect(plantedSource(plant, file)).toBeDefined();
  }
});

describe('simulation', () => {
  const played = plants.flatMap((plant) => {
    const known = knownPlay(plant);
    return known ? [{ ...plant, ...known }] : [];
  });

  it.each(played)('$by: $sentence', async ({ play, by, ...plant }) => {
    const result = perform(await simulatorWith(plant), play);
    expect({ caught: result.caught, by: result.by }, result.message).toEqual({ caught: true, by });
  });

  it('without a bug, nothing is caught', async () => {
    const simulator = await simulatorWith(undefined);
    for (const { name, play } of played) {
      const { caught, message } = perform(simulator, play);
      expect(caught, `${name}: ${message}`).toBe(false);
    }
  });
});

describe('controls', () => {
  it.each(controls)('$sentence', async (control) => {
    const bug = plants.find(({ name }) => name === control.plant)?.patches ?? [];
    const planted = { name: control.name, patches: [...bug, ...(control.patches ?? [])] };
    const { by = 'survives', message } = perform(await simulatorWith(planted), playOf(control));
    expect(by, message).toBe(control.expect);
  });
});

describe('unit tests', () => {
  const tested = plants.flatMap((plant) =>
    'unit' in plant.caught ? [{ ...plant, test: plant.caught.unit }] : [],
  );

  it.concurrent.each(tested)(
    '$sentence',
    async ({ test, ...plant }) => {
      const result = await runUnitTests(plant, [test]);
      expect(result.caught).toBe(true);
      expect(result.test).not.toBe('no test came to an end');
    },
    180_000,
  );

  it('without a bug, none fails', async () => {
    const { caught, test } = await runUnitTests(undefined, [...new Set(tested.map((one) => one.test))]);
    expect(caught, test).toBe(false);
  }, 180_000);
});

describe('real processes', () => {
  const run = plants.flatMap((plant) =>
    'processes' in plant.caught ? [{ ...plant, round: plant.caught.processes }] : [],
  );

  it.each(run)('$sentence', async ({ round, ...plant }) => {
    expect((await runProcesses(plant, [round])).caught).toBe(true);
  });

  it('without a bug, no round fails', async () => {
    const { caught, message } = await runProcesses(undefined, [...new Set(run.map(({ round }) => round))]);
    expect(caught, message).toBe(false);
  });
});

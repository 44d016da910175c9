/**
 * The detectors of the matrix: unit tests, simulation, exploration, real processes. Each is asked about one planted bug and
 * says whether it catches it, and what names it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobFilesIn } from '../../sim/scenario/load.js';
import { type Plant, projectPath } from './plants.js';
import type { Play, Played } from './plays.js';
import { runRoundsOf } from './processes.js';
import { PlantedSimulator } from './simulation.js';
import { playOf } from './stage.js';
import { runTestsOf } from './unit.js';

export interface Detection {
  readonly caught: boolean;
  /** What names the bug: an invariant, a test, a round. */
  readonly by?: string;
  /** For the simulation: the scenario that catches it first, if one does. */
  readonly scenario?: string;
  /** For the simulation: seeds drawn until one fails, per range of seeds; null where none did. */
  readonly seeds?: readonly (number | null)[];
  /** Invariants in the order in which detections named them, most frequent first. */
  readonly named?: readonly string[];
  /** What the first failing seed shrinks to, and how long that takes. */
  readonly shrunk?: { readonly faults: number; readonly tasks: number; readonly ms: number };
  readonly ms: number;
}

export interface DetectOptions {
  readonly seedsPerRange: number;
}

export interface Detector {
  /** Whether the bug lies in what this detector looks at. */
  applies(plant: Plant): boolean;
  run(plant: Plant, options: DetectOptions): Promise<Detection>;
}

const ranges = 5;
/** States of each small cluster: a breadth-first search finds what lies near first. */
const explorations = [
  ['explore', 40_000],
  ['liveness', 10_000],
] as const;

export const detectors = {
  unit: {
    applies: () => true,
    run: async (plant) => {
      const { caught, test, ms } = await runTestsOf(plant);
      return { caught, ms, ...(test ? { by: test } : {}) };
    },
  },
  simulation: {
    applies: (plant) => plant.patches.some(({ file }) => /^(core|jobs|sim)\//.test(file)),
    run: simulate,
  },
  exploration: {
    applies: (plant) => plant.patches.some(({ file }) => file.startsWith('core/')),
    run: explore,
  },
  processes: {
    applies: (plant) => plant.patches.some(({ file }) => !file.startsWith('sim/')),
    run: async (plant) => {
      const { caught, round, ms } = await runRoundsOf(plant);
      return { caught, ms, ...(round ? { by: round } : {}) };
    },
  },
} as const satisfies Record<string, Detector>;

export type DetectorName = keyof typeof detectors;
export const detectorNames = Object.keys(detectors) as DetectorName[];

/** What fails without any bug catches none: files of `scenarios/`, and seeds. */
interface Baseline {
  readonly files: ReadonlySet<string>;
  readonly seeds: readonly number[];
}

const baselines = new Map<number, Promise<Baseline>>();

async function findBaseline(seedsPerRange: number): Promise<Baseline> {
  const simulator = await PlantedSimulator.build(undefined);
  const files = new Set<string>();
  for (const scenario of scenarios()) if ((await simulator.play(scenario)).caught) files.add(scenario.file);
  const seeds: number[] = [];
  const count = ranges * seedsPerRange;
  for (let from = 0; from < count; ) {
    const { seed } = await simulator.fuzz(from, count - from);
    if (seed === undefined) break;
    seeds.push(seed);
    from = seed + 1;
  }
  await simulator.close();
  if (files.size + seeds.length > 0) console.error(`without any bug fail ${[...files, ...seeds].join(', ')}`);
  return { files, seeds };
}

function scenarios(): (Play & { kind: 'scenario' })[] {
  return filesIn('scenarios').map((file) => ({ kind: 'scenario', ...file }));
}

function filesIn(folder: string): { file: string; text: string }[] {
  const path = join(projectPath, folder);
  return readdirSync(path)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(path, file), 'utf8') }))
    .filter(({ text }) => jobFilesIn(text).length === 0); // the planted simulator is alone: nobody loads jobs for it
}

/**
 * The scenario that is known to catch it, every scenario on its own seed, then ranges of drawn ones, of which each is
 * searched until it finds the bug.
 */
async function simulate(plant: Plant, { seedsPerRange }: DetectOptions): Promise<Detection> {
  let baseline = baselines.get(seedsPerRange);
  if (!baseline) baselines.set(seedsPerRange, (baseline = findBaseline(seedsPerRange)));
  const { files, seeds: skip } = await baseline;
  const begunMs = performance.now();
  const simulator = await PlantedSimulator.build(plant);
  const found: Played[] = [];
  let scenario: string | undefined;
  const { caught } = plant;
  const known = 'scenario' in caught && typeof caught.scenario !== 'string' ? [playOf(caught)] : [];
  for (const play of [...known, ...scenarios()]) {
    if (files.has(play.file)) continue;
    const played = await simulator.play(play);
    if (!played.caught) continue;
    found.push(played);
    scenario ??= play.file;
  }
  const seeds: (number | null)[] = [];
  for (let range = 0; range < ranges; range++) {
    const from = range * seedsPerRange;
    const played = await simulator.fuzz(from, seedsPerRange, skip);
    if (played.caught) found.push(played);
    seeds.push(played.caught ? played.runs : null);
  }
  const drawn = found.find(({ seed }) => seed !== undefined)?.seed;
  const small = drawn === undefined ? undefined : await simulator.play({ kind: 'shrink', seed: drawn });
  await simulator.close();
  const named = byFrequency(found.map(({ by }) => by!));
  return {
    caught: found.length > 0,
    ...(named[0] ? { by: named[0], named } : {}),
    ...(scenario ? { scenario } : {}),
    seeds,
    ...(small?.faults === undefined
      ? {}
      : { shrunk: { faults: small.faults, tasks: small.tasks!, ms: small.ms } }),
    ms: performance.now() - begunMs,
  };
}

/** The small clusters of `scenarios/explore`, each up to a number of states, until one breaks a rule or goes on for ever. */
async function explore(plant: Plant): Promise<Detection> {
  const begunMs = performance.now();
  const simulator = await PlantedSimulator.build(plant);
  let found: Played | undefined;
  for (const [kind, statesMax] of explorations) {
    for (const file of filesIn('scenarios/explore')) {
      if (!found?.caught) found = await simulator.play({ kind, statesMax, ...file });
    }
  }
  await simulator.close();
  const by = found?.caught ? { by: found.by!, named: [found.by!] } : {};
  return { caught: found?.caught === true, ...by, ms: performance.now() - begunMs };
}

function byFrequency(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

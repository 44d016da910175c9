/**
 * `npm run campaign:plants`: every planted bug against every detector, and the page that says what came of it.
 *
 *   node dist/test/plants/campaign.js [--only name,…] [--detectors unit,simulation,…] [--seeds 300] [--minutes 60] [--fresh]
 *
 * Results are kept below `.rehearse/plants` as they come, by what they were made from: a campaign that was stopped goes on
 * where it was, and one after a change does again what the change may have changed. Fails when a rule of page.ts is broken.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { globSync } from 'tinyglobby';
import { runControl } from './controls.js';
import { type Detection, type DetectorName, detectorNames, detectors } from './detectors.js';
import { brokenRules, pageText } from './page.js';
import { type Control, loadControls, loadPlants, type Plant, projectPath } from './plants.js';

/** One cell of the matrix. */
export interface Result extends Detection {
  readonly plant: string;
  readonly detector: DetectorName | 'control';
}

interface Kept extends Result {
  /** Of everything that the result depends on. */
  readonly made: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    detectors: { type: 'string', default: 'simulation,exploration,unit,processes' },
    seeds: { type: 'string', default: '300' },
    minutes: { type: 'string', default: '120' },
    fresh: { type: 'boolean', default: false },
  },
});

const resultsPath = join(projectPath, '.rehearse', 'plants', 'results.ndjson');
const pagePath = join(projectPath, 'docs', 'plants.md');
/** Cells at once: one for each core of a small machine. */
const lanes = 2;

const simulated = '{core,jobs,sim,scenarios}/**';
/** The folders that a cell can depend on besides its own bug, and this folder. No unit tests but those of commands run commands. */
const dependencies: Readonly<Record<Result['detector'], readonly string[]>> = {
  simulation: [simulated],
  exploration: [simulated],
  control: [simulated],
  unit: ['{core,jobs,kernel,sim,proto,runtime,scenarios,test}/**', '!test/{cli,conformance}/**'],
  processes: ['{core,jobs,kernel,sim,proto,runtime,cli,scenarios}/**'],
};

function fingerprint(detector: Result['detector']): string {
  const hash = createHash('sha256');
  const files = globSync([...dependencies[detector], 'test/plants/**'], {
    cwd: projectPath,
    // What is generated from proto/ names the folder that it was generated in.
    ignore: ['test/plants/{bugs,controls}/**', 'proto/generated/**', '**/*.d.ts'],
  });
  const sources = files.filter((file) => /\.(ts|yaml|proto)$/.test(file));
  for (const file of sources.toSorted()) hash.update(file).update(readFileSync(join(projectPath, file)));
  return hash.update(values.seeds).digest('hex').slice(0, 16);
}

/** What earlier campaigns have found. A line that one of them could not end is not there. */
function readKept(): Kept[] {
  if (values.fresh || !existsSync(resultsPath)) return [];
  const lines = readFileSync(resultsPath, 'utf8').split('\n');
  if (lines.pop() !== '') appendFileSync(resultsPath, '\n');
  return lines.flatMap((line) => {
    try {
      return JSON.parse(line) as Kept;
    } catch {
      return [];
    }
  });
}

/** A cell of the matrix, and how to fill it. */
interface Cell {
  readonly plant: string;
  readonly detector: Result['detector'];
  readonly made: string;
  readonly run: () => Promise<Detection>;
}

function detectorsWanted(): DetectorName[] {
  return values.detectors.split(',').map((name) => {
    if (!(name in detectors)) throw new Error(`no detector is called ${name}: ${detectorNames.join(', ')}`);
    return name as DetectorName;
  });
}

function cellsOf(
  plants: readonly Plant[],
  controls: readonly Control[],
  wanted: readonly DetectorName[],
): Cell[] {
  const seedsPerRange = Number(values.seeds);
  const madeFor = (detector: Result['detector']) => {
    const base = fingerprint(detector);
    return (of: unknown): string =>
      `${base} ${createHash('sha256').update(JSON.stringify(of)).digest('hex')}`;
  };
  const cells = wanted.flatMap((detector) => {
    const made = madeFor(detector);
    return plants
      .filter((plant) => detectors[detector].applies(plant))
      .map((plant) => ({
        plant: plant.name,
        detector,
        made: made(plant),
        run: () => detectors[detector].run(plant, { seedsPerRange }),
      }));
  });
  const made = madeFor('control');
  const checks = controls.map((control) => ({
    plant: control.name,
    detector: 'control' as const,
    made: made(control),
    run: () => runControl(control),
  }));
  return values.only === '' ? [...cells, ...checks] : cells;
}

/** Fills all cells for which there is time, in as many lanes as there are cores; what is known is not done again. */
async function fillAll(cells: readonly Cell[], kept: readonly Kept[]): Promise<Result[]> {
  const endsAtMs = performance.now() + Number(values.minutes) * 60_000;
  const results: Result[] = [];
  const rest = [...cells];
  const lane = async (): Promise<void> => {
    for (let cell = rest.shift(); cell; cell = rest.shift()) {
      const { plant, detector, made } = cell;
      const known = kept.findLast(
        (one) => one.plant === plant && one.detector === detector && one.made === made,
      );
      const result = known ?? (performance.now() < endsAtMs ? await fill(cell) : undefined);
      if (result) results.push(result);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** Undefined when it could not be done: said, and left for the next time. */
async function fill({ plant, detector, made, run }: Cell): Promise<Result | undefined> {
  try {
    const kept: Kept = { plant, detector, made, ...(await run()) };
    appendFileSync(resultsPath, `${JSON.stringify(kept)}\n`);
    const { caught, by = '', ms } = kept;
    console.log(`${plant}, ${detector}: ${caught ? `caught ${by}` : '–'} (${Math.round(ms)} ms)`);
    return kept;
  } catch (error) {
    console.error(`${plant}, ${detector}: ${(error as Error).message}`);
    return undefined;
  }
}

async function main(): Promise<void> {
  const only = values.only.split(',');
  const plants = loadPlants().filter(({ name }) => values.only === '' || only.includes(name));
  const controls = loadControls();
  const wanted = detectorsWanted();
  const cells = cellsOf(plants, controls, wanted);
  const kept = readKept();
  mkdirSync(dirname(resultsPath), { recursive: true });
  if (values.fresh) writeFileSync(resultsPath, '');
  const results = await fillAll(cells, kept);
  const missing = cells.length - results.length;
  if (missing > 0) console.log(`${missing} of ${cells.length} cells are missing: the same command goes on`);
  process.exitCode = missing === 0 ? 0 : 1;
  if (missing > 0 || values.only !== '' || wanted.length < detectorNames.length) return;
  writeFileSync(pagePath, pageText(plants, controls, results));
  const broken = brokenRules(plants, controls, results);
  for (const rule of broken) console.error(`FAIL ${rule}`);
  console.log(`${pagePath}: ${plants.length} bugs, ${broken.length} broken rules`);
  if (broken.length > 0) process.exitCode = 1;
}

await main();

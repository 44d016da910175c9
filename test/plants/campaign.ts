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

/** The sources, the tests and the scenarios: all that a cell can depend on besides its own bug. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const files = globSync(['{core,jobs,kernel,sim,proto,runtime,cli,scenarios,test}/**/*.{ts,yaml,proto}'], {
    cwd: projectPath,
    ignore: ['test/plants/{bugs,controls}/**', '**/*.d.ts'],
  });
  for (const file of files.toSorted()) hash.update(file).update(readFileSync(join(projectPath, file)));
  return hash.update(values.seeds).digest('hex').slice(0, 16);
}

function readKept(): Kept[] {
  if (values.fresh || !existsSync(resultsPath)) return [];
  const lines = readFileSync(resultsPath, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Kept);
}

/** A cell of the matrix, and how to fill it. */
interface Cell {
  readonly plant: string;
  readonly detector: Result['detector'];
  readonly made: string;
  readonly run: () => Promise<Detection>;
}

function cellsOf(plants: readonly Plant[], controls: readonly Control[], base: string): Cell[] {
  const seedsPerRange = Number(values.seeds);
  const wanted = values.detectors.split(',').map((name) => {
    if (!(name in detectors)) throw new Error(`no detector is called ${name}: ${detectorNames.join(', ')}`);
    return name as DetectorName;
  });
  const made = (of: unknown): string =>
    `${base} ${createHash('sha256').update(JSON.stringify(of)).digest('hex')}`;
  const cells = wanted.flatMap((detector) =>
    plants
      .filter((plant) => detectors[detector].applies(plant))
      .map((plant) => ({
        plant: plant.name,
        detector,
        made: made(plant.patches),
        run: () => detectors[detector].run(plant, { seedsPerRange }),
      })),
  );
  const checks = controls.map((control) => ({
    plant: control.name,
    detector: 'control' as const,
    made: made(control),
    run: () => runControl(control),
  }));
  return values.only === '' ? [...cells, ...checks] : cells;
}

async function main(): Promise<void> {
  const all = loadPlants();
  const only = values.only.split(',');
  const plants = values.only === '' ? all : all.filter(({ name }) => only.includes(name));
  const controls = loadControls();
  const cells = cellsOf(plants, controls, fingerprint());
  const kept = readKept();
  const endsAtMs = performance.now() + Number(values.minutes) * 60_000;
  const results: Result[] = [];
  mkdirSync(dirname(resultsPath), { recursive: true });
  if (values.fresh) writeFileSync(resultsPath, '');
  let next = 0;
  let missing = 0;
  const fill = async ({ plant, detector, made, run }: Cell): Promise<Result | undefined> => {
    const known = kept.findLast(
      (one) => one.plant === plant && one.detector === detector && one.made === made,
    );
    if (known || performance.now() > endsAtMs) return known;
    try {
      const result = { plant, detector, made, ...(await run()) };
      appendFileSync(resultsPath, `${JSON.stringify(result)}\n`);
      const { caught, by = '', ms } = result;
      console.log(`${plant}, ${detector}: ${caught ? `caught ${by}` : '–'} (${Math.round(ms)} ms)`);
      return result;
    } catch (error) {
      console.error(`${plant}, ${detector}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const lane = async (): Promise<void> => {
    while (next < cells.length) {
      const result = await fill(cells[next++]!);
      if (result) results.push(result);
      else missing++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (values.only !== '') return;
  if (missing > 0) {
    console.log(`${missing} of ${cells.length} cells are missing: the same command goes on`);
    process.exitCode = 1;
    return;
  }
  writeFileSync(pagePath, pageText(plants, controls, results));
  const broken = brokenRules(plants, controls, results);
  for (const rule of broken) console.error(`FAIL ${rule}`);
  console.log(`${pagePath}: ${plants.length} bugs, ${broken.length} broken rules`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

await main();

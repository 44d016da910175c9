/**
 * `npm run bench`: ours and what a user would pick instead, in turn, as whole processes, with equal outputs. Prints each ratio
 * next to its bar and its aim, and writes `results.json` and `index.html`.
 *
 *   npm run bench -- --only words,small --rounds 3
 *   npm run bench -- --quick                        inputs a hundred times smaller, one round: does it still work?
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contest } from './harness/contest.mjs';
import { Inputs } from './harness/inputs.mjs';
import { absences, machine, versions } from './harness/machine.mjs';
import { judge, ratioOf } from './harness/statistics.mjs';
import { buildReferences, Rivals } from './harness/tools.mjs';
import { curves } from './measures/curves.mjs';
import { memoryGoal, table } from './measures/table.mjs';
import { goalLine, memoryLine, pointLines } from './report/lines.mjs';
import { page } from './report/page.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const measures = [...table, ...curves];

function usageError(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      output: { type: 'string', default: join(here, 'results') },
      cache: { type: 'string', default: process.env.REHEARSE_BENCH_CACHE ?? join(here, '.cache') },
    },
  });
  const names = values.only?.split(',') ?? measures.map(({ name }) => name);
  const unknown = names.filter((name) => !measures.some((measure) => measure.name === name));
  if (unknown.length > 0) {
    usageError(
      `no measure is called ${unknown.join(', ')}; there are ${measures.map(({ name }) => name).join(', ')}`,
    );
  }
  const rounds = values.quick ? 1 : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) usageError('--rounds is a number of at least 1');
  return {
    ...values,
    rounds,
    scale: values.quick ? 0.01 : 1,
    chosen: measures.filter(({ name }) => names.includes(name)),
  };
}

const say = (line) => process.stderr.write(`${line}\n`);

/** The goals of a measure with what was reached. CPU times are a second opinion where the machine is busy with others. */
function judged(goals, contestants, quick) {
  const known = (name, key) => {
    const runs = contestants.find((one) => one.name === name)?.runs ?? [];
    return runs.map((run) => run[key]).filter((value) => value !== null);
  };
  const ratio = ({ of, by }, key) => {
    const [above, below] = [known(of, key), known(by, key)];
    return above.length === 0 || below.length === 0 ? null : ratioOf(above, below);
  };
  return goals.map((goal) => {
    const wall = ratio(goal, 'wallSeconds');
    const met = wall === null ? 'not measured' : quick ? 'smoke run' : judge(wall.median, goal);
    return { ...goal, ratio: wall, cpuRatio: ratio(goal, 'cpuSeconds'), met };
  });
}

function peaksOfOurs(results) {
  return results.flatMap(({ name, contestants }) =>
    contestants
      .filter(({ ours, runs }) => ours && runs.length > 0)
      .flatMap(({ name: contestant, peaks }) =>
        Object.entries(peaks).map(([process, bytes]) => ({ measure: name, contestant, process, bytes })),
      ),
  );
}

/** What a measure gave; a measure that cannot even begin (no compiler to make its input) has a failure instead. */
async function runMeasure(
  { name, title, plot, goals, rounds: roundsMax = Infinity, contestants: entrants },
  context,
) {
  say(`${name}: ${title}`);
  const scratch = join(context.scratch, name);
  mkdirSync(scratch, { recursive: true });
  const about = { name, title, ...(plot === undefined ? {} : { plot }) };
  try {
    const contestants = entrants({ ...context, scratch });
    for (const { name: absent, missing } of contestants) if (missing) say(`  without ${absent}: ${missing}`);
    const rounds = Math.min(context.rounds, roundsMax);
    const result = await contest({ contestants, rounds, scratch, say });
    return { ...about, goals: judged(goals, result.contestants, context.quick), ...result };
  } catch (error) {
    say(`  ${error.message}`);
    const failures = [{ contestant: 'the measure', message: error.message }];
    return { ...about, goals: judged(goals, [], context.quick), contestants: [], failures };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function show({ name, plot, goals, contestants }) {
  for (const goal of goals) console.log(goalLine(name, goal));
  if (plot !== undefined) for (const line of pointLines(name, contestants)) console.log(line);
}

function write(folder, document) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(document, undefined, 1)}\n`);
  writeFileSync(join(folder, 'index.html'), page(document));
}

const { chosen, rounds, scale, quick, cache, output } = options();
if (!existsSync(join(here, '..', 'dist', 'bin', 'rehearse.cjs'))) usageError('build first: npm run build');
mkdirSync(cache, { recursive: true });
const date = new Date().toISOString();
const surroundings = machine();
const references = buildReferences(cache);
const rivals = new Rivals(say);
const scratch = mkdtempSync(join(cache, 'scratch-'));
// When we are told to end, what we started may still be writing for a moment.
process.once('exit', () =>
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
);
const context = { inputs: new Inputs(cache, references), references, rivals, scratch, scale, rounds, quick };
const results = [];
for (const measure of chosen) {
  const result = await runMeasure(measure, context);
  show(result);
  results.push(result);
}
const peaks = peaksOfOurs(results.filter(({ plot }) => plot === undefined)).sort((a, b) => b.bytes - a.bytes);
if (peaks.length > 0) {
  const met = quick ? 'smoke run' : judge(peaks[0].bytes, memoryGoal);
  console.log(memoryLine(peaks[0], { ...memoryGoal, met }));
}
write(output, {
  date,
  machine: surroundings,
  versions: versions(rivals),
  missing: absences({ ...references, ...rivals.installed }),
  quick,
  rounds,
  results,
  memory: { goal: memoryGoal, peaks },
});
say(`written: ${join(output, 'results.json')} and ${join(output, 'index.html')}`);
if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;

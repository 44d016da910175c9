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
import { machine } from './harness/machine.mjs';
import { judge, ratioOf } from './harness/statistics.mjs';
import { buildReferences, installRivals } from './harness/tools.mjs';
import { curves } from './measures/curves.mjs';
import { memoryGoal, table } from './measures/table.mjs';
import { goalLine, memoryLine } from './report/lines.mjs';
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
function judged(goals, contestants) {
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
    const met = wall === null ? 'not measured' : judge(wall.median, goal);
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

async function runMeasure(measure, context, rounds) {
  say(`${measure.name}: ${measure.title}`);
  const scratch = join(context.scratch, measure.name);
  mkdirSync(scratch, { recursive: true });
  try {
    const contestants = measure.contestants({ ...context, scratch });
    for (const { name, missing } of contestants) if (missing) say(`  without ${name}: ${missing}`);
    const result = await contest({
      contestants,
      rounds: Math.min(rounds, measure.rounds ?? rounds),
      scratch,
      say,
    });
    const { name, title, plot } = measure;
    const goals = judged(measure.goals, result.contestants);
    for (const goal of goals) console.log(goalLine(name, goal));
    for (const { at, name: point, wallSeconds } of plot ? result.contestants : []) {
      if (at && wallSeconds)
        console.log(`${name.padEnd(18)} ${point.padEnd(36)} ${wallSeconds.median.toFixed(2)} s`);
    }
    return { name, title, ...(plot === undefined ? {} : { plot }), goals, ...result };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const { chosen, rounds, scale, quick, cache, output } = options();
if (!existsSync(join(here, '..', 'dist', 'bin', 'rehearse.cjs'))) usageError('build first: npm run build');
mkdirSync(cache, { recursive: true });
const references = buildReferences(cache);
const installed = installRivals(say);
const inputs = new Inputs(cache, references);
const scratch = mkdtempSync(join(cache, 'scratch-'));
const results = [];
const begun = machine(references, installed);
try {
  for (const measure of chosen) {
    results.push(await runMeasure(measure, { inputs, references, installed, scratch, scale }, rounds));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const peaks = peaksOfOurs(results.filter(({ plot }) => plot === undefined));
const largest = peaks.sort((a, b) => b.bytes - a.bytes)[0];
if (largest !== undefined)
  console.log(memoryLine(largest, { ...memoryGoal, met: judge(largest.bytes, memoryGoal) }));
const document = { ...begun, quick, rounds, results, memory: { goal: memoryGoal, peaks } };
mkdirSync(output, { recursive: true });
writeFileSync(join(output, 'results.json'), `${JSON.stringify(document, undefined, 1)}\n`);
writeFileSync(join(output, 'index.html'), page(document));
say(`written: ${join(output, 'results.json')} and ${join(output, 'index.html')}`);
if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;

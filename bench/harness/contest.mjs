/**
 * Runs the contestants of a measure in turn, round after round (a, b, c, a, b, c …), so that each round's ratios were
 * measured in the same weather, and holds all their outputs against each other.
 *
 * A contestant is `{ name, command, output, cwd?, env?, stdout?, group?, at?, ours?, silent?, missing?, prepare? }`. `output`
 * is the file or folder that it leaves: all of a group must say the same, except who is `silent`. `prepare()` is called
 * before each run and is not measured. `missing` says why it cannot take part, `at` where a plot shows it.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { EqualOutputs } from './canonical.mjs';
import { runMeasured, watchPeaks } from './measured-process.mjs';
import { summary } from './statistics.mjs';

function prepare(contestant) {
  rmSync(contestant.output, { recursive: true, force: true });
  contestant.prepare?.();
}

/**
 * Returns `{ contestants, failures }`; each contestant has its `runs`, summaries of them, and for ours the peak of each of
 * its processes. Who fails once is out for the rest of the measure.
 */
export async function contest({ contestants, rounds, scratch, say }) {
  mkdirSync(scratch, { recursive: true });
  const outputs = new Map();
  const failures = [];
  const results = new Map(contestants.map(({ name }) => [name, { runs: [] }]));
  const able = contestants.filter(({ missing }) => missing === undefined);
  const outputsOf = ({ group = '' }) => {
    if (!outputs.has(group)) outputs.set(group, new EqualOutputs());
    return outputs.get(group);
  };
  const attempt = async (contestant, watch) => {
    try {
      prepare(contestant);
      const run = await runMeasured(contestant, scratch, watch);
      if (!contestant.silent) await outputsOf(contestant).demand(contestant.name, contestant.output);
      return run;
    } catch (error) {
      failures.push({ contestant: contestant.name, message: error.message });
      say(`${contestant.name} is out: ${error.message}`);
      able.splice(able.indexOf(contestant), 1);
      return undefined;
    }
  };
  for (const contestant of able.filter(({ ours }) => ours)) {
    const peaks = new Map();
    await attempt(contestant, (root) => watchPeaks(root, peaks));
    results.get(contestant.name).peaks = Object.fromEntries(peaks);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of [...able]) {
      const run = await attempt(contestant);
      if (run === undefined) continue;
      results.get(contestant.name).runs.push(run);
      say(`  round ${round}/${rounds}  ${contestant.name}: ${run.wallSeconds.toFixed(2)} s`);
    }
  }
  return { contestants: contestants.map((one) => described(one, results.get(one.name))), failures };
}

function described({ name, ours = false, missing, command, at }, { runs, peaks }) {
  const known = (key) => runs.map((run) => run[key]).filter((value) => value !== null);
  const summarised = (key) => (known(key).length === 0 ? null : summary(known(key)));
  return {
    name,
    ours,
    ...(missing === undefined ? {} : { missing }),
    ...(at === undefined ? {} : { at }),
    command: command?.map((word) => word.slice(0, 300)) ?? [],
    runs,
    wallSeconds: summarised('wallSeconds'),
    cpuSeconds: summarised('cpuSeconds'),
    peakBytes: summarised('peakBytes'),
    ...(peaks === undefined ? {} : { peaks }),
  };
}

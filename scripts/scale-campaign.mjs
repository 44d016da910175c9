/**
 * `npm run campaign:scale`: the scenarios of `scenarios/scale/`, each variant in a process of its own, so that its
 * processor time and its memory are its own. All invariants and the hash chain are on. Some minutes.
 *
 *   node scripts/scale-campaign.mjs [--seconds 60] [--megabytes 2000] [file …]
 *
 * Fails when a run does not go as it expects, or takes more memory, or more processor time for each 20,000 tasks, than it
 * may; docs/cost-model.md has the figures.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    megabytes: { type: 'string', default: '2000' },
    variant: { type: 'string' },
  },
});

/** Facts whose times are printed, in seconds. */
const moments = ['maps-done', 'reduces-done'];

const { loadScenarios } = await import('../dist/sim/scenario/load.js');

if (values.variant === undefined) runAll();
else await runOne(positionals[0], Number(values.variant));

function runAll() {
  const folder = fileURLToPath(new URL('../scenarios/scale/', import.meta.url));
  const files = positionals.length > 0 ? positionals : readdirSync(folder).map((name) => folder + name);
  let failed = false;
  for (const file of files.sort()) {
    for (const [variant, { name, jobs }] of scenariosOf(file).entries()) {
      process.stdout.write(`${name}\n`);
      const child = spawnSync(process.execPath, [process.argv[1], '--variant', String(variant), file], {
        encoding: 'utf8',
      });
      if (child.status !== 0) {
        process.stdout.write(`  FAIL  ${child.stderr}\n`);
        failed = true;
        continue;
      }
      const run = JSON.parse(child.stdout);
      const tasks = jobs.reduce((sum, { maps, reduces }) => sum + maps + reduces, 0);
      const secondsMax = Number(values.seconds) * Math.max(1, tasks / 20_000);
      const fits = run.cpuSeconds <= secondsMax && run.megabytes <= Number(values.megabytes);
      if (run.verdict !== 'passed' || !fits) failed = true;
      const facts = Object.entries(run.at).map(([fact, atSeconds]) => `${fact} ${atSeconds} s`);
      process.stdout.write(
        `  ${run.verdict === 'passed' && fits ? 'ok  ' : 'FAIL'}  job ${run.jobSeconds} s, ${facts.join(', ')} of virtual time; ` +
          `${run.steps} steps, ${run.cpuSeconds} s of processor time, ${run.megabytes} MB, chain ${run.chain}\n`,
      );
      for (const line of run.complaints) process.stdout.write(`  ${line}\n`);
    }
  }
  process.exitCode = failed ? 1 : 0;
}

async function runOne(file, variant) {
  const { simulate } = await import('../dist/sim/simulate.js');
  const result = simulate(scenariosOf(file)[variant]);
  const { user, system } = process.cpuUsage();
  const at = {};
  for (const { name, atUs } of result.facts) if (moments.includes(name)) at[name] = rounded(atUs / 1e6);
  const complaints = [
    ...(result.violation ? [result.violation.message] : []),
    ...result.unmet.map((one) => one.message),
  ];
  const document = {
    verdict: result.verdict,
    jobSeconds: rounded(result.jobs[0].concludedUs / 1e6),
    at,
    steps: result.steps,
    chain: result.chain,
    cpuSeconds: rounded((user + system) / 1e6),
    megabytes: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
    complaints,
  };
  process.stdout.write(JSON.stringify(document));
}

function scenariosOf(file) {
  const loaded = loadScenarios(readFileSync(file, 'utf8'), file);
  if (!loaded.ok) throw new Error(`${file} cannot be read: ${JSON.stringify(loaded.errors)}`);
  return loaded.scenarios;
}

function rounded(seconds) {
  return Math.round(seconds * 10) / 10;
}

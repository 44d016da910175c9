/**
 * The simulator's figures: `npm run bench:sim`, or some of them: `npm run bench:sim -- core-events`. Ratios within one
 * run mean something; absolute times are those of the machine and of whatever else it does.
 */
import { measureCoreEvents } from './core-events.mjs';
import { measureExplorer } from './explorer.mjs';
import { measureFuzzSeeds } from './fuzz-seeds.mjs';

const measures = {
  'core-events': measureCoreEvents,
  'fuzz-seeds': measureFuzzSeeds,
  explorer: measureExplorer,
};

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (name in measures) continue;
  process.stderr.write(`no measure is called ${name}; there are ${Object.keys(measures).join(', ')}\n`);
  process.exit(2);
}
for (const [name, measure] of Object.entries(measures)) {
  if (wanted.length === 0 || wanted.includes(name)) await measure();
}

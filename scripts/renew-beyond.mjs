/**
 * `npm run campaign:beyond`: writes anew sim/coverage/beyond.txt, the steps that lie beyond the small clusters which are
 * explored and that drawn clusters take. Only what several seeds have reached by chance is demanded of the reference
 * campaign, which leaves more than twice as many to chance: another order of draws must not fail it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Coverage, readTupleList } from '../dist/sim/coverage/coverage.js';
import { fuzzSeed } from '../dist/sim/fuzz/fuzz.js';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../sim/coverage');
const seeds = 16_000;
const seedsMin = 8;

const reachedBy = new Map();
const coverage = new Coverage();
for (let seed = 1; seed <= seeds; seed++) {
  const { failure } = fuzzSeed(seed, { coverage });
  if (failure) {
    process.stderr.write(`nothing is written: ${failure.id} in seed ${seed}: ${failure.message}\n`);
    process.exit(1);
  }
  for (const name of Object.keys(coverage.take().tuples)) reachedBy.set(name, (reachedBy.get(name) ?? 0) + 1);
}
const explored = readTupleList(readFileSync(join(folder, 'reachable.txt'), 'utf8'));
const often = [...reachedBy].filter(([name, times]) => times >= seedsMin && !explored.has(name));
const names = often.map(([name]) => name).sort();
const head = `# Steps beyond the explored clusters (reachable.txt) that at least ${seedsMin} of ${seeds} seeds reach by chance.
# Written by \`npm run campaign:beyond\`; a step that goes from here needs a reason.
`;
writeFileSync(join(folder, 'beyond.txt'), `${head}${names.join('\n')}\n`);
process.stdout.write(`${names.length} steps\n`);

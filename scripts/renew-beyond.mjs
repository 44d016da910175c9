/**
 * `npm run campaign:beyond`: runs the reference campaign and writes anew sim/coverage/beyond.txt, the steps that it reaches
 * and that lie beyond the small clusters which are explored. Only what it reached often is demanded of the next campaign:
 * draws that come out a little differently must not fail it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const oftenEnough = 20;
const explored = join(root, 'sim/coverage/reachable.txt');
const beyond = join(root, 'sim/coverage/beyond.txt');

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [, ...words] = scripts['campaign:coverage'].split(' && ')[1].split(' ');
const { stdout } = spawnSync(process.execPath, [...words, '--json'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 30,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const { findings, cut, coverage } = JSON.parse(stdout);
if (findings.length > 0 || cut !== undefined) {
  process.stderr.write('nothing is written: the campaign has findings, or did not come to its end\n');
  process.exit(1);
}
const known = new Set(readFileSync(explored, 'utf8').split('\n'));
const often = Object.entries(coverage.tuples).filter(
  ([name, count]) => count >= oftenEnough && !known.has(name),
);
const head = `# Steps beyond the explored clusters (reachable.txt) that the reference campaign reaches at least ${oftenEnough} times.
# Written by \`npm run campaign:beyond\`; a step that goes from here needs a reason.
`;
writeFileSync(beyond, `${head}${often.map(([name]) => name).join('\n')}\n`);
process.stdout.write(`${often.length} steps\n`);

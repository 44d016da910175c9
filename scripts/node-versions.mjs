/**
 * `npm run campaign:nodes`: the same scenario and seed must give the same hash chain on every Node this project runs on.
 * The other versions come from the npm package `node`, each in a folder of its own outside of this one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const majors = [20, 22, 24];

/** The path of a Node of this major version; installed when it is not there yet. */
function nodeOf(major) {
  const folder = join(tmpdir(), `rehearse-node-${major}`);
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `node@${major}`], {
      cwd: folder,
      stdio: 'ignore',
    });
  }
  return binary;
}

function chainsOf(node) {
  const scenarios = readdirSync(join(root, 'scenarios')).filter((name) => name.endsWith('.yaml'));
  const args = [join(root, 'dist', 'bin', 'rehearse.cjs'), 'sim', '--json', '--seeds', '1..5'];
  const text = execFileSync(node, [...args, ...scenarios.map((name) => join(root, 'scenarios', name))], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const { runs } = JSON.parse(text);
  return runs.map(
    ({ scenario, variant, seed, chain }) => `${scenario} ${JSON.stringify(variant)} ${seed} ${chain}`,
  );
}

let reference;
for (const major of majors) {
  const node = nodeOf(major);
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  if (!version.startsWith(`v${major}.`)) throw new Error(`asked for Node ${major}, got ${version}`);
  const chains = chainsOf(node);
  reference ??= chains;
  const differing = chains.filter((chain, index) => chain !== reference[index]);
  if (chains.length !== reference.length || differing.length > 0) {
    throw new Error(
      `${version} differs in ${differing.length} of ${chains.length} runs, the first: ${differing[0]}`,
    );
  }
  console.log(`${version}: ${chains.length} runs, the same chains`);
}

/**
 * `npm run campaign:slow`: the scenarios that take minutes of real time, on real processes, side by side. Exits 1 when one
 * of them does not hold.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = ['late-worker-at-noon', 'late-worker-at-noon-owner-only', 'lease-too-long'];

async function perform(name) {
  const cwd = mkdtempSync(join(tmpdir(), 'rehearse-slow-'));
  const args = [
    join(root, 'dist/bin/rehearse.cjs'),
    'run',
    '--faults',
    join(root, 'scenarios', `${name}.yaml`),
  ];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes));
  const code = await new Promise((resolve) => child.once('exit', (exit, signal) => resolve(exit ?? signal)));
  rmSync(cwd, { recursive: true, force: true });
  console.log(`${code === 0 ? 'ok   ' : 'FAIL '} ${name}`);
  if (code !== 0) console.error(said);
  return code === 0;
}

const held = await Promise.all(names.map(perform));
process.exitCode = held.every(Boolean) ? 0 : 1;

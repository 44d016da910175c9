import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keepOutput } from '../../../runtime/process/child-output.js';
import { temporaryDirectory } from '../data/temporary.js';

const longMs = 30_000;

function shell(script: string): ChildProcess {
  return spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
}

it('A log holds all that a process and those below it have printed, after its end too', async () => {
  const path = join(temporaryDirectory(), 'worker-1.1.log');
  const parentIsThere = 'kill -0 $$ 2>/dev/null'; // `$$` is the shell that began, in those below it too
  const child = shell(`(while ${parentIsThere}; do :; done; echo its last words) & echo first >&2`);
  const said = keepOutput(child, path, longMs);
  await once(child, 'exit');
  await said;
  expect(readFileSync(path, 'utf8')).toBe('first\nits last words\n');
});

it('Of a process that says nothing there is no log', async () => {
  const path = join(temporaryDirectory(), 'worker-1.1.log');
  await keepOutput(shell('exit 3'), path, longMs);
  expect(existsSync(path)).toBe(false);
});

it('Whoever holds the pipes of a dead process open is not waited for', async () => {
  const path = join(temporaryDirectory(), 'worker-1.1.log');
  const child = shell('sleep 1000 & echo $!');
  await keepOutput(child, path);
  const holder = Number(readFileSync(path, 'utf8'));
  onTestFinished(() => void process.kill(holder, 'SIGKILL'));
  expect(() => process.kill(holder, 0)).not.toThrow();
});

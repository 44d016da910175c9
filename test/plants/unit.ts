/** The unit tests as a detector: those of the folders that a planted bug lies in, run on the planted source. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Planted, projectPath } from './plants.js';

export interface UnitResult {
  readonly caught: boolean;
  /** The first test that failed. */
  readonly test?: string;
  readonly ms: number;
}

const timeoutMs = 180_000;

/** The folders below `test/` that mirror those of the patched files. */
function testFolders(plant: Planted): string[] {
  const folders = plant.patches.map(({ file }) => {
    const top = file.split('/')[0]!;
    // Within the runtime, the parts have their tests to themselves; elsewhere a folder is tested as one.
    const folder = join('test', top === 'runtime' ? dirname(file) : top);
    return existsSync(join(projectPath, folder)) ? folder : join('test', top);
  });
  return [...new Set(folders)];
}

/** Runs the tests of the plant's folders, or only those given, until the first failure. */
export function runUnitTests(
  plant: Planted,
  tests: readonly string[] = testFolders(plant),
): Promise<UnitResult> {
  const vitest = join(projectPath, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--bail', '1', '--reporter', 'json', '--maxWorkers', '1', ...tests];
  const begunMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: projectPath,
      env: { ...process.env, REHEARSE_PLANT: plant.name },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const pieces: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
    child.on('close', (code) => {
      clearTimeout(timer);
      const caught = code !== 0;
      resolve({
        caught,
        ...(caught ? { test: firstFailure(pieces.join('')) } : {}),
        ms: performance.now() - begunMs,
      });
    });
  });
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function firstFailure(output: string): string {
  const from = output.indexOf('{"');
  if (from < 0) return 'no test came to an end';
  const report = JSON.parse(output.slice(from)) as Report;
  const failed = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  return failed?.fullName ?? 'a test file could not be loaded';
}

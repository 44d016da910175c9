/** The unit tests as a detector: those of the folders that a planted bug lies in, run on the planted source. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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

/** Runs the given tests, on the planted source if there is a bug, until the first failure. */
export async function runUnitTests(
  plant: Planted | undefined,
  tests: readonly string[],
): Promise<UnitResult> {
  const begunMs = performance.now();
  const failed = await failedTests(['--bail', '1', ...tests], plant?.name ?? '');
  const ms = performance.now() - begunMs;
  return failed === undefined
    ? { caught: false, ms }
    : { caught: true, test: failed[0]?.test ?? 'no test came to an end', ms };
}

/** Files with tests that fail without any bug: they catch none. By folder. */
const failing = new Map<string, Promise<readonly string[]>>();

async function failingFiles(folder: string): Promise<readonly string[]> {
  const files = (await failedTests([folder], ''))?.map(({ file }) => file) ?? [];
  if (files.length > 0) console.error(`without any bug fail ${files.join(', ')}`);
  return [...new Set(files)];
}

/** Runs all tests of the folders that the bug lies in, but for those that fail anyway. */
export async function runTestsOf(plant: Planted): Promise<UnitResult> {
  const exclude: string[] = [];
  for (const folder of testFolders(plant)) {
    let files = failing.get(folder);
    if (!files) failing.set(folder, (files = failingFiles(folder)));
    for (const file of await files) exclude.push('--exclude', file);
  }
  return runUnitTests(plant, [...exclude, ...testFolders(plant)]);
}

interface FailedTest {
  readonly file: string;
  readonly test: string;
}

/** Undefined when all is well; empty when nothing can be said of why it is not. */
function failedTests(args: readonly string[], plant: string): Promise<FailedTest[] | undefined> {
  const vitest = join(projectPath, 'node_modules', 'vitest', 'vitest.mjs');
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [vitest, 'run', '--reporter', 'json', '--maxWorkers', '1', ...args],
      {
        cwd: projectPath,
        env: { ...process.env, REHEARSE_PLANT: plant },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const pieces: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : failuresIn(pieces.join('')));
    });
  });
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function failuresIn(output: string): FailedTest[] {
  const from = output.indexOf('{"');
  if (from < 0) return [];
  const { testResults } = JSON.parse(output.slice(from)) as Report;
  return testResults.flatMap(({ name, status, assertionResults }) => {
    const file = relative(projectPath, name);
    const failed = assertionResults.filter((one) => one.status === 'failed');
    if (failed.length === 0 && status === 'failed') return [{ file, test: `${file} could not be loaded` }];
    return failed.map(({ fullName }) => ({ file, test: fullName }));
  });
}

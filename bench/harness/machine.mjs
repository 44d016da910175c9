/** Where and with what the figures were made. */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

function firstLine(command, ...words) {
  const { status, stdout } = spawnSync(command, words, { cwd: project, encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

export function machine(references, installed) {
  const reasons = Object.entries({ ...references, ...installed }).flatMap(([name, { missing }]) =>
    missing === undefined ? [] : [[name, missing]],
  );
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      system: `${type()} ${release()}`,
      loadBefore: loadavg()[0],
    },
    versions: {
      rehearse: firstLine('git', 'describe', '--always', '--dirty') ?? 'unknown',
      node: process.version,
      duckdb: installed.duckdb.version,
      polars: installed.polars.version,
      mawk: firstLine('mawk', '-W', 'version'),
      compiler: firstLine('gcc', '--version'),
    },
    missing: Object.fromEntries(reasons),
  };
}

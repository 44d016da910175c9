/** Where and with what the figures were made. */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

function firstLine(command, ...words) {
  const { status, stdout } = spawnSync(command, words, { cwd: project, encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    loadBefore: loadavg()[0],
  };
}

export function versions({ installed }) {
  return {
    rehearse: firstLine('git', 'describe', '--always', '--dirty') ?? 'unknown',
    node: process.version,
    duckdb: installed.duckdb?.version,
    polars: installed.polars?.version,
    mawk: firstLine('mawk', '-W', 'version'),
    compiler: firstLine('gcc', '--version'),
  };
}

/** Why whatever is not here is not here, by name. */
export function absences(things) {
  const missing = Object.entries(things).filter(([, thing]) => thing.missing !== undefined);
  return Object.fromEntries(missing.map(([name, thing]) => [name, thing.missing]));
}

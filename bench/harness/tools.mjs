/** The reference programs, compiled once into the cache, and the rivals' packages, installed on demand. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('..', import.meta.url));
const sources = join(bench, 'reference');

export function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

const builds = {
  gen: ['gcc', '-O2', 'gen.c', '-lm'],
  genlog: ['gcc', '-O2', 'genlog.c'],
  wcs: ['gcc', '-O3', '-march=native', 'wcs.c', '-lpthread'],
  wcf: ['g++', '-O3', '-march=native', '-std=c++20', 'wcf.cpp', '-lpthread'],
};

/** Why this machine cannot have the program, or nothing. */
function obstacle(name) {
  const compiler = builds[name][0];
  if (!has(compiler)) return `no ${compiler} here`;
  if (name !== 'wcf') return undefined;
  const known = existsSync('/proc/cpuinfo') && readFileSync('/proc/cpuinfo', 'utf8').includes('avx512bw');
  return known ? undefined : 'wcf needs a CPU with AVX-512';
}

/** Returns `{ gen, genlog, wcs, wcf }`: each `{ path }` or `{ missing: why }`. */
export function buildReferences(cache) {
  const hash = createHash('sha256').update(JSON.stringify(builds)).update(process.versions.unicode);
  for (const name of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, name)));
  const folder = join(cache, `reference-${hash.digest('hex').slice(0, 12)}`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'letters.h'))) {
    execFileSync(process.execPath, [join(sources, 'letters.mjs')], { cwd: folder });
  }
  const one = (name) => {
    const missing = obstacle(name);
    if (missing !== undefined) return { missing };
    const path = join(folder, name);
    if (existsSync(path)) return { path };
    const [compiler, ...flags] = builds[name];
    const words = flags.map((flag) => (/\.(c|cpp)$/.test(flag) ? join(sources, flag) : flag));
    const { status } = spawnSync(compiler, ['-w', '-I', folder, ...words, '-o', path], { stdio: 'inherit' });
    return status === 0 ? { path } : { missing: `${compiler} could not compile it` };
  };
  return Object.fromEntries(Object.keys(builds).map((name) => [name, one(name)]));
}

const versions = JSON.parse(readFileSync(join(bench, 'package.json'), 'utf8')).dependencies;

/** The package with Polars' machine code. npm leaves it out on Node 20 unless it is named. */
function polarsBinary() {
  const platform = `${process.platform}-${process.arch}`;
  return `nodejs-polars-${platform}${process.platform === 'linux' ? '-gnu' : ''}`;
}

function npm(...words) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  return spawnSync('npm', [...words, ...quiet], { cwd: bench, stdio: ['ignore', 'ignore', 'inherit'] })
    .status;
}

/** In a process of its own: one that has failed to load a module may do so again though it is there by now. */
function loads(name) {
  const load = ['-e', `require(${JSON.stringify(name)})`];
  return spawnSync(process.execPath, load, { cwd: bench, stdio: 'ignore' }).status === 0;
}

/** The rivals from npm. Nothing is installed before a measure asks for one of them. */
export class Rivals {
  /** What was asked for so far: `{ version }` or `{ missing: why }` by name. */
  installed = {};
  #say;

  constructor(say) {
    this.#say = say;
  }

  get duckdb() {
    return (this.installed.duckdb ??= this.#install('@duckdb/node-api'));
  }

  get polars() {
    return (this.installed.polars ??= this.#install('nodejs-polars'));
  }

  #install(name) {
    if (!existsSync(join(bench, 'node_modules', name))) {
      this.#say('installing DuckDB and Polars into bench/node_modules (once, about 200 MB)');
      // Not `npm ci`: that wants the binaries of all other systems in the lock file, and registries may lack some.
      npm('install', '--no-save');
    }
    if (name === 'nodejs-polars' && !loads(name)) {
      npm('install', '--no-save', `${polarsBinary()}@${versions[name]}`);
    }
    if (loads(name)) return { version: versions[name] };
    return { missing: `${name} cannot be loaded here: try npm install in bench/` };
  }
}

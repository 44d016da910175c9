/** Compiles kernel/assembly to dist/kernel/*.wasm, unless they are there already: a digest of the sources stands beside them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../kernel/assembly', import.meta.url));
const target = fileURLToPath(new URL('../dist/kernel', import.meta.url));
/** The modules, each by what it is made of. Two, so that a job compiles only what it needs. */
const modules = { 'kernel.wasm': 'index.ts', 'rows.wasm': 'rows-index.ts' };
const stampFile = join(target, 'kernel.digest');
const compilerManifest = createRequire(import.meta.url).resolve('assemblyscript/package.json');

const digest = createHash('sha256');
for (const file of [compilerManifest, fileURLToPath(import.meta.url), ...sourceFiles()]) {
  digest.update(`${file}\0`).update(readFileSync(file)).update('\0');
}
const wanted = digest.digest('hex');
if (stamp() !== wanted) {
  for (const [module, source] of Object.entries(modules)) await compile(module, source);
  writeFileSync(stampFile, wanted);
}

function sourceFiles() {
  const names = readdirSync(sources).filter((name) => name.endsWith('.ts'));
  return names.sort().map((name) => join(sources, name));
}

function stamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * A module manages its memory itself, so it needs no runtime. It shares that memory with nobody and declares it shared
 * all the same: V8 takes other memory, touched or not, for a reason to collect garbage, 20 ms in each thread before it
 * has begun.
 */
async function compile(module, source) {
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(target, { recursive: true });
  const { error, stderr } = await asc.main([
    join(sources, source),
    ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--enable', 'simd,threads'],
    ...['--sharedMemory', '--initialMemory', '1', '--maximumMemory', '32767'],
    ...['--outFile', join(target, module)],
  ]);
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
}

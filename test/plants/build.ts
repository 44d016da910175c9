/**
 * Builds from planted sources: the simulator as one module, and the whole command as a package of its own.
 *
 * In the simulator only the machines get a planted `core/`. Checkers, oracle and ledger stand on the core as it should be,
 * for a judge that shares the bug would not see it; so do the rules of `core/invariants.ts`.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { globSync } from 'tinyglobby';
import { type Planted, plantedSource, projectPath } from './plants.js';

/** Sources of the machines' own copy of the core. */
const machines = 'machines';
/** Entering one of these from the simulator leads into that copy. */
const doors = /^core\/(machine|(master|worker|client)\/step)\.ts$/;
/** What judges stays one for all. */
const judges = /^core\/((step-)?invariants|invariant-error)\.ts$/;

/** A directory of its own for builds, in which they find the packages of the project. */
export function makeBuildDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rehearse-planted-'));
  symlinkSync(join(projectPath, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

/** Writes the simulator with the bug in it, as one ES module. What it exports is in planted-simulator.ts. */
export async function buildSimulator(plant: Planted | undefined, directory: string): Promise<string> {
  const target = join(directory, `${plant?.name ?? 'nothing'}-${builds++}.mjs`);
  await build({
    entryPoints: [join(projectPath, 'test', 'plants', 'planted-simulator.ts')],
    outfile: target,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // They are the same for every build, and so loaded once only.
    packages: 'external',
    logLevel: 'error',
    plugins: [twoCores(plant)],
  });
  return target;
}

let builds = 0;

function twoCores(plant: Planted | undefined): Plugin {
  return {
    name: 'planted-machines',
    setup(building) {
      building.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, importer, namespace, kind }) => {
        if (kind === 'entry-point') return undefined;
        const source = resolve(dirname(importer), path.replace(/\.js$/, '.ts'));
        const file = inProject(source);
        if (!isOurs(file)) return undefined;
        const planted =
          namespace === machines || (inProject(importer).startsWith('sim/') && doors.test(file));
        return { path: source, namespace: planted && !judges.test(file) ? machines : 'file' };
      });
      building.onLoad({ filter: /\.ts$/, namespace: machines }, ({ path }) => load(path, plant));
      building.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
        const file = inProject(path);
        return isOurs(file) && !file.startsWith('core/') ? load(path, plant) : undefined;
      });
    },
  };
}

function inProject(path: string): string {
  return relative(projectPath, path).split(sep).join('/');
}

function isOurs(file: string): boolean {
  return !file.startsWith('../') && !file.startsWith('node_modules/');
}

function load(path: string, plant: Planted | undefined) {
  const planted = plant && plantedSource(plant, inProject(path));
  return { contents: planted ?? readFileSync(path, 'utf8'), loader: 'ts' as const };
}

/** Writes the package as it is installed, with the bug in it, into a build directory; answers the path of its command. */
export async function buildPackage(plant: Planted | undefined, directory: string): Promise<string> {
  const sources = globSync(
    ['{core,jobs,kernel,sim,proto,runtime,cli}/**/*.ts', '!**/*.d.ts', '!kernel/assembly/**'],
    {
      cwd: projectPath,
      absolute: true,
    },
  );
  await build({
    entryPoints: sources,
    outbase: projectPath,
    outdir: join(directory, 'dist'),
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    plugins: [
      {
        name: 'planted-package',
        setup: (building) => building.onLoad({ filter: /\.ts$/ }, ({ path }) => load(path, plant)),
      },
    ],
  });
  // What stands beside the compiled sources: the kernel is taken as it was built, plants are in TypeScript only.
  const beside = { 'dist/kernel/kernel.wasm': '', 'proto/**/*.proto': 'dist', 'scenarios/**': '' };
  for (const [pattern, below] of Object.entries(beside)) {
    for (const file of globSync(pattern, { cwd: projectPath })) {
      const place = join(directory, below, file);
      mkdirSync(dirname(place), { recursive: true });
      cpSync(join(projectPath, file), place);
    }
  }
  writeFileSync(join(directory, 'package.json'), readFileSync(join(projectPath, 'package.json')));
  return join(directory, 'dist', 'cli', 'main.js');
}

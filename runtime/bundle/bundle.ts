/**
 * From a job's file to one ES module that any executor can load, whatever folder it came from and whatever is installed
 * where it runs.
 *
 * The hash of the module is the job's identity, so the same sources must give the same bytes: nothing in the bundle
 * depends on the folder it was made in. The import 'mapreduce-rehearsal' is taken from this installation, under a name
 * of its own, whether or not the job's folder has one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import type { BuildFailure, BuildResult, Message, Plugin } from 'esbuild';
import { installation } from '../installation.js';
import { sha256 } from '../sha256.js';
import { CompilerError, JobCompileError, JobFileError } from './errors.js';
import { loadEsbuild } from './esbuild.js';

export interface JobBundle {
  /** An ES module whose default export is the job, with an inline source map. */
  readonly code: string;
  /** sha256 of the code in UTF-8, lowercase hex. */
  readonly hash: string;
  /** File name of the job, without its folder. */
  readonly name: string;
  /** Full paths of the files that the bundle is made of, the job's first. */
  readonly sources: readonly string[];
}

const PACKAGE = 'mapreduce-rehearsal';
/** What stands for the job's file: esbuild takes a name with a `*` in it for many. */
const ENTRY = 'rehearse:entry';
const EXTENSIONS: readonly string[] = ['.ts', '.mts', '.js', '.mjs'];
/** CommonJS packages inside the bundle ask for Node's own modules by `require`, which an ES module does not have. */
const REQUIRE = `import { createRequire as __createRequire } from 'node:module'; var require = __createRequire(import.meta.url);`;

/**
 * esbuild makes `new RegExp` of literals that it does not know the target to understand, \p{L} among them. Node 20 understands
 * them all; and where a literal is cloned, a constructor looks its pattern up and begins anew, for every record of a job.
 */
const keepRegExpLiterals = {
  'regexp-dot-all-flag': true,
  'regexp-lookbehind-assertions': true,
  'regexp-match-indices': true,
  'regexp-named-capture-groups': true,
  'regexp-set-notation': true,
  'regexp-sticky-and-unicode-flags': true,
  'regexp-unicode-property-escapes': true,
};

/** Bundles a job's file. Throws JobFileError, JobCompileError or CompilerError; the job itself is not run. */
export async function bundleJob(path: string): Promise<JobBundle> {
  const file = resolve(path);
  checkFile(path, file);
  const { build, stop } = loadEsbuild();
  let result: BuildResult<{ write: false; metafile: true }>;
  try {
    result = await build({
      entryPoints: [ENTRY],
      absWorkingDir: dirname(file),
      outfile: `${file}.bundle.mjs`,
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      target: 'node20',
      supported: keepRegExpLiterals,
      format: 'esm',
      sourcemap: 'inline',
      charset: 'utf8',
      banner: { js: REQUIRE },
      logLevel: 'silent',
      plugins: [entryOf(file), ownPackage],
    });
  } catch (error) {
    throw isBuildFailure(error) ? compileError(error.errors) : new CompilerError(noProgramStarts() ?? error);
  } finally {
    await stop(); // its helper process would stay as long as this one
  }
  const code = result.outputFiles[0]!.text;
  const others = Object.keys(result.metafile.inputs).map((name) => resolve(dirname(file), name));
  return { code, hash: sha256(code), name: basename(file), sources: [file, ...others.filter(existsSync)] };
}

function checkFile(path: string, file: string): void {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) throw new JobFileError(path, `no such job file: ${path}`);
  if (status.isDirectory()) throw new JobFileError(path, `a job is a file, but this is a folder: ${path}`);
  if (EXTENSIONS.includes(extname(file))) return;
  throw new JobFileError(path, `a job's file ends in ${EXTENSIONS.join(', ')}, unlike ${path}`);
}

function entryOf(file: string): Plugin {
  return {
    name: 'entry',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${ENTRY}$`) }, () => ({ path: file }));
    },
  };
}

/**
 * Serves 'mapreduce-rehearsal' and the modules that it imports from this installation, as `rehearse:define.js` and so on,
 * so that their place on this disk stays out of the bundle. Built they are .js files; under test they are .ts.
 */
const ownPackage: Plugin = {
  name: 'own-package',
  setup(build) {
    const folder = `${installation}jobs/`;
    build.onResolve({ filter: new RegExp(`^${PACKAGE}$`) }, () => ({
      path: 'index.js',
      namespace: 'rehearse',
    }));
    build.onResolve({ filter: /^\.\//, namespace: 'rehearse' }, ({ path }) => ({
      path: path.slice(2),
      namespace: 'rehearse',
    }));
    build.onLoad({ filter: /.*/, namespace: 'rehearse' }, ({ path }) => {
      const built = `${folder}${path}`;
      return existsSync(built)
        ? { contents: withoutMapLink(readFileSync(built, 'utf8')), loader: 'js' }
        : { contents: readFileSync(built.replace(/\.js$/, '.ts'), 'utf8'), loader: 'ts' };
    });
  },
};

function withoutMapLink(code: string): string {
  return code.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}

/** Why none can be started here, if so: what esbuild throws then is of its own pipes, which there are none of. */
function noProgramStarts(): Error | undefined {
  return spawnSync(process.execPath, ['--version']).error;
}

function compileError(errors: readonly Message[]): JobCompileError {
  const first = errors[0];
  if (first === undefined) return new JobCompileError('the job does not compile', undefined);
  const others = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  const { location } = first;
  if (location === null) return new JobCompileError(`${first.text}${others}`, undefined);
  // esbuild counts bytes of UTF-8, from 0.
  const line = Buffer.from(location.lineText);
  const before = line.subarray(0, location.column).toString();
  const wrong = line.subarray(location.column, location.column + location.length).toString();
  return new JobCompileError(`${first.text}${others}`, {
    file: location.file,
    line: location.line,
    column: before.length + 1,
    lineText: location.lineText,
    length: Math.max(1, wrong.length),
  });
}

/**
 * Makes one file of each program in dist/, and beside it what V8 has compiled of it: a process that loads a hundred modules
 * one by one starts a tenth of a second later. What is not there or does not fit this Node is only slower, never wrong.
 *
 *   dist/bin/<program>.bundle.cjs   all modules of the program, packages included
 *   dist/bin/<program>.cache        V8's code cache, made by a small run
 *   dist/bin/<program>.cjs          what is executed: loads the first with the second
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}dist/bin/`;
const programs = {
  rehearse: 'dist/cli/main.js',
  'child-main': 'dist/runtime/process/child-main.js',
  thread: 'dist/runtime/executor/thread.js',
};

const { outputFiles } = await build({
  write: false,
  absWorkingDir: root,
  entryPoints: programs,
  outdir: folder,
  outExtension: { '.js': '.bundle.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // Native code of its own, which finds its parts beside itself.
  external: ['esbuild'],
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  legalComments: 'none',
  logLevel: 'error',
});
const roundsMax = 3;
const names = Object.keys(programs);
const caches = names.map((name) => `${folder}${name}.cache`);
const wanted = new Map([
  ...outputFiles.map(({ path, text }) => [path, text.replace(/\bimport\(/g, 'importModule(')]),
  ...names.map((name) => [`${folder}${name}.cjs`, loaderText(name)]),
]);
if (![...wanted].every(([path, text]) => isThere(path, text)) || !caches.every(existsSync)) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of wanted) writeFileSync(path, text, { mode: 0o755 });
  // On a machine that is busy, a thread may be ended before it has written any.
  for (let round = 0; round < roundsMax && !caches.every(existsSync); round++) rehearse();
  for (const path of caches) if (!existsSync(path)) console.warn(`no code cache was made: ${path}`);
}

function isThere(path, text) {
  return existsSync(path) && readFileSync(path, 'utf8') === text;
}

/** A run of a second or so, in which every program compiles what a run needs. */
function rehearse() {
  const scratch = mkdtempSync(join(tmpdir(), 'rehearse-build-'));
  try {
    writeFileSync(join(scratch, 'in.txt'), 'what a run needs\n'.repeat(200_000));
    const args = [
      `${folder}rehearse.cjs`,
      'run',
      'word-count',
      'in.txt',
      '-w',
      '1',
      '-m',
      '4',
      '-o',
      'out',
      '-q',
    ];
    const env = { ...process.env, REHEARSE_MAKE_CODE_CACHE: '1' };
    const { status } = spawnSync(process.execPath, args, { cwd: scratch, env, stdio: 'inherit' });
    if (status !== 0) throw new Error('the bundled program does not work');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * In plain CommonJS, for it is all that runs without a cache. What the bundle imports when it runs (the user's job, esbuild)
 * goes through this file, because a script from a code cache has no loader of its own.
 */
function loaderText(program) {
  return `#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const file = path.join(__dirname, '${program}.bundle.cjs');
const cacheFile = path.join(__dirname, '${program}.cache');
const text = fs.readFileSync(file, 'utf8').replace(/^#!.*/, '');
const source = '(function (exports, require, module, __filename, __dirname, importModule) {' + text + '\\n})';
const making = process.env.REHEARSE_MAKE_CODE_CACHE === '1';
let cachedData;
try {
  if (!making) cachedData = fs.readFileSync(cacheFile);
} catch {}
const script = new vm.Script(source, { filename: file, cachedData });
const exported = { exports: {} };
script.runInThisContext()(exported.exports, require, exported, file, __dirname, (name) => import(name));
if (making) {
  // Some programs are killed in the end, perhaps while they write: what they have compiled so far is kept now and then.
  const write = () => {
    fs.writeFileSync(cacheFile + '.tmp', script.createCachedData());
    fs.renameSync(cacheFile + '.tmp', cacheFile);
  };
  setInterval(write, 100).unref();
  process.on('exit', write);
}
`;
}

/**
 * Makes one file of each program in dist/, and beside it what V8 has compiled of it: a process that loads a hundred modules
 * one by one starts a tenth of a second later. What is not there or does not fit this Node is only slower, never wrong.
 *
 *   dist/bin/<program>.bundle.cjs   all modules of the program, packages included, as the body of one function
 *   dist/bin/<program>.cache        V8's code cache, made by a small run; `thread.here` is that of threads of the command itself
 *   dist/bin/<program>.cjs          what is executed: loads the first with the second
 *
 * The command has two bundles: `rehearse` is all of it, `run` the half that runs and resumes jobs, which are to start at once.
 * What starts its workers is a small one of its own, `start-ahead`, so that they start before the large one is looked at.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { childFlags } from '../dist/runtime/process/engine.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}dist/bin/`;
const programs = {
  rehearse: 'dist/cli/main.js',
  'child-main': 'dist/runtime/process/child-main.js',
  thread: 'dist/runtime/executor/thread.js',
};

/** Never called here, and long to load: grpc-js wants the first for channelz and ORCA, protobufjs the second for BigInts' sake. */
const withoutUnused = {
  name: 'without what is never called',
  setup(bundler) {
    bundler.onResolve({ filter: /^(@grpc\/proto-loader|long)$/ }, ({ path }) => ({
      path,
      namespace: 'unused',
    }));
    bundler.onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: '' }));
  },
};
/** Of the verbs only these; the loader does not ask this bundle for others. */
const onlyRuns = {
  name: 'only run and resume',
  setup(bundler) {
    bundler.onResolve({ filter: /^\./ }, ({ kind, path, importer }) => {
      const isVerb = kind === 'dynamic-import' && importer.endsWith('/dist/cli/main.js');
      const isOther = (isVerb && !path.startsWith('./run/')) || path.endsWith('/rehearsal/rehearse.js');
      return isOther ? { path, external: true } : undefined;
    });
  },
};
/** The processes that were started ahead are known to one module, which the command shares with its loader. */
const startedAhead = {
  name: 'started ahead',
  setup(bundler) {
    const path = './start-ahead.bundle.cjs';
    bundler.onResolve({ filter: /\/(start-ahead|child-process|start-thread)\.js$/ }, () => ({
      path,
      external: true,
    }));
  },
};

const { rehearse: command, ...children } = programs;
const outputFiles = [
  ...(await bundles({ 'start-ahead': 'dist/cli/start-ahead.js' }, [])),
  ...(await bundles(children, [withoutUnused])),
  ...(await bundles({ rehearse: command }, [withoutUnused, startedAhead])),
  ...(await bundles({ run: command }, [withoutUnused, startedAhead, onlyRuns])),
];
const roundsMax = 3;
const caches = ['run', 'thread.here', ...Object.keys(programs)].map((name) => `${folder}${name}.cache`);
const wanted = new Map([
  ...outputFiles.map(({ path, text }) => [path, ascii(withLater(asBody(path, text)))]),
  ...Object.keys(programs).map((name) => [`${folder}${name}.cjs`, loaderText(name)]),
]);
if (![...wanted].every(([path, text]) => isThere(path, text)) || !caches.every(existsSync)) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of wanted) writeFileSync(path, text, { mode: 0o755 });
  for (let round = 0; round < roundsMax && !caches.every(existsSync); round++) rehearse('make');
  for (const path of caches) rmSync(`${path}.tmp`, { force: true });
  for (const path of caches) if (!existsSync(path)) console.warn(`no code cache was made: ${path}`);
  rehearse('check');
  for (const path of caches)
    if (existsSync(`${path}.refused`)) console.warn(`V8 refuses its code cache: ${path}`);
}

async function bundles(entryPoints, plugins) {
  const { outputFiles } = await build({
    write: false,
    absWorkingDir: root,
    entryPoints,
    plugins,
    outdir: folder,
    outExtension: { '.js': '.bundle.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // Native code of their own, which finds its parts beside itself.
    external: ['esbuild', 'lz4-napi'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: {
      js:
        "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;\n" +
        "const loadedLater = (name) => new Proxy({}, { get: (_, key) => require('node:' + name)[key] });",
    },
    // A third less to read and to hold, and names stay: whoever reports a bug shows lines that can be found.
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: 'none',
    logLevel: 'error',
  });
  return outputFiles;
}

/** What the loader runs is a function, so that V8 takes the text as it was read: a text put together is copied once more. */
function asBody(path, text) {
  if (path.endsWith('/start-ahead.bundle.cjs')) return text;
  const body = text.replace(/^#!.*\n/, '').replace(/\bimport\(/g, 'importModule(');
  return `(function (exports, require, module, __filename, __dirname, importModule) {${body}\n})`;
}

/** Of Node's modules those that most programs never ask for anything are loaded when they do: 5 ms of each thread's start. */
function withLater(text) {
  return text.replace(
    /=\s*require\("(?:node:)?(child_process|dns|readline|fs\/promises|stream\/promises|v8)"\);/g,
    '=loadedLater("$1");',
  );
}

/** One letter outside of ASCII, if only in a comment, and V8 keeps the whole text in twice the space. */
function ascii(text) {
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(/[^\t\n\r -~]/g, escaped);
}

function isThere(path, text) {
  return existsSync(path) && readFileSync(path, 'utf8') === text;
}

/**
 * A run of a second or so, in which every program compiles what a run needs, and a simulation for the rest of the command:
 * to make the caches, or to check that V8 takes them: it does so only under the flags they were made under.
 */
function rehearse(what) {
  const scratch = mkdtempSync(join(tmpdir(), 'rehearse-build-'));
  try {
    writeFileSync(join(scratch, 'in.txt'), 'what a run needs\n'.repeat(200_000));
    perform(what, scratch, ['run', 'word-count', 'in.txt', '-w', '1', '-m', '4', '-o', 'out', '-q']);
    writeFileSync(join(scratch, 'small.txt'), 'what a small run needs\n'.repeat(400));
    perform(what, scratch, ['run', 'word-count', 'small.txt', '-o', 'small', '-q']);
    perform(what, scratch, ['sim', `${root}scenarios/worker-killed-mid-map.yaml`, '-q'], 'ignore');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function perform(what, cwd, args, stdout = 'inherit') {
  const { status } = spawnSync(process.execPath, [`${folder}rehearse.cjs`, ...args], {
    cwd,
    env: { ...process.env, REHEARSE_CODE_CACHE: what },
    stdio: ['inherit', stdout, 'inherit'],
  });
  if (status !== 0) throw new Error('the bundled program does not work');
}

/**
 * In plain CommonJS, for it is all that runs without a cache. What the bundle imports when it runs (the user's job, esbuild)
 * goes through this file, because a script from a code cache has no loader of its own.
 */
function loaderText(program) {
  return `#!/usr/bin/env node
'use strict';
${program === 'rehearse' ? "require('./start-ahead.bundle.cjs');" : ''}
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
${nameText(program)}
const file = path.join(__dirname, name + '.bundle.cjs');
const cacheFile = path.join(__dirname, name + ${kindText(program)}'.cache');
const making = process.env.REHEARSE_CODE_CACHE === 'make';
// A cache fits the flags under which it is made: those with which programs begin, and no thread may change them now.
if (making) require('node:v8').setFlagsFromString = () => {};
const script = compiled();
if (process.env.REHEARSE_CODE_CACHE === 'check' && script.cachedDataRejected) fs.writeFileSync(cacheFile + '.refused', '');
const exported = { exports: {} };
script.runInThisContext()(exported.exports, require, exported, file, __dirname, (name) => import(name));
function compiled() {
  // One room for both files: memory that is touched for the first time costs more than reading into it.
  const sizeOf = (path) => fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const room = Buffer.allocUnsafeSlow(Math.max(sizeOf(file), sizeOf(cacheFile)));
  const read = (path) => {
    const descriptor = fs.openSync(path);
    let bytes = 0;
    for (let more = 1; more > 0; bytes += more) more = fs.readSync(descriptor, room, bytes, room.length - bytes, null);
    fs.closeSync(descriptor);
    return room.subarray(0, bytes);
  };
  const source = read(file).latin1Slice();
  let cachedData;
  try {
    cachedData = read(cacheFile); // one that is made goes on from what was made before
  } catch {}
  // No path: a cache keeps the name under which it was made, and the program may lie elsewhere by now.
  return new vm.Script(source, { filename: 'rehearse:' + path.basename(file), cachedData });
}
if (making) {
  const write = () => {
    fs.writeFileSync(cacheFile + '.tmp', script.createCachedData());
    fs.renameSync(cacheFile + '.tmp', cacheFile);
  };
  // Children are killed in the end and threads stopped: what they have compiled so far is kept now and then.
  setInterval(write, 50).unref();
  process.on('exit', write);
${program === 'rehearse' ? patienceText() : ''}}
`;
}

/** Which bundle: a rehearsal needs all of it. */
function nameText(program) {
  if (program !== 'rehearse') return `const name = '${program}';`;
  return `const [verb, ...rest] = process.argv.slice(2);
const runs = (verb === 'run' || verb === 'resume') && !rest.some((flag) => flag.startsWith('--faults'));
const name = runs ? 'run' : 'rehearse';`;
}

/** Threads of a worker run under its flags, that of a small run under those of the command. */
function kindText(program) {
  const isWorkers = `${JSON.stringify(childFlags)}.every((flag) => process.execArgv.includes(flag))`;
  return program === 'thread' ? `(${isWorkers} ? '' : '.here') + ` : '';
}

/** Ends a child, or a thread of its own, only when it has written since, on a busy machine too. */
function patienceText() {
  return `  const { ChildProcess } = require('node:child_process');
  const { Worker } = require('node:worker_threads');
  const whenWritten = (names, end) => {
    const asked = Date.now();
    const written = names.map((name) => path.join(__dirname, name + '.cache'));
    const timer = setInterval(() => {
      const isWritten = written.every((file) => fs.existsSync(file) && fs.statSync(file).mtimeMs > asked);
      if (!isWritten && Date.now() < asked + 20_000) return;
      clearInterval(timer);
      end();
    }, 20);
  };
  const { kill } = ChildProcess.prototype;
  ChildProcess.prototype.kill = function (signal) {
    whenWritten(['child-main', 'thread'], () => kill.call(this, signal));
    return true;
  };
  const { terminate } = Worker.prototype;
  Worker.prototype.terminate = function () {
    return new Promise((resolve) => whenWritten(['thread.here'], () => resolve(terminate.call(this))));
  };
`;
}

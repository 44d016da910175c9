/**
 * `rehearse doctor`: is everything here that a run needs? Each check says what it found, and what to do about it.
 */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { loadEsbuild } from '../runtime/bundle/esbuild.js';
import { makeFolder } from '../runtime/make-folder.js';
import { openFilesMax } from '../runtime/open-files.js';
import { socketRoot } from '../runtime/run/socket-root.js';
import { versions } from '../runtime/versions.js';
import type { GlobalFlags } from './global-flags.js';
import { sayBytes } from './quantities.js';
import { dataDirectoryOf } from './run/run-id.js';
import { openTerminal } from './terminal.js';
import { exitCodes } from './user-error.js';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly next?: string;
}

export async function doctor(_args: string[], flags: GlobalFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const findings = [node(), cores(), limits(), dataDirectory(flags), await sockets(), await compiler()];
  if (flags.json) terminal.out(`${JSON.stringify({ findings })}\n`);
  else {
    for (const { check, ok, found, next } of findings) {
      terminal.out(`${ok ? 'ok  ' : 'BAD '} ${check.padEnd(9)} ${found}\n${next ? `       ${next}\n` : ''}`);
    }
  }
  return findings.every((finding) => finding.ok) ? exitCodes.yes : exitCodes.environment;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  const found = `Node ${process.versions.node}, rehearse ${versions().rehearse}, ${process.platform} ${process.arch}`;
  return { check: 'node', ok, found, ...(ok ? {} : { next: 'Rehearse needs Node 20.19 or later' }) };
}

function cores(): Finding {
  return {
    check: 'machine',
    ok: true,
    found: `${availableParallelism()} cores, ${sayBytes(freemem())} memory free`,
  };
}

/** Runs do with few, and are slower for it. */
function limits(): Finding {
  const files = openFilesMax();
  const found = Number.isFinite(files)
    ? `${files} files may be open at once`
    : 'any number of files may be open';
  return {
    check: 'limits',
    ok: true,
    found,
    ...(files < 256 ? { next: 'a higher limit helps: ulimit -n' } : {}),
  };
}

/** Can be written, and how much room there is. */
function dataDirectory(flags: GlobalFlags): Finding {
  const directory = dataDirectoryOf(flags.dataDir);
  try {
    makeFolder(directory);
    const probe = join(directory, `.probe-${process.pid}`);
    writeFileSync(probe, 'x');
    rmSync(probe);
    const { bavail, bsize } = statfsSync(directory);
    return { check: 'disk', ok: true, found: `${directory}: ${sayBytes(bavail * bsize)} free` };
  } catch (error) {
    const next = 'choose another place with --data-dir';
    return { check: 'disk', ok: false, found: `${directory}: ${(error as Error).message}`, next };
  }
}

/** Unix sockets carry every word between master and workers. */
async function sockets(): Promise<Finding> {
  const server = createServer();
  let directory: string | undefined;
  try {
    directory = mkdtempSync(join(socketRoot(), 'rehearse-'));
    const socket = join(directory, 'probe.sock');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
    return { check: 'sockets', ok: true, found: `Unix sockets work in ${directory}` };
  } catch (error) {
    return {
      check: 'sockets',
      ok: false,
      found: (error as Error).message,
      next: 'set TMPDIR to a folder on a local disk',
    };
  } finally {
    server.close();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** What compiles a job.ts. */
async function compiler(): Promise<Finding> {
  try {
    const { transform, version } = loadEsbuild();
    await transform('const x: number = 1', { loader: 'ts' });
    return { check: 'compiler', ok: true, found: `esbuild ${version}` };
  } catch (error) {
    return { check: 'compiler', ok: false, found: (error as Error).message, next: 'install again: npm ci' };
  }
}

/**
 * Runs a command as a whole process: wall time from start to exit, the CPU time of it and all it waited for, and the
 * resident memory of its largest process. GNU time does the accounting; without it only the wall time is known.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const GNU_TIME = '/usr/bin/time';
const hasGnuTime = process.platform === 'linux' && existsSync(GNU_TIME);

/**
 * What the owner of a machine tells every program of Node is no part of a contest. With more authorities to trust, Node 20 reads
 * all of them when it starts, which takes longer than `node -e 0`.
 */
const { NODE_EXTRA_CA_CERTS, NODE_OPTIONS, ...environment } = process.env;

/**
 * `{ command, cwd?, env?, stdout? }`: `stdout` is a file. Returns `{ wallSeconds, cpuSeconds, peakBytes }`; throws with
 * what the command said when it fails.
 */
export async function runMeasured({ command, cwd, env, stdout }, scratch, watch = undefined) {
  const accounting = join(scratch, 'accounting');
  const words = hasGnuTime ? [GNU_TIME, '-q', '-f', '%U %S %M', '-o', accounting, ...command] : command;
  const out = stdout === undefined ? 'ignore' : openSync(stdout, 'w');
  const begin = performance.now();
  const child = spawn(words[0], words.slice(1), {
    cwd,
    env: { ...environment, ...env },
    stdio: ['ignore', out, 'pipe'],
    detached: true,
  });
  const release = endWithUs(child.pid);
  let complaints = '';
  child.stderr.on('data', (bytes) => (complaints = (complaints + bytes).slice(-2000)));
  const stopWatching = watch?.(child.pid);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...how) => resolve(how));
  });
  const wallSeconds = (performance.now() - begin) / 1000;
  stopWatching?.();
  release();
  if (out !== 'ignore') closeSync(out);
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${signal ?? code}\n${complaints}`);
  if (!hasGnuTime) return { wallSeconds, cpuSeconds: null, peakBytes: null };
  const [user, system, kibibytes] = readFileSync(accounting, 'utf8').trim().split(/\s+/).map(Number);
  return { wallSeconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
}

/** When we are told to end, so is the whole group of processes; returns the function that forgets about it. */
function endWithUs(group) {
  const end = (signal) => {
    process.kill(-group, signal);
    process.exit(1);
  };
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

/**
 * Looks at the processes below `root` every few milliseconds; returns the function that ends it. Costs CPU time, so it
 * belongs to runs whose time does not count. `peaks` receives the high-water marks in bytes by the process's title.
 */
export function watchPeaks(root, peaks) {
  if (process.platform !== 'linux') return () => undefined;
  const timer = setInterval(() => samplePeaks(root, peaks), 25);
  return () => clearInterval(timer);
}

function samplePeaks(root, peaks) {
  const below = new Set([root]);
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const id of processes.map(Number).sort((a, b) => a - b)) {
    try {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      if (!below.has(Number(/^PPid:\s+(\d+)/m.exec(status)[1]))) continue;
      below.add(id);
      const title = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 60);
      const name = /^rehearse /.test(title) ? title : 'the command';
      const bytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)[1]) * 1024;
      peaks.set(name, Math.max(peaks.get(name) ?? 0, bytes));
    } catch {
      // it ended while we looked
    }
  }
}

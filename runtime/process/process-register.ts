/**
 * Which processes a run has started. A run that was killed with -9 may leave one behind that cannot end by itself (a
 * stopped one); whoever resumes the run makes certain that all of them are gone before it trusts the files.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunLayout } from '../node/layout.js';

function registerPath(layout: RunLayout): string {
  return join(layout.root, 'processes');
}

export function recordProcess(layout: RunLayout, pid: number): void {
  appendFileSync(registerPath(layout), `${pid} ${birth(pid) ?? ''}\n`);
}

/** Kills what is still alive of a former start of this run, and waits until it is gone. Returns how many there were. */
export async function killLeftovers(layout: RunLayout): Promise<number> {
  let killed = 0;
  for (const { pid, born } of readRegister(layout)) {
    if (pid === process.pid || born === '' || birth(pid) !== born) continue; // gone, or the number is another's now
    process.kill(pid, 'SIGKILL');
    killed++;
    while (birth(pid) === born) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return killed;
}

/** A process of a former start that is alive and is the command itself: the run is still going on. */
export function readRegister(layout: RunLayout): { pid: number; born: string }[] {
  try {
    return readFileSync(registerPath(layout), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [pid, born] = line.split(' ');
        return { pid: Number(pid), born: born ?? '' };
      });
  } catch {
    return [];
  }
}

/**
 * What tells a process from a later one with the same number: when it began, in clock ticks since boot. Undefined when
 * there is no such process, or it is only waiting to be reaped. Without /proc (macOS) the number alone must do.
 */
export function birth(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    if (process.platform === 'linux') return undefined;
    try {
      process.kill(pid, 0);
      return 'alive';
    } catch {
      return undefined;
    }
  }
}

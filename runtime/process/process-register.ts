/**
 * Which processes a run has started. A run that was killed with -9 may leave one behind that cannot end by itself (a
 * stopped one); whoever resumes the run makes certain that all of them are gone before it trusts the files.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import type { RunLayout } from '../node/layout.js';

type Part = 'command' | 'child';

interface Registered {
  readonly part: Part;
  readonly pid: number;
  readonly born: string;
}

export function recordProcess(layout: RunLayout, part: Part, pid: number): void {
  appendFileSync(layout.processes, `${part} ${pid} ${birth(pid) ?? ''}\n`);
}

/**
 * Makes this process the command that works on the run. Returns the one that already does, if there is one: of two that
 * begin at once, the first in the register.
 */
export function claimRun(layout: RunLayout): number | undefined {
  recordProcess(layout, 'command', process.pid);
  const register = readRegister(layout);
  const born = birth(process.pid) ?? '';
  const own = register.findIndex((one) => one.pid === process.pid && one.born === born);
  return register.slice(0, own).find((one) => one.part === 'command' && isAlive(one))?.pid;
}

/** Kills what is still alive of a former start of this run, and waits until it is gone. */
export async function killLeftovers(layout: RunLayout): Promise<void> {
  for (const child of readRegister(layout).filter((one) => one.part === 'child' && isAlive(one))) {
    process.kill(child.pid, 'SIGKILL');
    while (isAlive(child)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether the process lives, and its number is not another's by now. */
function isAlive({ pid, born }: Registered): boolean {
  return pid !== process.pid && born !== '' && birth(pid) === born;
}

function readRegister(layout: RunLayout): Registered[] {
  try {
    const lines = readFileSync(layout.processes, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => {
      const [part, pid, born] = line.split(' ');
      return { part: part as Part, pid: Number(pid), born: born ?? '' };
    });
  } catch {
    return [];
  }
}

/**
 * What tells a process from a later one with the same number: when it began. Undefined when there is no such process, or
 * it is only waiting to be reaped.
 */
function birth(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') return birthByPs(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19]; // state, and clock ticks since boot
  } catch {
    return undefined;
  }
}

function birthByPs(pid: number): string | undefined {
  const [state = '', ...began] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/\s+/);
  return state === '' || state.startsWith('Z') ? undefined : began.join('-');
}

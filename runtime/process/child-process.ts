/**
 * Processes of children. One can be started before it is known what it is to do: it then loads its program while its
 * parent still reads flags and looks at inputs, and gets its setup later.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { programPath } from '../installation.js';
import { type ChildCode, childEnvironment, childFlags, variablesOfEngine } from './engine.js';

const program = programPath('runtime/process', 'child-main');

/** Started, and not yet given anything to do. None of them keeps the parent alive. */
const waiting: ChildProcess[] = [];

/** One that hangs in the start of its engine, where there may not be so many threads, does not hear that its parent has ended. */
function killWaiting(): void {
  for (const child of waiting) child.kill('SIGKILL');
}

/** Starts a process ahead. It ends with its parent, whether or not it was needed. */
export function startChildAhead(code: ChildCode): void {
  if (waiting.length === 0) process.once('exit', killWaiting);
  const child = spawnChild(code, 'ahead');
  child.on('error', () => {}); // who needs one is told when it cannot be started then, either
  if (child.pid === undefined) return;
  for (const handle of handlesOf(child)) handle.unref();
  waiting.push(child);
}

/** A process that waits for its setup: one that was started ahead, if there is any. */
export function takeChild(): ChildProcess {
  const child = waiting.shift();
  if (!child?.connected) return spawnChild("a user's", 'now');
  for (const handle of handlesOf(child)) handle.ref();
  return child;
}

function spawnChild(code: ChildCode, when: 'ahead' | 'now'): ChildProcess {
  return spawn(process.execPath, [...childFlags, program, when, ...Object.keys(variablesOfEngine)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'],
    env: childEnvironment(code),
  });
}

/** Whatever of a child keeps this process alive. */
function handlesOf(child: ChildProcess): { ref(): void; unref(): void }[] {
  const pipes = child.stdio.filter((pipe) => pipe !== null && pipe !== undefined) as unknown as Socket[];
  return [child, ...pipes, ...(child.channel ? [child.channel] : [])];
}

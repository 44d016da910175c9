import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runLayout } from '../../../runtime/node/layout.js';
import { claimRun, killLeftovers, recordProcess } from '../../../runtime/process/process-register.js';
import { temporaryDirectory } from '../data/temporary.js';

function newRun() {
  const layout = runLayout(temporaryDirectory(), 'run');
  mkdirSync(layout.root, { recursive: true });
  return layout;
}

/** A process that lives until the test ends, or somebody kills it. */
function another(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['600']);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child as ChildProcess & { pid: number };
}

describe('of two commands that take up one run', () => {
  it('the one that was there first goes on, and the other is told of it', async () => {
    const layout = newRun();
    const first = another();
    recordProcess(layout, 'command', first.pid);
    expect(claimRun(layout)).toBe(first.pid);
    first.kill('SIGKILL');
    await new Promise((resolve) => first.once('exit', resolve));
    expect(claimRun(layout)).toBeUndefined();
  });

  it('the second one does not stop the first, whenever that looks', async () => {
    const layout = newRun();
    expect(claimRun(layout)).toBeUndefined();
    const [second, child] = [another(), another()];
    recordProcess(layout, 'command', second.pid);
    recordProcess(layout, 'child', child.pid);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    expect(claimRun(layout)).toBeUndefined();
    await killLeftovers(layout);
    await gone;
    expect(second.exitCode ?? second.signalCode).toBeNull();
  });
});

/**
 * Where an attempt's file lies, and how all that an attempt wrote is removed: every name it uses begins with its own.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptId } from '../../core/ids.js';
import { attemptFileName } from '../node/layout.js';

/** Map attempts lie in the run's work folder, reduce attempts beside the output, on its file system. */
export function mapFile(workDirectory: string, attempt: AttemptId): string {
  return join(workDirectory, attemptFileName(attempt, attempt.task + 1));
}

export function reduceFile(attemptsDirectory: string, attempt: AttemptId, maps: number): string {
  return join(attemptsDirectory, attemptFileName(attempt, maps));
}

/** Removes what an attempt that ended without a result may have left: its file, and whatever is named after it. */
export function forgetAttempt(task: { attempt: AttemptId; maps: number }, directory: string): void {
  const name = attemptFileName(task.attempt, task.maps);
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch {
    return; // it is gone, or cannot be read now: what is left goes with the run's work
  }
  for (const entry of entries) {
    const own = entry === name || entry.startsWith(`${name}.`);
    if (own) rmSync(join(directory, entry), { recursive: true, force: true });
  }
}

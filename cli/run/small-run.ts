/**
 * Runs that are over before a second process has begun: a small input, and a job of ours. The command is the only worker
 * itself then, with master, journal and trace as ever; the task has a thread of its own.
 *
 * Nothing else may run here: what a user wrote can end the process that it runs in.
 */
import type { RunIngredients } from './prepare.js';

/** Inputs of so many bytes are one split, and take a few milliseconds. */
export const smallBytesMax = 256 * 1024;

/** What speaks against it on a command line, for a guess before flags are read: workers are to have processes. */
export const forProcesses =
  /^(-w|--workers|--slots|-m|--map-tasks|--split-size|--heap|--standby|--private-data)/;

/** Whether the command is to be the only worker itself. */
export function isSmallRun({ prepared, plan, settings, flags }: RunIngredients): boolean {
  return (
    prepared.bundle === undefined &&
    prepared.commands === undefined &&
    plan.splits.length === 1 &&
    plan.files.every(({ compression }) => compression === 'none') &&
    plan.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= smallBytesMax &&
    flags.workers === undefined &&
    settings.slots === 1 &&
    settings.standbys === 0 &&
    !flags.privateData
  );
}

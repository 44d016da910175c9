/**
 * What the engine does by itself for programs that run for minutes, and what costs more than it gains here.
 *
 * Flags count for the whole process, threads included. They are set when a program has loaded its code, because they are
 * part of what a code cache is for. Later engines than that of Node 20 judge in other ways.
 */
import { setFlagsFromString } from 'node:v8';

/** Four times what it is by itself: code that is really hot reaches it some milliseconds later. */
const interruptBudgetBytes = 528 * 1024;

/**
 * Makes the best code of what runs often later than by itself: a run of ten thousand tasks spent an eighth of its processor
 * time on that, in five engines at once.
 */
export function tierUpLater(): void {
  set(`--interrupt-budget=${interruptBudgetBytes}`);
}

/**
 * The space of young objects grows no more: a master throws away at once nearly all it makes, and needs no 32 MiB for
 * that. Called before inputs are planned, for a long list of them would make it grow. Not for a process that runs user
 * code; and a thread that is started lets it grow again.
 */
export function keepYoungSmall(): void {
  set('--semi-space-growth-factor=1');
}

function set(flag: string): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(flag);
}

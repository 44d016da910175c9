/**
 * What the engine does by itself for programs that run for minutes, and what costs more than it gains here. Flags count
 * for the whole process, threads included. Later engines than that of Node 20 judge in other ways, and are left alone.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * The space of young objects grows no more: a master throws away at once nearly all it makes, and needs no 32 MiB for
 * that. Called before inputs are planned, for a long list of them would make it grow. Not for a process that runs user
 * code; and a thread that is started lets it grow again.
 */
export function keepYoungSmall(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * With what flags a child begins. There are as many workers as cores: threads that help one of them collect garbage take
 * their time from another, and wait for each other in between. And young objects get 4 MiB of space, here and in executors.
 */
export const childFlags: readonly string[] = [
  '--enable-source-maps',
  '--single-threaded-gc',
  '--max-semi-space-size=4',
];

/**
 * The environment of a child. Left to itself, glibc keeps what a thread gives back for that very thread, which costs a worker
 * 12 MiB. A user who has set this knows better.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  return { MALLOC_ARENA_MAX: '1', ...process.env };
}

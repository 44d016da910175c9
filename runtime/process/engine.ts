/**
 * What the engine does by itself for programs that run for minutes, and what costs more than it gains here. Flags count
 * for the whole process, threads included. Later engines than that of Node 20 judge in other ways, and are left alone.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * The space of young objects grows no more, and that of old ones by half at a time. For who throws away at once nearly all it
 * makes: a master, called before inputs are planned, for a long list of them would make it grow; a worker whose attempts
 * are over in milliseconds. A thread that is started lets young space grow again.
 */
export function keepHeapsSmall(): void {
  setHeapGrowth(1, 50);
}

/**
 * What `load` imports is loaded under the flags that this process began with: under others V8 refuses what Node has compiled
 * beforehand of its own modules, and those of the network alone take 25 ms longer. Then heaps are kept small.
 */
export async function loadThenKeepHeapsSmall<T>(load: () => Promise<T>): Promise<T> {
  setHeapGrowth(2, 0); // the engine's own
  try {
    return await load();
  } finally {
    keepHeapsSmall();
  }
}

function setHeapGrowth(semiSpaceFactor: number, oldSpacePercent: number): void {
  if (!process.versions.v8.startsWith('11.')) return;
  setFlagsFromString(`--semi-space-growth-factor=${semiSpaceFactor}`);
  setFlagsFromString(`--heap-growing-percent=${oldSpacePercent}`);
}

/**
 * With what flags a child begins. There are as many workers as cores: threads that help one of them collect garbage take
 * their time from another, and wait for each other in between. Not every flag will do: under some of them V8 refuses what
 * Node has compiled beforehand of itself, and each start takes 40 ms longer.
 */
export const childFlags: readonly string[] = ['--enable-source-maps', '--single-threaded-gc'];

/**
 * Variables that are for the engine of a child alone, and for no program that it starts. Left to itself, glibc keeps what a
 * thread gives back for that very thread, which costs a worker 12 MiB. A user who has set this knows better.
 */
export const variablesOfEngine: Readonly<Record<string, string>> =
  process.env.MALLOC_ARENA_MAX === undefined ? { MALLOC_ARENA_MAX: '1' } : {};

/** Whose code a child will run: a user's may speak to anybody, ours to its parent alone. */
export type ChildCode = 'ours' | "a user's";

/** The environment of a child. With more authorities to trust, Node 20 reads all of them when it starts: 40 ms of work. */
export function childEnvironment(code: ChildCode): NodeJS.ProcessEnv {
  const environment = { ...process.env, ...variablesOfEngine };
  if (code === 'ours') delete environment.NODE_EXTRA_CA_CERTS;
  return environment;
}

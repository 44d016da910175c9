/**
 * Runs before everything else: a command that is going to need workers starts their processes now, which are ready when
 * the command knows what it is to do; or, where it will be the only worker itself, a thread. A command that turns out wrong
 * takes them along when it ends.
 *
 * Bundled on its own (scripts/bundle.mjs), to run before the rest is even read: it imports no more than it needs.
 */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { startThreadAhead } from '../runtime/executor/start-thread.js';
import { startChildAhead } from '../runtime/process/child-process.js';
import type { ChildCode } from '../runtime/process/engine.js';
import { forProcesses, smallBytesMax } from './run/small-run.js';

/** For the rest of the command, which shares what was started. */
export { dropThreadAhead, isThreadAhead, startThread, takeThread } from '../runtime/executor/start-thread.js';
export { takeChild } from '../runtime/process/child-process.js';

const [verb, ...rest] = process.argv.slice(2);
/** With these, nothing is started. */
const idle = /^(--help|-h|--dry-run|--sequential|--faults(=.*)?)$/;
const isIdle = (word: string): boolean => idle.test(word);

if (verb === 'run' && isSmall(rest)) startThreadAhead();
else if ((verb === 'run' && rest.length > 1 && !rest.some(isIdle)) || verb === 'resume')
  for (let workers = workersAsked(rest); workers > 0; workers--) startChildAhead(codeOf(rest[0]));

/** A job by a mere name is built in; whatever may be anything else is a user's. */
function codeOf(job = ''): ChildCode {
  const isBuiltIn = verb === 'run' && /^[a-z]+(-[a-z]+)*$/.test(job) && !existsSync(job);
  return isBuiltIn && !rest.some((word) => word.startsWith('--mapper')) ? 'ours' : "a user's";
}

/** As many as the command line says, but no more than can start at once; else one, which does for a small input. */
function workersAsked(words: readonly string[]): number {
  const at = words.findIndex((word) => /^(-w|--workers=?)\d*$/.test(word));
  const asked = Number(/\d+$/.exec(words[at] ?? '')?.[0] ?? words[at + 1]);
  return at >= 0 && asked >= 1 ? Math.min(asked, availableParallelism()) : 1;
}

/** Whether it looks as if one worker will do, in this process: see small-run.ts. Wrong guesses cost time, and nothing else. */
function isSmall([job, ...words]: readonly string[]): boolean {
  if (codeOf(job) !== 'ours' || words.some((word) => isIdle(word) || forProcesses.test(word))) return false;
  let bytes = 0;
  for (const [index, word] of words.entries()) {
    if (/^(-o|--output|--data-dir)$/.test(words[index - 1] ?? '')) continue;
    if (/[*?[{]|\.(gz|zst|lz4)$/.test(word) || word === '-') return false;
    bytes += bytesOf(word);
  }
  return bytes > 0 && bytes <= smallBytesMax;
}

/** Nothing where nothing of that name is, or the word means something else; endless where nobody can tell. */
function bytesOf(word: string): number {
  try {
    const found = statSync(word, { throwIfNoEntry: false });
    return found?.isDirectory() ? Number.POSITIVE_INFINITY : (found?.size ?? 0);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Runs before everything else: a command that is going to need workers starts their processes now, which are ready when
 * the command knows what it is to do. A command that turns out wrong takes them along when it ends.
 *
 * Bundled on its own (scripts/bundle.mjs), to run before the rest is even read: it imports no more than it needs.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { startChildAhead } from '../runtime/process/child-process.js';
import type { ChildCode } from '../runtime/process/engine.js';

/** For the rest of the command, which shares the list of these processes. */
export { takeChild } from '../runtime/process/child-process.js';

const [verb, ...rest] = process.argv.slice(2);
/** With these, nothing is started. */
const idle = ['--help', '-h', '--dry-run', '--sequential', '--faults'];

if ((verb === 'run' && rest.length > 1 && !rest.some((flag) => idle.includes(flag))) || verb === 'resume')
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

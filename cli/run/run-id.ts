/**
 * Names for runs: when it began, and four letters so that two at once differ. They sort by time and are short to say.
 */
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type RunLayout, runLayout } from '../../runtime/node/layout.js';
import { UserError } from '../user-error.js';

export function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const letters = Array.from({ length: 4 }, () => 'abcdefghijkmnpqrstuvwxyz'[randomInt(24)]).join('');
  return `${stamp}-${letters}`;
}

/** Where runs and findings are kept, as the user names it. */
export function dataDirectoryNamed(flag: string | undefined): string {
  return flag ?? process.env.REHEARSE_DATA_DIR ?? '.rehearse';
}

export function dataDirectoryOf(flag: string | undefined): string {
  return resolve(dataDirectoryNamed(flag));
}

/** A run by its id, an unambiguous beginning of it, `last`, or its folder. */
export function findRun(name: string, dataDirectory: string): { layout: RunLayout; dataDirectory: string } {
  if (/[/\\]/.test(name) && existsSync(join(name, 'run.json'))) {
    const root = resolve(name);
    const home = resolve(root, '..', '..');
    return { layout: runLayout(home, basename(root)), dataDirectory: home };
  }
  const ids = existsSync(join(dataDirectory, 'runs')) ? readdirSync(join(dataDirectory, 'runs')).sort() : [];
  const matching = name === 'last' ? ids.slice(-1) : ids.filter((id) => id.startsWith(name));
  if (matching.length === 1) return { layout: runLayout(dataDirectory, matching[0]!), dataDirectory };
  throw new UserError({
    code: 'R001',
    what:
      matching.length === 0
        ? `there is no run "${name}"`
        : `"${name}" is the beginning of ${matching.length} runs`,
    where: join(dataDirectory, 'runs'),
    next: ids.length === 0 ? 'no run has been made here yet' : `the last one is ${ids.at(-1)}`,
  });
}

/**
 * Names for runs: when it began, to the millisecond, and four letters so that two at once differ. They sort by time, those
 * of former versions among them, whose time ends with the second.
 */
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { suggest } from '../../jobs/suggest.js';
import { type RunLayout, runLayout } from '../../runtime/node/layout.js';
import { UserError } from '../user-error.js';

/** Day, time of day, and milliseconds unless a former version has made it. */
const idPattern = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(\d{3})?-[a-z]{4}$/;

/** A name behind those of all runs that are there, even where the clock was put back or two begin in one millisecond. */
export function newRunId(dataDirectory: string, now = Date.now()): string {
  const newest = newestOf(runsSeenIn(dataDirectory));
  const began = new Date(newest === undefined ? now : Math.max(now, lastMsOf(newest) + 1));
  const stamp = began
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .replace('T', '-');
  const letters = Array.from({ length: 4 }, () => 'abcdefghijkmnpqrstuvwxyz'[randomInt(24)]).join('');
  return `${stamp}-${letters}`;
}

/** Of sorted names; whatever else lies there is no run. */
function newestOf(names: readonly string[]): string | undefined {
  return names.findLast((name) => !Number.isNaN(lastMsOf(name)));
}

/** The last millisecond in which the run can have begun; NaN for a name that is no run's. */
function lastMsOf(id: string): number {
  const match = idPattern.exec(id);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second, ms = '999'] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}

function runsIn(dataDirectory: string): string[] {
  const runs = join(dataDirectory, 'runs');
  return existsSync(runs) ? readdirSync(runs).sort() : [];
}

function runsSeenIn(dataDirectory: string): string[] {
  try {
    return runsIn(dataDirectory);
  } catch {
    return []; // whoever makes the run's folder says what is wrong with the place
  }
}

/** Where runs and findings are kept, as the user names it. */
export function dataDirectoryNamed(flag: string | undefined): string {
  return flag ?? process.env.REHEARSE_DATA_DIR ?? '.rehearse';
}

export function dataDirectoryOf(flag: string | undefined): string {
  return resolve(dataDirectoryNamed(flag));
}

/**
 * Whether more was left than what a command that was killed had written while it planned: a request, or the output of a run
 * that had none (`--sequential`).
 */
function isBegun({ request, output }: RunLayout): boolean {
  return existsSync(request) || existsSync(output);
}

/** A run by its id, an unambiguous beginning of it, `last`, or its folder. `last` and beginnings pass over what was never begun. */
export function findRun(name: string, dataDirectory: string): { layout: RunLayout; dataDirectory: string } {
  if (/[/\\]/.test(name) && existsSync(join(name, 'run.json'))) {
    const root = resolve(name);
    const home = resolve(root, '..', '..');
    return { layout: runLayout(home, basename(root)), dataDirectory: home };
  }
  const names = runsIn(dataDirectory);
  const begun = names.filter((one) => one === name || isBegun(runLayout(dataDirectory, one)));
  const newest = newestOf(begun);
  const wanted = name === 'last' ? newest : name;
  const matching = wanted === undefined ? [] : begun.filter((one) => one.startsWith(wanted));
  if (matching.length === 1) return { layout: runLayout(dataDirectory, matching[0]!), dataDirectory };
  throw new UserError({
    code: 'R001',
    what:
      matching.length === 0
        ? `there is no run "${name}"`
        : `"${name}" is the beginning of ${matching.length} runs`,
    where: join(dataDirectory, 'runs'),
    next: nextWithout(name, newest),
  });
}

function nextWithout(name: string, newest: string | undefined): string {
  if (newest === undefined) return 'no run has been made here yet';
  const isMisspelt = suggest(name, ['last']) !== undefined;
  return isMisspelt ? `did you mean "last"? it is ${newest}` : `the last one is ${newest}`;
}

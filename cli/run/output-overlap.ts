/**
 * What an output may not share a place with. It appears as a whole, and with `--overwrite` takes the place of all that lies
 * there: the run's own journal, the job or the folder in which the user is must not be among that.
 */
import { existsSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { isWithin, realPathOf } from '../../runtime/data/real-path.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import type { JobCode } from '../../runtime/node/work-order.js';
import { UserError } from '../user-error.js';

export interface WantedOutput {
  /** Absolute. */
  readonly output: string;
  /** As the user would say it. */
  readonly said: string;
  readonly layout: RunLayout;
  /** Files of the user's that the job is made of; relative ones to the current folder. */
  readonly sources: readonly string[];
}

/** Throws UserError where the output would take along, or get into, what is not its own. */
export function refuseOverlap({ output, said, layout, sources }: WantedOutput): void {
  const place = realPathOf(output);
  if (isWithin(place, realPathOf(layout.root))) return; // the run's own folder has a place for it
  const data = realPathOf(dirname(dirname(layout.root)));
  const holds = (path: string): string | undefined =>
    path === place ? 'is' : isWithin(path, place) ? 'holds' : undefined;
  const ofData = holds(data) ?? (isWithin(place, data) ? 'lies in' : undefined);
  if (ofData !== undefined) {
    throw overlap(`${ofData} the data directory`, said, ', or for runs with --data-dir');
  }
  const ofCurrent = holds(realPathOf(process.cwd()));
  if (ofCurrent !== undefined) throw overlap(`${ofCurrent} the current folder`, said);
  if (!existsSync(place)) return;
  for (const source of sources) {
    if (existsSync(source) && holds(realPathOf(source)) === 'holds')
      throw overlap(`holds ${relative(process.cwd(), source)}, of which the job is made`, said);
  }
}

function overlap(how: string, said: string, otherwise = ''): UserError {
  return new UserError({
    code: 'U045',
    what: `the output ${how}`,
    where: said,
    why: 'an output is a folder of its own, which appears and is replaced as a whole',
    next: `choose another place for it with -o${otherwise}`,
  });
}

/** Words of a command line, without the quotes and signs of a shell. */
const shellWords = /"([^"]*)"|'([^']*)'|[^\s"'`;|&<>()]+/g;

/** The files of the user's that a job is made of, as far as they can be told: any word of a program may be one. */
export function sourcesOf(job: string, code: JobCode): string[] {
  if (code.kind === 'builtin') return [];
  if (code.kind === 'bundle') return [job];
  const { mapper, combiner = '', reducer = '' } = code.commands;
  return [mapper, combiner, reducer].flatMap((command) =>
    [...command.matchAll(shellWords)].map(([word, double, single]) => double ?? single ?? word),
  );
}

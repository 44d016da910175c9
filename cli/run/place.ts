/**
 * Where a run and its output go, and what is said when they cannot go there.
 */
import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../../runtime/data/disk.js';
import { isForManyOpen } from '../../runtime/data/errors.js';
import { lookAtOutput, workspacePath } from '../../runtime/data/publish.js';
import { runLayout } from '../../runtime/node/layout.js';
import { removeTree } from '../../runtime/remove-tree.js';
import type { GlobalFlags } from '../global-flags.js';
import { placeRefusalOf, surroundingsError } from '../surroundings.js';
import { exitCodes, UserError } from '../user-error.js';
import type { RunFlags } from './flags.js';
import { refuseOverlap, type WantedOutput } from './output-overlap.js';

export interface RunPlace {
  readonly dataDirectory: string;
  readonly runId: string;
  /** The output directory, absolute. */
  readonly output: string;
  readonly toStdout: boolean;
}

/** Where this run and its output go. Nothing is created yet. */
export async function placeRun(
  flags: RunFlags & GlobalFlags,
  {
    dataDirectory,
    runId,
    sources,
  }: Pick<RunPlace, 'dataDirectory' | 'runId'> & Pick<WantedOutput, 'sources'>,
): Promise<RunPlace> {
  if (flags.output === '') {
    throw new UserError({ code: 'O004', what: 'the name of the output is empty', where: '-o' });
  }
  const toStdout = flags.output === '-';
  if (toStdout && flags.json) {
    throw new UserError({
      code: 'O005',
      what: 'standard output cannot take both the output and the JSON document',
      where: '-o -',
      next: 'leave -o - away: the document names the folder of the output',
    });
  }
  const layout = runLayout(dataDirectory, runId);
  const output = flags.output === undefined || toStdout ? layout.output : resolve(flags.output);
  refuseOverlap({ output, said: flags.output ?? output, layout, sources });
  const found = await lookAtOutput(output).catch((error: unknown) => {
    throw placeError(error);
  });
  if (found === 'not-a-directory') throw notAFolder(output, flags.output);
  if (found === 'occupied' && !flags.overwrite) {
    throw new UserError({
      code: 'O001',
      what: 'the output exists',
      where: flags.output,
      next: 'give another place with -o, or --overwrite to replace it as a whole',
    });
  }
  return { dataDirectory, runId, output, toStdout };
}

/** A link is no folder either: the output comes by a rename, which would have to take the link away. */
function notAFolder(output: string, where: string | undefined): UserError {
  const target = readLink(output);
  return new UserError({
    code: 'O002',
    what: `the output ${target === undefined ? 'exists and is not a folder' : 'is a symbolic link'}`,
    where,
    why: target === undefined ? undefined : `it leads to ${target}`,
    next:
      target === undefined
        ? 'give another place with -o'
        : 'name the folder itself with -o, or another place',
  });
}

/** To what a link leads; undefined for what is none. */
function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Leaves nothing of a run that was not begun. */
export function clearPlace({ dataDirectory, runId, output }: RunPlace): void {
  for (const path of [workspacePath(output, runId), runLayout(dataDirectory, runId).root]) {
    try {
      removeTree(path);
    } catch {
      // Where nothing could be made there is nothing to remove.
    }
  }
}

/** A disk that refuses is the surroundings' mistake; anything else goes through. */
export function placeError(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  if (isForManyOpen(error)) return surroundingsError(error); // in any place
  const { path, message } = error as NodeJS.ErrnoException;
  return new UserError({
    code: 'E002',
    what: `the run cannot be written down: ${placeRefusalOf(errno) ?? message}`,
    where: path,
    next: 'choose another place for the output with -o, or for the run with --data-dir',
    exit: exitCodes.environment,
  });
}

/** A run whose own files are gone or damaged: nothing that its job or Rehearse did, and what is left to do about it. */
import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import { errnoOf } from '../../runtime/data/disk.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import { SocketsGoneError } from '../../runtime/process/sockets-gone.js';
import { isStoreDamage } from '../../runtime/store/damage.js';
import { exitCodes, UserError } from '../user-error.js';
import { sayRun } from './prepare.js';

const anew = 'start the job anew: rehearse run …';

/** The error that tells the user; undefined when nothing of the run's is to blame. */
export function damageError(error: unknown, layout: RunLayout): UserError | undefined {
  const resume = `rehearse resume ${sayRun(layout)}`;
  if (error instanceof SocketsGoneError) {
    return new UserError({
      code: 'E007',
      what: 'the folder of the run’s sockets is gone: its processes cannot reach each other any more',
      where: error.path,
      why: 'what tidies up temporary folders may have removed it; TMPDIR names another place',
      next: `to go on: ${resume}`,
      exit: exitCodes.environment,
    });
  }
  if (isStoreDamage(error))
    return storeDamage('the store of the run is damaged', error.message, layout, resume);
  if (errnoOf(error) !== 'ENOENT') return undefined;
  const { path, message } = error as NodeJS.ErrnoException;
  if (!path?.startsWith(layout.root + sep)) return undefined;
  return storeDamage('files of the run are gone', message, layout, resume, path);
}

function storeDamage(
  what: string,
  why: string,
  layout: RunLayout,
  resume: string,
  where = layout.root,
): UserError {
  const next = existsSync(layout.request) ? `bring back what was there, then: ${resume}; or ${anew}` : anew;
  return new UserError({ code: 'E001', what, where, why, next, exit: exitCodes.environment });
}

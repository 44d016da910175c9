/** What a job's code threw, in the words of `check`. */
import { UserCodeError } from '../../runtime/data/errors.js';
import { resultOfError } from '../../runtime/executor/failure.js';

/** `Error: bad line at job.ts:5:31`. `directory` is where the job's code was loaded from. */
export function thrownText(error: unknown, directory: string): string {
  const result = resultOfError(new UserCodeError({}, error), [], directory);
  if (result.type !== 'broke') throw error;
  const { message, frame } = result.failure;
  return frame === undefined ? message : `${message} at ${frame}`;
}

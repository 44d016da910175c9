/**
 * How the command comes to its end. Code of the user's may run in this process (what a job does while it is loaded, `check`,
 * `--sequential`), and such code can end the process, wait for what
 * never comes, or throw where nobody listens. Whatever it does: without an answer the command does not end as if all were well.
 */
import { userFrame } from '../runtime/bundle/user-frame.js';
import { exitCodes, UserError } from './user-error.js';

let answered = false;
/** Where the user's code that runs in this process was unpacked. */
let hosted: string | undefined;
const clearings = new Set<() => void>();

/** The command has its answer: it may end from here on. */
export function answer(): void {
  answered = true;
}

/** Ends the process at once, on purpose. */
export function leave(code: number): never {
  answer();
  process.exit(code);
}

/** Ends the process at once, on purpose and without an answer. */
export function leaveUnanswered(code: number): never {
  clearUp();
  leave(code);
}

function clearUp(): void {
  for (const clear of clearings) clear();
}

/** From here on code of the user's, unpacked in this folder, runs in this process too. */
export function hostUserCode(directory: string): void {
  hosted = directory;
}

export function hostsUserCode(): boolean {
  return hosted !== undefined;
}

/** To be done, at once, should the command end without an answer. The returned function says that it is not to be done any more. */
export function onNoAnswer(clear: () => void): () => void {
  const own = (): void => clear();
  clearings.add(own);
  return () => void clearings.delete(own);
}

/** `report` tells an error and returns the exit code for it. */
export function watchTheEnd(report: (error: unknown) => number): void {
  let waits = false;
  const close = (error: unknown): number => {
    const code = report(error);
    clearUp();
    return code;
  };
  process.on('beforeExit', () => {
    waits = true;
  });
  process.on('uncaughtException', (error: unknown) => leave(close(thrownAside(error))));
  process.on('exit', () => {
    if (!answered) process.exitCode = close(unanswered(waits ? neverSettled() : endedEarly()));
  });
}

/** A job waits for what never comes. */
export function neverSettled(): UserError {
  return new UserError({
    code: 'F002',
    what: 'nothing is left to be done, and there is no answer',
    why: 'the job waits for something that never comes: a promise that nobody settles',
    exit: exitCodes.no,
  });
}

export function endedEarly(): UserError {
  return new UserError({
    code: 'F003',
    what: 'the process was ended before there was an answer',
    why: 'the job, or what it imports, has called process.exit',
    exit: exitCodes.no,
  });
}

/** Where no code of the user's runs it is a bug of ours. */
function unanswered(how: UserError): Error {
  return hosted === undefined ? new Error(how.message) : how;
}

/** What nobody caught, in words where it is the job's doing. */
export function thrownAside(error: unknown): unknown {
  const { stack = '', message = String(error) } = error instanceof Error ? error : {};
  const where = hosted === undefined ? undefined : userFrame(stack, hosted);
  if (where === undefined) return error;
  return new UserError({
    code: 'F004',
    what: `the job threw where nobody listens: ${message}`,
    where,
    next: 'await every promise, and catch what is thrown in callbacks',
    exit: exitCodes.no,
  });
}

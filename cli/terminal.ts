/**
 * The command's two outputs: data on stdout, everything else on stderr. A reader that goes away early is no error.
 */
import { closeSync, fstatSync, writeFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { painted } from './color.js';
import { leave } from './ending.js';
import { printable } from './printable.js';
import { refusalOf, surroundingsError } from './surroundings.js';
import { exitCodes, layOut, UserError, type UserErrorParts } from './user-error.js';

export interface Terminal {
  /** Data. */
  out(text: string): void;
  /** For people. Silent with `--quiet`, except errors. */
  say(line: string): void;
  warn(line: string): void;
  /** Whether stderr is a terminal that can move its cursor. */
  readonly interactive: boolean;
}

export interface TerminalOptions {
  readonly quiet?: boolean | undefined;
}

const stdoutStream: typeof process.stdout.write = process.stdout.write.bind(process.stdout);
let stdoutIsFile: boolean | undefined;

/**
 * Node's stream writes to a file once and asks not how much of it: what a disk that is nearly full has not taken would be
 * lost in silence. So files are written here, to the end or to an error.
 */
function writeStdout(content: Uint8Array | string, written: (error?: Error | null) => void = () => {}): void {
  stdoutIsFile ??= fstatSync(process.stdout.fd).isFile();
  if (!stdoutIsFile) {
    stdoutStream(content, written);
    return;
  }
  try {
    writeFileSync(process.stdout.fd, content);
  } catch (error) {
    endForStdout(error as NodeJS.ErrnoException);
  }
  written();
}

/** From here on, what user code prints in this process goes to stderr: stdout is for data. */
export function keepStdout(): void {
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
}

export function openTerminal(options: TerminalOptions): Terminal {
  const interactive = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  return {
    out: (text) => writeStdout(printable(text)),
    say: (line) => {
      if (!options.quiet) process.stderr.write(`${shown(line)}\n`);
    },
    warn: (line) => process.stderr.write(`${shown(line)}\n`),
    interactive,
  };
}

/** On stderr. */
function shown(text: string): string {
  return painted(printable(text));
}

/**
 * Answers for outputs that take no more. `rehearse … | head`: a reader that has seen enough is no error, and the exit code is
 * what is known so far. A disk that is full is one. Where stderr takes nothing there is nobody to tell.
 */
export function answerClosedOutputs(): void {
  process.stdout.on('error', endForStdout);
  process.stderr.on('error', () => {});
  const terminals = [0, 1, 2].filter(isatty);
  process.on('exit', () => letGoOfClosed(terminals));
}

/** As it ends, Node gives terminals back as they were, and crashes at one that was closed meanwhile; but not at what is not open. */
function letGoOfClosed(terminals: readonly number[]): void {
  for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
}

function endForStdout(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') leave(Number(process.exitCode ?? exitCodes.yes));
  const told = stdoutError(error);
  process.stderr.write(shown(told.layOut()));
  leave(told.exitCode);
}

let kept: string | undefined;

/** Tells where all of it lies, should stdout not take what is printed from here on. */
export function printsWhatLiesIn(place: string): void {
  kept = place;
}

function stdoutError({ code = '', message }: NodeJS.ErrnoException): UserError {
  const refusal = refusalOf(code);
  return new UserError({
    code: 'E004',
    what: `standard output could not be written${refusal === undefined ? '' : `: ${refusal}`}`,
    why: message,
    next: kept === undefined ? 'send it elsewhere' : `the complete output lies in ${kept}`,
    exit: exitCodes.environment,
  });
}

/** Writes all of it, at the reader's pace. False when the reader went away. */
export function writeOut(bytes: Uint8Array | string): Promise<boolean> {
  return new Promise((resolve) => {
    writeStdout(bytes, (error) => resolve(!error));
  });
}

/** Prints an error in its one shape and returns the exit code. With `json`, as the document on stdout. */
export function reportError(error: unknown, json: boolean): number {
  const told = error instanceof UserError ? error : surroundingsError(error);
  if (told) {
    if (json) writeStdout(errorDocument(told.parts));
    else process.stderr.write(shown(told.layOut()));
    return told.exitCode;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const parts = {
    code: 'X001',
    what: `a bug in Rehearse: ${message}`,
    why: (stack ?? '').split('\n').slice(1).join('\n').trim(),
    next: 'please report it with the trace folder of the run, if there is one',
  };
  if (json) writeStdout(errorDocument(parts));
  else process.stderr.write(shown(layOut(parts)));
  return exitCodes.bug;
}

function errorDocument(error: UserErrorParts): string {
  return printable(`${JSON.stringify({ error })}\n`);
}

/** What can be wrong with a job's file before anything has run. */

/** The job's file cannot be used: missing, a folder, of another kind, not a job. */
export class JobFileError extends Error {
  override readonly name = 'JobFileError';
  readonly code = 'job-file';
  /** As the user named it. */
  readonly file: string;

  constructor(file: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.file = file;
  }
}

/** The compiler did not get as far as the job: it could not be started, or ended in the middle. */
export class CompilerError extends Error {
  override readonly name = 'CompilerError';
  readonly code = 'compiler';

  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

export interface CompileLocation {
  /** Path of the source file, relative to the folder of the job's file. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The whole source line. */
  readonly lineText: string;
  /** How many units are wrong, at least 1. */
  readonly length: number;
}

/** The job does not compile. `message` is one sentence; `excerpt` shows the place, with a caret below it. */
export class JobCompileError extends Error {
  override readonly name = 'JobCompileError';
  readonly code = 'job-compile';
  readonly location: CompileLocation | undefined;

  constructor(message: string, location: CompileLocation | undefined) {
    super(message);
    this.location = location;
  }

  /** The lines `--> file:line:column`, source and caret; empty if the place is not known. */
  get excerpt(): string {
    if (this.location === undefined) return '';
    const { file, line, column, lineText, length } = this.location;
    const number = String(line).padStart(4);
    const rule = `${' '.repeat(number.length)} |`;
    // Tabs stay tabs, so that the caret stands below its place however wide they are.
    const indent = lineText.slice(0, column - 1).replace(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(length, lineText.length - column + 1)));
    return `  --> ${file}:${line}:${column}\n${number} | ${lineText}\n${rule} ${indent}${carets}`;
  }
}

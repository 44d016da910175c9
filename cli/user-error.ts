/**
 * A mistake of the user's or of the surroundings, said once and well: a code, what, where, why, what next. Every other
 * error that reaches the top is a bug of ours.
 */

export const exitCodes = {
  yes: 0,
  /** The answer is no: a job failed, an expectation or a rule is broken. */
  no: 1,
  /** Usage, configuration, job, inputs or scenario invalid: nothing was run. */
  usage: 2,
  /** A limit was reached before there was an answer. */
  inconclusive: 3,
  /** Port, disk, store or master not reachable. */
  environment: 4,
  /** Our bug. */
  bug: 70,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export interface UserErrorParts {
  /** A letter and three digits; stable. */
  readonly code: string;
  readonly what: string;
  /** File, flag or path. */
  readonly where?: string | undefined;
  /** Lines of source with a caret, already laid out. */
  readonly excerpt?: string | undefined;
  readonly why?: string | undefined;
  readonly next?: string | undefined;
  readonly exit?: number;
}

export class UserError extends Error {
  readonly parts: UserErrorParts;

  constructor(parts: UserErrorParts) {
    super(parts.what);
    this.name = 'UserError';
    this.parts = parts;
  }

  /** As a terminal shows it. */
  layOut(): string {
    return layOut(this.parts);
  }

  get exitCode(): number {
    return this.parts.exit ?? exitCodes.usage;
  }
}

/** The shape that every error has on a terminal. */
export function layOut(parts: UserErrorParts): string {
  const lines = [`error[${parts.code}]: ${parts.what}`];
  if (parts.excerpt) lines.push(parts.excerpt);
  else if (parts.where) lines.push(`  --> ${parts.where}`);
  if (parts.why) lines.push(`  ${parts.why}`);
  if (parts.next) lines.push(`  ${parts.next}`);
  return `${lines.join('\n')}\n`;
}

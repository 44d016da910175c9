/** A rule of ours is broken: a bug in Rehearse, never the user's or the world's. `rule` is its number in ARCHITECTURE.md. */
export class InvariantError extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.name = 'InvariantError';
    this.rule = rule;
  }
}

/** Where it is asked after every step, the message is only made when it is needed. */
export function invariant(holds: boolean, rule: string, message: string | (() => string)): asserts holds {
  if (!holds) throw new InvariantError(rule, typeof message === 'string' ? message : message());
}

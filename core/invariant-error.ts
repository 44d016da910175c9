/** A rule of ours is broken: a bug in Rehearse, never the user's or the world's. `rule` is its number in ARCHITECTURE.md. */
export class InvariantError extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.name = 'InvariantError';
    this.rule = rule;
  }
}

export function invariant(holds: boolean, rule: string, message: string): asserts holds {
  if (!holds) throw new InvariantError(rule, message);
}

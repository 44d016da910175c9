/** The flag `--seeds`, alike in every command that has it. */
import { UserError } from './user-error.js';

/** `1..1000`, or one seed. */
export function seedRange(text: string): { from: number; to: number } {
  const match = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match && to >= from) return { from, to };
  throw new UserError({
    code: 'U008',
    what: `--seeds: "${text}" is no range`,
    next: 'write it like 1..1000',
  });
}

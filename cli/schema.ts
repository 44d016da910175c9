/** `rehearse schema`: the JSON Schemas of scenarios and traces, for editors and other programs. */
import { readFileSync } from 'node:fs';
import { traceVersion } from '../core/trace.js';
import type { GlobalFlags } from './global-flags.js';
import { openTerminal } from './terminal.js';
import { exitCodes, UserError } from './user-error.js';

/** Both files are held against the code by tests. */
const files: Readonly<Record<string, string>> = {
  scenario: 'scenario.v1.json',
  trace: `${traceVersion}.json`,
};

export const traceSchema = placeOf(`${traceVersion}.json`);

export async function schema(args: string[], flags: GlobalFlags): Promise<number> {
  const [name] = args;
  const file = Object.hasOwn(files, name!) ? files[name!] : undefined;
  if (file === undefined) {
    throw new UserError({
      code: 'U012',
      what: `there is no schema "${name}"`,
      next: `one of: ${Object.keys(files).join(', ')}`,
    });
  }
  openTerminal(flags).out(readFileSync(placeOf(file), 'utf8'));
  return exitCodes.yes;
}

function placeOf(file: string): URL {
  return new URL(`../../scenarios/schema/${file}`, import.meta.url);
}

/** How many files the system lets a process have open at once. */
import { readFileSync } from 'node:fs';

/** What every system allows at least where it does not say what it allows. */
const ASSUMED = 256;

let known: number | undefined;

/** Asked once: Node has raised it as far as it may when it started, and nobody changes it later. */
export function openFilesMax(): number {
  known ??= allowed();
  return known;
}

function allowed(): number {
  try {
    const [, soft] =
      /^Max open files +(\d+|unlimited) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
    return soft === undefined ? ASSUMED : Number(soft);
  } catch {
    return ASSUMED;
  }
}

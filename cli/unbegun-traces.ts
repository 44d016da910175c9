/**
 * Traces without a whole first line: their processes were killed at their birth, or the disk was full. Beside other traces of
 * the run they tell nothing, and nothing is missing.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { openTerminal } from './terminal.js';

/** As a header is never longer. */
export const headerBytesMax = 1 << 20;

/** Those that have begun; of the others it is said that they have not. With none that has, it is for their reader to judge. */
export function begunTraces(files: readonly string[]): readonly string[] {
  const begun = files.filter(isBegun);
  if (begun.length === 0) return files;
  const { warn } = openTerminal({});
  for (const file of files) if (!begun.includes(file)) warn(unbegunText(file));
  return begun;
}

export function isBegun(file: string): boolean {
  const opened = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(headerBytesMax);
    const length = readSync(opened, bytes, 0, headerBytesMax, 0);
    return length === headerBytesMax || bytes.subarray(0, length).includes('\n');
  } finally {
    closeSync(opened);
  }
}

export function unbegunText(file: string): string {
  const { node, life } = lifeOf(file);
  return `${node}${life === undefined ? '' : ` life ${life}`} ended before it wrote anything`;
}

/** By its name, which is all that is known of it. */
export function lifeOf(file: string): { readonly node: string; readonly life?: string } {
  const name = basename(file, '.ndjson');
  const [, node, life] = /^(.+)\.(\d+)$/.exec(name) ?? [];
  return node === undefined ? { node: name } : { node, life: life! };
}

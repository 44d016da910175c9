/** Files that the user has asked for: there with all of their text, or as they were before. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

/** The file that `-o` names: absent where that is standard output. */
export function fileOf({ output }: { readonly output?: string }): string | undefined {
  return output === '-' ? undefined : output;
}

/** A link or a device at this path stays one, and is written through. */
export function writeWhole(path: string, portions: Iterable<string>): void {
  const before = lstatSync(path, { throwIfNoEntry: false });
  const isFile = before?.isFile() ?? true;
  const place = isFile ? `${path}.${process.pid}.tmp` : path;
  try {
    const file = openSync(place, 'w');
    try {
      if (isFile && before) fchmodSync(file, before.mode & 0o7777);
      for (const portion of portions) writeFileSync(file, portion);
      if (isFile) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (isFile) renameSync(place, path);
  } catch (error) {
    if (isFile) rmSync(place, { force: true });
    throw error;
  }
}

/** Throws what the system says when no file can be written there. Leaves everything as it was. */
export function tryOut(file: string): void {
  const isFile = lstatSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
  const probe = isFile ? `${file}.${process.pid}.tmp` : file;
  closeSync(openSync(probe, 'a'));
  if (isFile) rmSync(probe);
}

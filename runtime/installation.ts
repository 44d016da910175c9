/**
 * Where this program lies on the disk: sources while they are tested, `dist/` when it is built. Programs of
 * other processes and threads are found from here.
 *
 * This module stands one folder below the root in every form of the program, and so does what a bundler makes of it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `core/`, `jobs/`, `runtime/` … */
export const installation = fileURLToPath(new URL('../', import.meta.url));

/**
 * The program of a child process or thread, as one file where the build made one: a process that loads a hundred modules
 * one by one is half a second late on a busy machine.
 */
export function programPath(folder: string, name: string): string {
  const bundled = join(installation, 'bin', `${name}.cjs`);
  return existsSync(bundled) ? bundled : join(installation, folder, `${name}.js`);
}

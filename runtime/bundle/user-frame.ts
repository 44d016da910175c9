/** Finds the user's own frame in a stack trace, which is what somebody whose job failed wants to see first. */
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installation } from '../installation.js';

const FRAME = /(?:^|\(|\s)((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/;

/**
 * The first frame of the job's own sources, as `job.ts:12:9`, relative to the folder of the job's file.
 * `directory` is where `loadProgram` wrote the bundle.
 */
export function userFrame(stack: string, directory: string): string | undefined {
  for (const line of stack.split('\n')) {
    const match = FRAME.exec(line);
    if (match === null) continue;
    const file = match[1]!.startsWith('file:') ? fileURLToPath(match[1]!) : match[1]!;
    // Sources of the package itself inside the bundle, and packages that the job uses, are not the user's.
    if (file.includes('/rehearse:') || file.includes('/node_modules/')) continue;
    if (file.startsWith(directory + sep) || !file.startsWith(installation)) {
      return `${relative(directory, file)}:${match[2]}:${match[3]}`;
    }
  }
  return undefined;
}

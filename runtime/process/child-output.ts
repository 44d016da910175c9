/**
 * What a child process prints, kept in its log to the last word: that may be read only after the process has ended.
 */
import type { ChildProcess } from 'node:child_process';
import { PrintedLog } from '../printed-log.js';

/** What a child has started may hold its pipes open for ever: so long after its end it is not listened to any more. */
const patienceMsDefault = 200;

/** Most say nothing, and then there is no log. Resolves when the process has ended and all that it said is in the log. */
export function keepOutput(child: ChildProcess, path: string, patienceMs = patienceMsDefault): Promise<void> {
  const log = new PrintedLog(path);
  const pipes = [child.stdout!, child.stderr!];
  for (const pipe of pipes) pipe.on('data', (bytes: Buffer) => log.write(bytes));
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      for (const pipe of pipes) pipe.destroy();
      log.close();
      resolve();
    };
    child.once('close', end);
    child.once('exit', () => {
      timer = setTimeout(end, patienceMs);
    });
  });
}

/**
 * An interrupt while a run is being written down, and nothing was started yet: nothing of it is left. Only where nobody else's
 * code runs: that could keep the signal from being heard.
 */
import { leave, onNoAnswer } from '../ending.js';
import { exitCodes } from '../user-error.js';

/** Until the returned function is called, whatever ends this process ends it after `clear`. */
export function endOnSignal(clear: () => void): () => void {
  const end = (signal: NodeJS.Signals): void => {
    clear();
    process.stderr.write('stopped before anything was begun\n');
    leave(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const ended = onNoAnswer(clear);
  return () => {
    ended();
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  };
}

/**
 * An interrupt while a run is being planned or written down, and nothing was started yet: nothing of it is left. Only where
 * nobody else's code runs in this thread: that could keep the signal from being heard.
 */
import { leaveUnanswered, onNoAnswer } from '../ending.js';
import type { GlobalFlags } from '../global-flags.js';
import { exitOfSignal, onStopSignal, type StopSignal } from '../stop-signals.js';

/** Until the returned function is called, whatever ends this process ends it after `clear`. */
export function endOnSignal(clear: () => void, { quiet }: GlobalFlags): () => void {
  const end = (signal: StopSignal): void => {
    if (!quiet) process.stderr.write('stopped before anything was begun\n');
    leaveUnanswered(exitOfSignal(signal));
  };
  const unheard = onStopSignal(end);
  const ended = onNoAnswer(clear);
  return () => {
    ended();
    unheard();
  };
}

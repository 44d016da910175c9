/** Signals by which a user ends a command, a terminal that is closed among them. */
import { exitCodes } from './user-error.js';

const exits = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.hungUp,
} as const;

export type StopSignal = keyof typeof exits;

export function exitOfSignal(signal: StopSignal): number {
  return exits[signal];
}

/** Has them answered, until the returned function is called. */
export function onStopSignal(answer: (signal: StopSignal) => void): () => void {
  const signals = Object.keys(exits) as StopSignal[];
  for (const signal of signals) process.on(signal, answer);
  return () => {
    for (const signal of signals) process.off(signal, answer);
  };
}

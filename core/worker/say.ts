/**
 * What a worker says to its master. What is lost with a session, the next hello repeats.
 */
import type { AttemptId } from '../ids.js';
import { masterOf } from '../link.js';
import type { WorkerMessage } from '../messages.js';
import type { WorkerState, WorkerTurn } from './state.js';

/** Sends if a session is open. */
export function say(state: WorkerState, turn: WorkerTurn, message: WorkerMessage): void {
  const { link } = state;
  if (link.state !== 'connected' && link.state !== 'welcomed') return;
  turn.out.push({ type: 'message.send', to: masterOf(state), session: link.session, message });
}

/** The attempt is over without a result, and that is nobody's failure. */
export function sayEnded(state: WorkerState, turn: WorkerTurn, attempt: AttemptId): void {
  const { life, credit } = state;
  say(state, turn, { type: 'attempt.ended', incarnation: life.incarnation, credit, attempt });
}

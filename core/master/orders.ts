/**
 * Orders to a worker: each carries the leader's epoch and the life that is meant, and goes through the session that is
 * open now. Without one nothing is said: the worker's next hello tells what it does not know.
 */
import type { Epoch } from '../ids.js';
import type { MasterToWorker } from '../messages.js';
import type { MasterState, Turn, WorkerView } from './state.js';

type Addressed = Exclude<MasterToWorker, { type: 'master.notLeading' }>;
/** An order without what all orders have in common. */
export type Order<M> = M extends Addressed ? Omit<M, 'epoch' | 'incarnation'> : never;

/** `body` becomes the message itself: it is made for this call. */
export function order(state: MasterState, turn: Turn, worker: WorkerView, body: Order<Addressed>): void {
  const { life, session } = worker;
  if (session === 0) return;
  const message = body as Order<Addressed> & { epoch: Epoch; incarnation: number };
  message.epoch = state.leading!.epoch;
  message.incarnation = life.incarnation;
  turn.out.push({ type: 'message.send', to: life.node, session, message: message as Addressed });
}

/**
 * Which steps are enough. With every bound used up, what a worker or the client can do is a persistent set by itself, and
 * so an ample one, when each of its sessions has something for it and its executors read no files of others: nobody else
 * can then change what it does next, or add to it.
 */
import type { Parts } from '../parts.js';
import type { Wires } from '../wires.js';
import type { Moment } from './moment.js';

/** The dialer whose steps are an ample set of a moment without faults to come; -1 when there is none. */
export function ampleDialer({ at }: Parts, moment: Moment): number {
  for (let dialer = at.workers; dialer >= 0; dialer--) {
    if (!moment.isUp(at.masters + dialer) || !hasAllToHear(moment.sessions(dialer))) continue;
    const running = dialer < at.workers ? moment.bench(dialer).running : [];
    if (running.every((one) => one.attempt.task < one.maps)) return dialer;
  }
  return -1;
}

/** There is something to hear, and nobody from whom something else might come first. */
function hasAllToHear(sessions: Wires): boolean {
  let full = false;
  for (const { down } of sessions) {
    if (!down) continue;
    if (down.length === 0) return false;
    full = true;
  }
  return full;
}

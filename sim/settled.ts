/**
 * Whether a world in which all jobs have ended has come to rest: everybody who is up follows one leader, nobody runs or
 * waits for anything, and all that is under way between nodes is beats. Whoever is paused, late or about to be given up
 * is not at rest, and must be watched on.
 */
import type { MasterState } from '../core/master/state.js';
import type { WorkerState } from '../core/worker/state.js';
import type { World } from './world.js';

export function isSettled(world: World): boolean {
  const masters: MasterState[] = [];
  const workers: WorkerState[] = [];
  for (const { kind, status, life } of world.nodes.values()) {
    if (status === 'paused') return false;
    if (status === 'down' || !life) continue;
    if (kind === 'master') masters.push(life.machine.state as MasterState);
    else if (kind === 'worker') workers.push(life.machine.state as WorkerState);
  }
  if (world.network.underWay > 0) return false;
  const leader = masters.find(({ leading }) => leading !== undefined);
  return leader !== undefined && masters.every((one) => isAtRest(one, leader)) && followed(leader, workers);
}

/** It has nothing to write, and knows all that the leader knows. */
function isAtRest({ role, journal, durable, leading }: MasterState, leader: MasterState): boolean {
  if (journal.pending || journal.intents.length > 0 || durable.slot !== leader.durable.slot) return false;
  return leading ? leading === leader.leading && leading.jobs.size === 0 : role === 'standby';
}

/** These are the leader's workers, no others, and none of them has anything to do or to say. */
function followed({ leading }: MasterState, workers: readonly WorkerState[]): boolean {
  const { workers: views, awaited } = leading!;
  if (awaited.size > 0 || views.size !== workers.length) return false;
  return workers.every(({ life, link, running, finished }) => {
    const view = views.get(life.node);
    const met =
      view?.life.incarnation === life.incarnation && view.session !== 0 && link.state === 'welcomed';
    return met && view.live.size === 0 && running.size === 0 && finished.size === 0;
  });
}

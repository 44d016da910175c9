/**
 * C20: what has ended leaves nothing behind. Judged when the run is over: whoever is in touch with a leader, and has heard
 * all that was on its way, holds nothing of a job that this leader knows to have ended. What a life that is dead has
 * left on a disk is nobody's state.
 */
import { isTerminal } from '../../core/durable/state.js';
import type { JobId } from '../../core/ids.js';
import type { MasterState } from '../../core/master/state.js';
import type { WorkerState } from '../../core/worker/state.js';
import type { Life } from '../nodes.js';
import type { World } from '../world.js';
import { InvariantViolation } from './violation.js';

export function checkLeftovers(world: World): void {
  for (const { kind, status, life } of world.nodes.values()) {
    if (kind === 'worker' && status === 'up' && life) checkWorker(world, life);
  }
}

function checkWorker(world: World, life: Life): void {
  const leader = leaderOf(world, life);
  if (!leader) return;
  for (const known of leader.durable.jobs) {
    if (!isTerminal(known)) continue;
    const { job } = known;
    const held = heldOf(world, life, job);
    if (held === undefined) continue;
    const detail = `${life.node.name} has ${held} of job ${job}, which has ended`;
    throw new InvariantViolation('C20', detail, world);
  }
}

/** The leader that the worker is in touch with, when nothing is on its way to it any more. */
function leaderOf(world: World, { node, incarnation, machine }: Life): MasterState | undefined {
  const { link } = machine.state as WorkerState;
  const session = node.sessions.get(link.session);
  if (link.state !== 'welcomed' || session?.state !== 'open') return undefined;
  const { heldUp, lastUs } = session.toDialer;
  if (heldUp.length > 0 || lastUs >= world.nowUs || node.held.length > 0) return undefined;
  const master = session.master!.machine.state as MasterState;
  const view = master.leading?.workers.get(node.name);
  const isMet = view?.life.incarnation === incarnation && view.session === session.masterSession;
  return isMet ? master : undefined;
}

/** What the worker holds of the job, in a word. */
function heldOf(world: World, life: Life, job: JobId): string | undefined {
  const { begun, outputs, running, queued, finished, starved, broken } = life.machine.state as WorkerState;
  if (begun.has(job) || outputs.has(job)) return 'notes';
  for (const attempts of [running, queued, finished, starved, broken]) {
    for (const { attempt } of attempts.values()) if (attempt.job === job) return 'attempts';
  }
  if (world.executors.knowsOf(life, job)) return 'a list of map outputs';
  for (const { attempt, writer } of world.files.all())
    if (writer === life && attempt.job === job) return 'a file';
  return undefined;
}

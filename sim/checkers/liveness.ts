/**
 * C13: with a master, a worker and the client up and able to hear each other, and user code that ends, every job ends
 * within a computed bound of virtual time after the last fault. The bound is generous: it is there to find what never
 * ends, not what is slow.
 */
import { findJob, isTerminal } from '../../core/durable/state.js';
import type { MasterState } from '../../core/master/state.js';
import type { SimNode } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';
import type { Scenario, ScenarioCluster } from '../scenario/types.js';
import type { World } from '../world.js';
import type { WorldJob } from '../world-setup.js';
import { InvariantViolation } from './violation.js';

/** How many times as long the slowest executors take now. */
export function slownessOf(world: World): number {
  let slowest = 1;
  for (const { slowBy } of world.nodes.values()) slowest = Math.max(slowest, slowBy);
  return slowest;
}

/** Microseconds from the last fault to the end of the last job, from above, with executors so many times slower. */
export function livenessBoundUs({ jobs, cluster, faults }: Scenario, slowest: number): number {
  const begunToHang = faults.filter(
    ({ action }) => action.kind === 'misbehave' && action.how === 'hangs',
  ).length;
  let workUs = 0;
  for (const { maps, reduces, mapTimeUs, reduceTimeUs, times = [], policy, misbehaviours } of jobs) {
    const longestUs = times.reduce((most, { timeUs }) => Math.max(most, timeUs.max), 0);
    const taskUs = Math.max(mapTimeUs.max, reduceTimeUs.max, longestUs) + cluster.beatUs;
    // One worker does it all, and every task is tried as often as is allowed.
    const tries = misbehaviours.length > 0 ? policy.maxAttempts + 1 : 2;
    workUs += (maps + reduces) * taskUs * slowest * tries;
    // One attempt that hangs costs a time-out; a task that always does costs one more than twice as long each time.
    const hanging = misbehaviours.filter(({ how }) => how === 'hangs');
    const always = hanging.filter(({ task }) => task.ordinal === undefined).length;
    const once = hanging.length - always + begunToHang;
    workUs += (always * 2 ** policy.maxAttempts + once * 2) * policy.taskTimeoutUs;
  }
  return workUs + recoveryUs(cluster);
}

/** Microseconds in which everybody has noticed what there is to notice, and tried again, from above. */
export function recoveryUs({ workerLeaseUs, masterLeaseUs, suspectUs }: ScenarioCluster): number {
  return 10 * (workerLeaseUs + masterLeaseUs + suspectUs) + 30_000_000;
}

/** Whether anything can come of waiting: somebody of each kind is up, and a master reaches the store. */
export function canWork(world: World): boolean {
  const nodes = [...world.nodes.values()].filter(({ status }) => status === 'up');
  return (
    nodes.some((node) => node.kind === 'master' && world.store.reaches(node)) &&
    nodes.some(({ kind }) => kind === 'worker') &&
    jobsAwaited(world).length > 0
  );
}

/** Jobs that have not ended, of which somebody who is up wants to hear. */
function jobsAwaited(world: World): WorldJob[] {
  return world.jobs.filter((job) => !job.conclusion && world.clientOf(job).status === 'up');
}

/**
 * Whether the rule applies: somebody of each kind is up, and nobody outside of a healed core leads. A leader that workers
 * can reach, if only now and then, has no reason to give way, even if the core cannot reach it. But what has ended the
 * core's own master can tell, whoever leads.
 */
export function canEnd(world: World, joins: Joins): boolean {
  const up = new Set<string>();
  for (const { kind, status } of world.nodes.values()) if (status === 'up') up.add(kind);
  if (!up.has('master') || !up.has('worker') || jobsAwaited(world).length === 0) return false;
  return !isLedFromOutside(world, joins) || isEndKnownInside(world);
}

/** A client waits for a job, and the healed master knows that it has ended. */
function isEndKnownInside(world: World): boolean {
  for (const { name, kind, status, life } of world.nodes.values()) {
    if (kind !== 'master' || status !== 'up' || !world.scenario.heal!.nodes.includes(name)) continue;
    const { durable } = life!.machine.state as MasterState;
    const isEnded = (requestId: string): boolean => {
      const job = findJob(durable, durable.jobByRequest.get(requestId) ?? 0);
      return job !== undefined && isTerminal(job);
    };
    if (world.jobs.some((job) => !job.conclusion && isEnded(job.requestId))) return true;
  }
  return false;
}

function isLedFromOutside(world: World, joins: Joins): boolean {
  const { heal, cluster } = world.scenario;
  if (!heal) return false;
  // Workers may come and go at a leader whose sessions break again and again; when it resigns, the core needs its time.
  const sinceUs = world.nowUs - recoveryUs(cluster);
  for (const node of world.nodes.values()) {
    if (node.kind !== 'master' || heal.nodes.includes(node.name)) continue;
    if (joins.lastUs(node) >= sinceUs) return true;
    if (node.status !== 'up') continue;
    const { leading } = node.life!.machine.state as MasterState;
    if (leading && leading.workers.size > 0) return true;
  }
  return false;
}

/** When a worker last joined each master. */
export class Joins implements Observer {
  readonly #lastUs = new Map<SimNode, number>();

  masterStepped({ life, atUs, effects }: WorldStep): void {
    for (const effect of effects) {
      if (effect.type === 'decide' && effect.decision === 'worker-joined') this.#lastUs.set(life.node, atUs);
    }
  }

  /** Before all time when none has. */
  lastUs(master: SimNode): number {
    return this.#lastUs.get(master) ?? Number.NEGATIVE_INFINITY;
  }
}

export function stalled(world: World, sinceUs: number): InvariantViolation {
  const open = jobsAwaited(world).map((job) => job.work.index + 1);
  const detail = `job ${open.join(', ')} has not ended, and the last fault was at ${sinceUs} µs`;
  return new InvariantViolation('C13', detail, world);
}

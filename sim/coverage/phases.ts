/**
 * Fault kind × phase: when in a job's life each kind of fault has changed something. Together with the steps (tuples.ts)
 * this is what a campaign must have looked at.
 */
import { type DurableState, isTerminal } from '../../core/durable/state.js';
import type { MasterState } from '../../core/master/state.js';
import { faultKinds } from '../scenario/read-fault.js';
import type { FaultKind } from '../scenario/types.js';
import type { World } from '../world.js';

/** `idle`: no job is accepted and open, and another one is to come; `done`: all have ended. */
export const phases = ['idle', 'map', 'reduce', 'publishing', 'done'] as const;
export type Phase = (typeof phases)[number];

/** `crash in map`. */
export type Strike = `${FaultKind} in ${Phase}`;

/** The phase of the world's present job, the last of those that are open if several are, by the longest journal that any master has read. */
export function phaseOf(world: World): Phase {
  let durable: DurableState | undefined;
  for (const { kind, life } of world.nodes.values()) {
    if (kind !== 'master' || !life) continue;
    const other = (life.machine.state as MasterState).durable;
    if (!durable || other.slot > durable.slot) durable = other;
  }
  if (!durable || durable.jobs.length === 0) return 'idle';
  const job = durable.jobs.findLast((one) => !isTerminal(one));
  if (!job) return durable.jobs.length < jobsToCome(world) ? 'idle' : 'done';
  if (job.phase === 'publishing') return 'publishing';
  return job.mapsCommitted < job.spec.maps ? 'map' : 'reduce';
}

/** What was refused, because it was submitted beside another, is in no journal. */
function jobsToCome({ jobs }: World): number {
  return jobs.filter(({ conclusion }) => conclusion?.refused === undefined).length;
}

/** Why a kind of fault cannot strike in a phase. */
const noAttempts = 'no attempt of user code runs then';
const noWork = 'only an attempt that outlives its job could still run then, and it is told to stop';
const noWrites = 'only an attempt that outlives its job could still write then, and it is told to stop';
const noFiles = 'no attempt has written a file yet, or its job is over and its files are discarded';
const noReaders =
  'only an attempt that outlives its job could still miss a file then, and it is told to stop';

/** Pairs that cannot be. */
const impossible: Partial<Record<Strike, string>> = {
  'misbehave in idle': noAttempts,
  'misbehave in publishing': noAttempts,
  'misbehave in done': noAttempts,
  'slow in idle': noWork,
  'slow in publishing': noWork,
  'slow in done': noWork,
  'fill in idle': noWrites,
  'fill in publishing': noWrites,
  'fill in done': noWrites,
  'lose in idle': noFiles,
  'corrupt in idle': noFiles,
  'lose in done': noReaders,
  'corrupt in done': noReaders,
};

/** Every pair that a campaign must have seen. */
export function possibleStrikes(): Strike[] {
  return faultKinds.flatMap((kind) =>
    phases.map((phase): Strike => `${kind} in ${phase}`).filter((strike) => impossible[strike] === undefined),
  );
}

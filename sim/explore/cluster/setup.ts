/**
 * From a scenario to what is explored: its cluster, its first job, and how often what may go wrong.
 */
import { stateDigest } from '../../../core/canonical.js';
import { type Fault, type FaultKind, type Scenario, workerNames } from '../../scenario/types.js';
import { configOf } from '../../world-setup.js';
import { type BoundName, type Bounds, boundMax, boundNames, type ClusterSetup } from './bounds.js';

/** What a fault of a scenario is to the explorer, which knows neither times nor sizes. */
const boundOf: Partial<Record<FaultKind, BoundName>> = {
  crash: 'crashes',
  drop: 'losses',
  duplicate: 'duplicates',
  pause: 'timeouts',
  slow: 'timeouts',
  partition: 'timeouts',
  obscure: 'unknowns',
  misbehave: 'failures',
  expire: 'expiries',
};

export function clusterSetupOf(scenario: Scenario): ClusterSetup {
  const { cluster } = scenario;
  const job = scenario.jobs[0]!;
  const { maps, reduces, output, policy } = job;
  return {
    config: configOf(scenario),
    workers: workerNames(cluster),
    slots: cluster.slots,
    requestId: 'request-1',
    spec: { name: job.run, work: stateDigest(job.run), maps, reduces, output, policy },
    bounds: boundsOf(scenario),
  };
}

/** Those of its `explore` section; without one, one for every fault that it tells. */
function boundsOf({ explore, faults, jobs }: Scenario): Bounds {
  const bounds = Object.fromEntries(boundNames.map((name) => [name, explore?.[name] ?? 0])) as Record<
    BoundName,
    number
  >;
  if (explore) return bounds;
  for (const { action } of faults) {
    const name = boundOf[action.kind];
    if (name) bounds[name] = Math.min(boundMax, bounds[name] + 1);
  }
  const throwing = jobs[0]!.misbehaviours.filter(({ how }) => how === 'throws').length;
  bounds.failures = Math.min(boundMax, bounds.failures + throwing);
  return bounds;
}

/** Faults that it tells and nobody explores: there is no bound for their kind. None where `explore` says what is wanted. */
export function unexploredFaults({ explore, faults }: Scenario): readonly Fault[] {
  return explore ? [] : faults.filter(({ action }) => boundOf[action.kind] === undefined);
}

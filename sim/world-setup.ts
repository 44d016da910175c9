/** What a world begins with, out of its scenario: configuration, jobs, nodes and their clocks. */
import { type ClusterConfig, defaultClusterConfig } from '../core/config.js';
import type { MachineSetup, Role } from '../core/machine.js';
import type { JobStatus } from '../core/messages.js';
import type { JobSpec } from '../core/records.js';
import { type Life, newNode, type SimNode } from './nodes.js';
import { draw, drawKey, type Seed, within } from './random.js';
import {
  clientName,
  type FactPattern,
  type Fault,
  masterNames,
  type Scenario,
  workerNames,
} from './scenario/types.js';
import { type JobRegistry, Work } from './work.js';

const clockOffset = drawKey('clock offset');
const clockDrift = drawKey('clock drift');
/** Rates are drawn in millionths. */
const million = 1_000_000;

/** One of the scenario's jobs on its way. */
export interface WorldJob {
  readonly work: Work;
  readonly requestId: string;
  readonly spec: JobSpec;
  /** What its client was told in the end. */
  conclusion:
    | {
        readonly atUs: number;
        readonly status?: JobStatus;
        readonly refused?: string;
        readonly drained?: true;
      }
    | undefined;
}

/** By name: masters, workers, clients. */
export function newNodes(scenario: Scenario, seed: Seed): Map<string, SimNode> {
  const { cluster, jobs } = scenario;
  const nodes = new Map<string, SimNode>();
  const add = (name: string, kind: Role): void => {
    const node = newNode(name, kind, nodes.size);
    node.clock.baseUs = within(cluster.clockOffsetUs, draw(seed, clockOffset, node.key));
    const most = cluster.clockDriftPercent * (million / 100);
    node.clock.rate = 1 + within({ min: -most, max: most }, draw(seed, clockDrift, node.key)) / million;
    nodes.set(name, node);
  };
  for (const name of masterNames(cluster)) add(name, 'master');
  for (const name of workerNames(cluster)) add(name, 'worker');
  for (const index of jobs.keys()) add(clientName(index), 'client');
  return nodes;
}

/** What the machine of the node's present incarnation is started with. */
export function setupOf(
  node: SimNode,
  before: Life | undefined,
  config: ClusterConfig,
  slots: number,
): MachineSetup {
  const life = { node: node.name, incarnation: node.incarnations };
  if (node.kind !== 'worker') return { role: node.kind, config, life };
  const previous = before ? { previous: { incarnation: before.incarnation, end: node.previousEnd } } : {};
  return { role: 'worker', config, life, slots, ...previous };
}

/** The crash points that some fault waits for: of no other need it be told that it is reached. */
export function pointsAwaited(faults: readonly Fault[]): ReadonlySet<string> | 'all' {
  const isPoint = (pattern: FactPattern | undefined): boolean => pattern?.name === 'point-reached';
  const awaited = new Set<string>();
  for (const { trigger, after, until } of faults) {
    if (trigger.kind === 'when' && isPoint(trigger.pattern)) return 'all';
    if (isPoint(after) || isPoint(until)) return 'all';
    if (trigger.kind === 'point') awaited.add(trigger.point);
  }
  return awaited;
}

export function configOf({ cluster }: Scenario): ClusterConfig {
  const { beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs, mapOutputs } = cluster;
  const { exclusionUs, exclusionMaxUs, snapshotSlots, sharing } = cluster;
  const times = { beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs, exclusionUs, exclusionMaxUs };
  const nodes = { masters: masterNames(cluster), workers: cluster.workers };
  return { ...defaultClusterConfig, ...times, ...nodes, mapOutputs, snapshotSlots, sharing };
}

export function newJob(scenario: Scenario, index: number, registry: JobRegistry): WorldJob {
  const job = scenario.jobs[index]!;
  const work = new Work(index, job, registry);
  const { maps, reduces, output, policy } = job;
  const spec: JobSpec = { name: work.name, work: work.hash, maps, reduces, output, policy };
  return { work, requestId: `request-${index + 1}`, spec, conclusion: undefined };
}

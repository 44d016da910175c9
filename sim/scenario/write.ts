/**
 * From a scenario back to the text of a file that loads to the same scenario. What is as the reader would have it anyway
 * is left out: the reader's own defaults are asked, and written down nowhere else.
 */
import { stringify } from 'yaml';
import type { JobPolicy } from '../../core/records.js';
import { timeOfDayText } from './duration.js';
import { modelledInput } from './input.js';
import { readScenario } from './read.js';
import { rawCost } from './read-cost.js';
import type { RawJob, RawScenario } from './schema.js';
import {
  type Expectation,
  type Scenario,
  type ScenarioCluster,
  type ScenarioJob,
  type TaskPattern,
  taskPatternText,
} from './types.js';
import { durationSpelling, rangeSpelling, rawFault } from './write-fault.js';

type RawPolicy = NonNullable<RawScenario['policy']>;
type RawCluster = NonNullable<RawScenario['cluster']>;

/** YAML, with the line that tells editors its schema. */
export function writeScenario(scenario: Scenario): string {
  return stringify(rawScenario(scenario), { lineWidth: 110, flowCollectionPadding: true });
}

export function rawScenario(scenario: Scenario): RawScenario {
  const { name, about, seed, startsUs, cluster, jobs, faults, heal, expect } = scenario;
  const policy = rawPolicy(scenario);
  const clusterFields = rawCluster(cluster, defaultsUnder(policy).cluster);
  const rawJobs = jobs.map(rawJob);
  const [first] = rawJobs;
  return {
    name,
    ...(about === '' ? {} : { about }),
    ...(startsUs === undefined ? {} : { starts: timeOfDayText(startsUs) }),
    seed: /^\d{1,15}$/.test(seed) ? Number(seed) : seed,
    ...filled('cluster', clusterFields),
    ...(rawJobs.length > 1 ? { jobs: rawJobs } : filled('job', first!)),
    ...filled('policy', policy),
    ...(faults.length > 0 ? { faults: faults.map(rawFault) } : {}),
    ...(heal ? { heal: { at: durationSpelling(heal.atUs), nodes: [...heal.nodes] } } : {}),
    expect: rawExpectation(expect, jobs.length),
  };
}

function filled<K extends string, V extends object>(key: K, value: V): { [key in K]?: V } {
  return Object.keys(value).length > 0 ? ({ [key]: value } as { [key in K]: V }) : {};
}

/** What the reader makes of a file that says nothing but this policy. */
export function defaultsUnder(policy: RawPolicy = {}): Scenario {
  return readScenario({ name: 'defaults', expect: {}, policy }, '', {}, () => {});
}

function rawPolicy({ cluster, jobs }: Scenario): RawPolicy {
  const policy: RawPolicy = {};
  const set = (raw: RawPolicy): void => void Object.assign(policy, raw);
  // The lease first: others follow from it.
  for (const [key, write] of Object.entries(leases)) {
    const field = key as keyof typeof leases;
    if (cluster[field] !== defaultsUnder(policy).cluster[field]) set(write(cluster[field]));
  }
  if (cluster.sharing !== defaultsUnder().cluster.sharing) policy.sharing = cluster.sharing;
  const own = jobs[0]!.policy;
  const otherwise = defaultsUnder(policy).jobs[0]!.policy;
  for (const key of Object.keys(policies) as (keyof JobPolicy)[]) {
    if (own[key] !== otherwise[key]) set(policies[key](own));
  }
  return policy;
}

/** Fields of the cluster that stand under `policy`. */
const leases = {
  workerLeaseUs: (us: number): RawPolicy => ({ lease: durationSpelling(us) }),
  masterLeaseUs: (us: number): RawPolicy => ({ masterLease: durationSpelling(us) }),
  beatUs: (us: number): RawPolicy => ({ beat: durationSpelling(us) }),
  suspectUs: (us: number): RawPolicy => ({ suspect: durationSpelling(us) }),
  reconnectUs: (us: number): RawPolicy => ({ reconnect: durationSpelling(us) }),
  exclusionUs: (us: number): RawPolicy => ({ exclusion: durationSpelling(us) }),
  exclusionMaxUs: (us: number): RawPolicy => ({ exclusionMax: durationSpelling(us) }),
} satisfies Partial<Record<keyof ScenarioCluster, (us: number) => RawPolicy>>;

/** Exhaustive: a new field of the policy does not compile until it can be written. */
const policies = {
  lateReports: ({ lateReports }) => ({ lateReports }),
  maxAttempts: ({ maxAttempts }) => ({ maxAttempts }),
  taskTimeoutUs: ({ taskTimeoutUs }) => ({ taskTimeout: durationSpelling(taskTimeoutUs) }),
  speculation: ({ speculation }) => ({ speculation: speculation ? 'on' : 'off' }),
  speculationAgeMinUs: ({ speculationAgeMinUs }) => ({
    speculationAge: durationSpelling(speculationAgeMinUs),
  }),
  skipBadRecords: ({ skipBadRecords }) => ({ skipBadRecords: skipBadRecords ? 'on' : 'off' }),
  slowstartPermille: ({ slowstartPermille }) => ({ slowstart: slowstartPermille / 1000 }),
} satisfies Record<keyof JobPolicy, (policy: JobPolicy) => RawPolicy>;

const clusterFields = {
  masters: ({ masters }) => ({ masters }),
  workers: ({ workers }) => ({ workers }),
  slots: ({ slots }) => ({ slots }),
  mapOutputs: ({ mapOutputs }) => ({ mapOutputs }),
  latencyUs: ({ latencyUs }) => ({ latency: rangeSpelling(latencyUs) }),
  stores: ({ stores }) => ({ stores }),
  snapshotSlots: ({ snapshotSlots }) => ({ snapshotSlots }),
  clockOffsetUs: ({ clockOffsetUs }) => ({ clockOffset: rangeSpelling(clockOffsetUs) }),
  clockDriftPercent: ({ clockDriftPercent }) => ({ clockDrift: clockDriftPercent }),
} satisfies Record<
  Exclude<keyof ScenarioCluster, keyof typeof leases | 'sharing'>,
  (cluster: ScenarioCluster) => RawCluster
>;

function rawCluster(cluster: ScenarioCluster, otherwise: ScenarioCluster): RawCluster {
  const raw: RawCluster = {};
  for (const key of Object.keys(clusterFields) as (keyof typeof clusterFields)[]) {
    if (!same(cluster[key], otherwise[key])) Object.assign(raw, clusterFields[key](cluster));
  }
  return raw;
}

function rawJob(job: ScenarioJob): RawJob {
  const { jobs } = defaultsUnder();
  const otherwise = jobs[0]!;
  const raw: RawJob = job.atUs === undefined ? {} : { at: durationSpelling(job.atUs) };
  if (job.reduces !== otherwise.reduces) raw.reduces = job.reduces;
  if (job.output !== otherwise.output) raw.output = job.output;
  if (job.overwrite) raw.overwrite = true;
  if (job.misbehaviours.length > 0) {
    raw.misbehave = Object.fromEntries(
      job.misbehaviours.map(({ task, how }) => [taskPatternText(task), how]),
    );
  }
  if (job.cost) return { ...raw, cost: rawCost(job.cost) };
  if (job.run !== otherwise.run) raw.run = job.run;
  if (Object.keys(job.parameters).length > 0) raw.parameters = { ...job.parameters };
  if (!same(job.input, modelledInput(job.maps))) raw.input = [...job.input];
  if (job.maps !== otherwise.maps) raw.maps = job.maps;
  if (!same(job.mapTimeUs, otherwise.mapTimeUs)) raw.mapTime = rangeSpelling(job.mapTimeUs);
  if (!same(job.reduceTimeUs, otherwise.reduceTimeUs)) raw.reduceTime = rangeSpelling(job.reduceTimeUs);
  if (job.times) {
    raw.times = Object.fromEntries(
      job.times.map(({ task, timeUs }) => [taskPatternText(task), rangeSpelling(timeUs)]),
    );
  }
  const { lines, keys } = job.poison;
  if (lines.length + keys.length > 0) raw.poison = { lines: [...lines], keys: [...keys] };
  return raw;
}

function rawExpectation(expect: Expectation, jobs: number): RawScenario['expect'] {
  const raw: RawScenario['expect'] = {};
  const outcomes = expect.jobs.map(({ outcome }) => outcome);
  if (jobs === 1 || new Set(outcomes).size === 1) {
    if (outcomes[0] !== 'succeeded') raw.job = outcomes[0];
  } else raw.jobs = outcomes;
  const reason = expect.jobs.find((job) => job.reason !== undefined)?.reason;
  if (reason !== undefined) raw.reason = reason;
  if (expect.output !== 'same-as-sequential') raw.output = expect.output;
  if (expect.commits.length > 0) raw.commits = counts(expect.commits);
  if (expect.attempts.length > 0) raw.attempts = counts(expect.attempts);
  if (expect.exercised.length > 0) raw.exercised = [...expect.exercised];
  if (expect.not.length > 0) raw.not = [...expect.not];
  if (expect.withinUs !== defaultsUnder().expect.withinUs) raw.within = durationSpelling(expect.withinUs);
  return raw;
}

function counts(list: readonly { task: TaskPattern; count: number }[]): Record<string, number> {
  return Object.fromEntries(list.map(({ task, count }) => [taskPatternText(task), count]));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** From the form of a scenario (schema.ts) to what it means: defaults filled in, texts read, names checked. */
import type { Bounds } from '../explore/cluster/bounds.js';
import { checkJob } from './check-job.js';
import { checkTimes } from './check-times.js';
import { parseDuration, parseDurationRange, parseTimeOfDay, readMoment } from './duration.js';
import { type FactName, factNames, isFactName } from './fact-names.js';
import { modelledInput } from './input.js';
import type { Report } from './issue.js';
import { type JobFiles, noJobFiles } from './job-files.js';
import { readCost } from './read-cost.js';
import { readFaults } from './read-fault.js';
import { readTask, type Scope } from './read-trigger.js';
import type { RawJob, RawScenario } from './schema.js';
import { suggestion } from './suggest.js';
import {
  clientName,
  type Expectation,
  type Healing,
  type Misbehaviour,
  masterNames,
  type Scenario,
  type ScenarioCluster,
  type ScenarioJob,
  type TaskPattern,
  type TaskTime,
  workerNames,
} from './types.js';

const second = 1_000_000;

/** Reports what is wrong; the result is only good when nothing was reported. */
export function readScenario(
  raw: RawScenario,
  file: string,
  variant: Readonly<Record<string, string>>,
  report: Report,
  files: JobFiles = noJobFiles,
): Scenario {
  const cluster = readCluster(raw, report);
  checkTimes(raw, cluster, report);
  if (raw.job && raw.jobs) {
    report({ path: ['jobs'], code: 'S012', message: 'either "job" or "jobs"', atKey: true });
  }
  const rawJobs = raw.jobs ?? [raw.job ?? {}];
  const nodes = [
    ...masterNames(cluster),
    ...workerNames(cluster),
    ...rawJobs.map((_, index) => clientName(index)),
  ];
  const jobs: ScenarioJob[] = [];
  const startsUs = raw.starts === undefined ? undefined : parseTimeOfDay(raw.starts);
  const scope: Scope = { nodes, jobs, stores: cluster.stores, startsUs, report };
  for (const [index, job] of rawJobs.entries()) {
    const path = raw.jobs ? ['jobs', index] : ['job'];
    const own = checkJob(job, path, report, files);
    jobs.push({ ...readJob(scope, raw, job, path), ...(own ? { own } : {}) });
  }
  const faults = readFaults(scope, raw.faults ?? []);
  const suffix = Object.values(variant).join(', ');
  return {
    name: suffix === '' ? raw.name : `${raw.name} (${suffix})`,
    about: raw.about ?? '',
    file,
    seed: String(raw.seed ?? 1),
    variant,
    ...(startsUs === undefined ? {} : { startsUs }),
    cluster,
    jobs,
    faults,
    ...readHealing(scope, raw),
    ...(raw.explore ? { explore: raw.explore as Partial<Bounds> } : {}),
    expect: readExpectation(scope, raw),
  };
}

function readCluster(raw: RawScenario, report: Report): ScenarioCluster {
  const { cluster = {}, policy = {} } = raw;
  const us = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : parseDuration(text);
  const workerLeaseUs = us(policy.lease, 10 * second);
  const beatUs = us(policy.beat, Math.min(second, Math.floor(workerLeaseUs / 4)));
  if (beatUs * 2 > workerLeaseUs) {
    const path = policy.beat === undefined ? ['policy', 'lease'] : ['policy', 'beat'];
    report({ path, code: 'S012', message: 'a lease must last at least two beats' });
  }
  return {
    masters: cluster.masters ?? 1,
    workers: cluster.workers ?? 2,
    slots: cluster.slots ?? 1,
    mapOutputs: cluster.mapOutputs ?? 'shared',
    latencyUs: readRange(cluster.latency ?? '200us..2ms', ['cluster', 'latency'], report),
    beatUs,
    suspectUs: us(policy.suspect, 3 * beatUs),
    workerLeaseUs,
    reconnectUs: us(policy.reconnect, beatUs),
    masterLeaseUs: us(policy.masterLease, 3 * second),
    stores: cluster.stores ?? 1,
    snapshotSlots: cluster.snapshotSlots ?? 1000,
    sharing: policy.sharing ?? 'fair',
    clockOffsetUs: readRange(cluster.clockOffset ?? '0s', ['cluster', 'clockOffset'], report),
    clockDriftPercent: cluster.clockDrift ?? 0,
    exclusionUs: us(policy.exclusion, 30 * second),
    exclusionMaxUs: us(policy.exclusionMax, 600 * second),
  };
}

function readRange(text: string, path: (string | number)[], report: Report): { min: number; max: number } {
  const range = parseDurationRange(text);
  if (range) return range;
  report({ path, code: 'S006', message: `the range "${text}" ends before it begins` });
  return { min: 0, max: 0 };
}

function readJob(scope: Scope, raw: RawScenario, job: RawJob, path: (string | number)[]): ScenarioJob {
  const policy = raw.policy ?? {};
  const costed = readCost(job, path, scope.report);
  const maps = costed.maps ?? job.maps ?? 2;
  const reduces = job.reduces ?? 1;
  const read: ScenarioJob = {
    ...readSubmission(scope, job, [...path, 'at']),
    run: job.run ?? 'modelled',
    parameters: job.parameters ?? {},
    input:
      costed.input ??
      (job.input === undefined
        ? modelledInput(maps)
        : typeof job.input === 'string'
          ? [job.input]
          : job.input),
    maps,
    reduces,
    mapTimeUs: readRange(job.mapTime ?? '200ms..900ms', [...path, 'mapTime'], scope.report),
    reduceTimeUs: readRange(job.reduceTime ?? '200ms..900ms', [...path, 'reduceTime'], scope.report),
    ...costed,
    output: job.output ?? 'out',
    overwrite: job.overwrite ?? false,
    policy: {
      lateReports: policy.lateReports ?? 'first-commit',
      maxAttempts: policy.maxAttempts ?? 4,
      taskTimeoutUs: parseDuration(policy.taskTimeout ?? '600s'),
      speculation: policy.speculation === true || policy.speculation === 'on',
      speculationAgeMinUs: parseDuration(policy.speculationAge ?? '5s'),
      skipBadRecords: policy.skipBadRecords === true || policy.skipBadRecords === 'on',
      slowstartPermille: Math.round((policy.slowstart ?? 1) * 1000),
    },
    misbehaviours: [],
    poison: { lines: job.poison?.lines ?? [], keys: job.poison?.keys ?? [] },
  };
  const own: Scope = { ...scope, jobs: [read] };
  const misbehaviours: Misbehaviour[] = Object.entries(job.misbehave ?? {}).flatMap(([text, how]) => {
    const task = readTask(own, text, [...path, 'misbehave', text], true);
    return task ? [{ task, how }] : [];
  });
  const times: TaskTime[] = Object.entries(job.times ?? {}).flatMap(([text, time]) => {
    const at = [...path, 'times', text];
    const task = readTask(own, text, at, true);
    return task ? [{ task, timeUs: readRange(time, at, scope.report) }] : [];
  });
  const isOfAll = ({ task }: TaskTime): number => (task.ordinal === undefined ? 1 : 0);
  times.sort((a, b) => isOfAll(a) - isOfAll(b));
  return { ...read, misbehaviours, ...(times.length > 0 ? { times } : {}) };
}

function readSubmission(
  { startsUs, report }: Scope,
  { at }: RawJob,
  path: (string | number)[],
): { atUs?: number } {
  if (at === undefined) return {};
  const moment = readMoment(at, startsUs);
  if (typeof moment === 'number') return { atUs: moment };
  report({ path, code: 'S012', message: moment });
  return {};
}

function readHealing({ nodes, report }: Scope, { heal }: RawScenario): { heal?: Healing } {
  if (!heal) return {};
  for (const [index, name] of heal.nodes.entries()) {
    if (nodes.includes(name)) continue;
    const near = suggestion(name, nodes);
    report({
      path: ['heal', 'nodes', index],
      code: 'S011',
      message: `no node is called "${name}"`,
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }
  for (const kind of ['master', 'worker']) {
    if (heal.nodes.some((name) => name.startsWith(kind))) continue;
    report({ path: ['heal', 'nodes'], code: 'S012', message: `no job can end without a ${kind}` });
  }
  return { heal: { atUs: parseDuration(heal.at), nodes: heal.nodes } };
}

function readExpectation(scope: Scope, raw: RawScenario): Expectation {
  const { expect } = raw;
  const { report } = scope;
  if (expect.jobs && expect.jobs.length !== scope.jobs.length) {
    const message = `there are ${scope.jobs.length} jobs, and ${expect.jobs.length} outcomes are expected`;
    report({ path: ['expect', 'jobs'], code: 'S013', message });
  }
  if (expect.job && expect.jobs) {
    report({ path: ['expect', 'jobs'], code: 'S013', message: 'either "job" or "jobs"', atKey: true });
  }
  const jobs = scope.jobs.map((_, index) => {
    const outcome = expect.jobs?.[index] ?? expect.job ?? 'succeeded';
    return {
      outcome,
      ...(outcome === 'failed' && expect.reason !== undefined ? { reason: expect.reason } : {}),
    };
  });
  if (expect.reason !== undefined && !jobs.some((job) => job.outcome === 'failed')) {
    const message = 'a reason is expected, but no failed job';
    report({ path: ['expect', 'reason'], code: 'S013', message, atKey: true });
  }
  if (expect.output !== undefined && !jobs.some((job) => job.outcome === 'succeeded')) {
    const message = 'an output is expected, but no job that succeeds';
    report({ path: ['expect', 'output'], code: 'S013', message, atKey: true });
  }
  if (expect.within !== undefined && jobs.every((job) => job.outcome === 'any')) {
    const message = 'an end is expected "within" a time, but no outcome of any job';
    report({ path: ['expect', 'within'], code: 'S013', message, atKey: true });
  }
  return {
    jobs,
    output: expect.output ?? 'same-as-sequential',
    commits: readCounts(scope, expect.commits, 'commits'),
    attempts: readCounts(scope, expect.attempts, 'attempts'),
    exercised: readNames(expect.exercised, 'exercised', report),
    not: readNames(expect.not, 'not', report),
    withinUs: parseDuration(expect.within ?? '10m'),
  };
}

function readCounts(
  scope: Scope,
  counts: Readonly<Record<string, number>> | undefined,
  key: string,
): { task: TaskPattern; count: number }[] {
  return Object.entries(counts ?? {}).flatMap(([text, count]) => {
    const task = readTask(scope, text, ['expect', key, text], true);
    return task ? [{ task, count }] : [];
  });
}

function readNames(names: readonly string[] | undefined, key: string, report: Report): FactName[] {
  const known: FactName[] = [];
  for (const [index, name] of (names ?? []).entries()) {
    if (isFactName(name)) {
      known.push(name);
      continue;
    }
    const near = suggestion(name, factNames);
    report({
      path: ['expect', key, index],
      code: 'S010',
      message: `nothing is called "${name}"`,
      label: 'the name of a decision or of another fact',
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }
  return known;
}

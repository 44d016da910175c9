/**
 * A recorded run told as a scenario: its cluster and policy, its jobs with the times that their attempts took, and the faults
 * that its traces show. What they do not show is left to the defaults, and said.
 */
import type { ClusterConfig } from '../../core/config.js';
import type { JobAccepted } from '../../core/records.js';
import type { NodeTrace } from '../explain/merge.js';
import type { Range } from '../random.js';
import type { Fact } from '../scenario/facts.js';
import { modelledInput } from '../scenario/input.js';
import type { RawScenario } from '../scenario/schema.js';
import type { Misbehaviour, Scenario, ScenarioJob } from '../scenario/types.js';
import { defaultsUnder, rawScenario } from '../scenario/write.js';
import { type MeasuredAttempt, measure, type Recording, readRecording, type Spread } from './recording.js';
import { type SeenFault, seenFaults, spelling } from './seen-faults.js';

export interface RetoldRun {
  readonly raw: RawScenario;
  /** What was seen, and what is not known: a line each. */
  readonly notes: readonly string[];
}

type RawJob = NonNullable<RawScenario['job']>;

/** Undefined when the traces tell of no job: they lack those of its masters. */
export function retellRun(traces: readonly NodeTrace[], name: string): RetoldRun | undefined {
  const recording = readRecording(traces);
  if (recording.jobs.length === 0) return undefined;
  const { config } = traces[0]!.header.setup;
  const scenario = scenarioOf(recording, config, name);
  const { workerLeaseUs, masterLeaseUs, latencyUs } = scenario.cluster;
  const lossUs = Math.min(workerLeaseUs, masterLeaseUs) / 2 + 2 * latencyUs.max;
  const faults = seenFaults(recording, { lossUs, isSlow: isSlow(recording) });
  const { expect, job, jobs, policy, ...cluster } = rawScenario(scenario);
  const own = (jobs ?? [job ?? {}]).map((raw, index) => withMeasured(raw, recording, recording.jobs[index]!));
  const performed = faults.flatMap(({ raw }) => raw ?? []);
  return {
    raw: {
      ...cluster,
      ...(own.length > 1 ? { jobs: own } : { job: own[0]! }),
      ...(policy ? { policy } : {}),
      ...(performed.length > 0 ? { faults: performed } : {}),
      expect,
    },
    notes: notesOf(recording, faults),
  };
}

function scenarioOf(recording: Recording, config: ClusterConfig, name: string): Scenario {
  const { traces, jobs, facts } = recording;
  const setups = traces.map(({ header }) => header.setup);
  const workers = setups
    .filter(({ role }) => role === 'worker')
    .map(({ life }) => Number(life.node.split('-')[1]));
  const slots = setups.flatMap((setup) => (setup.role === 'worker' ? [setup.slots] : []));
  const otherwise = defaultsUnder();
  const { beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs } = config;
  const { snapshotSlots, exclusionUs, exclusionMaxUs, mapOutputs } = config;
  const lastUs = facts.at(-1)?.atUs ?? 0;
  return {
    ...otherwise,
    name,
    about: `Told from the traces of ${name}.`,
    cluster: {
      ...otherwise.cluster,
      masters: config.masters.length,
      workers: Math.max(1, config.workers ?? 0, ...workers),
      slots: Math.max(1, ...slots),
      ...{ beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs },
      ...{ snapshotSlots, exclusionUs, exclusionMaxUs, mapOutputs },
      ...(isSlow(recording) ? { latencyUs: rangeOfMessages(recording.messages!) } : {}),
    },
    jobs: jobs.map(({ spec }, index) => ({
      ...jobOf(spec, index, otherwise.jobs[0]!),
      ...submissionOf(recording, index),
    })),
    expect: {
      ...otherwise.expect,
      jobs: jobs.map((job) => outcomeOf(job, facts)),
      withinUs: Math.max(otherwise.expect.withinUs, Math.ceil(lastUs / 60_000_000) * 120_000_000),
    },
  };
}

/** Most messages took longer than any does by default; how long fast ones took changes nothing. */
function isSlow({ messages }: Recording): boolean {
  return messages !== undefined && messages.middleUs > defaultsUnder().cluster.latencyUs.max;
}

function rangeOfMessages({ fromUs, toUs }: Spread): Range {
  return { min: Math.floor(fromUs / 1000) * 1000, max: Math.ceil(toUs / 1000) * 1000 };
}

/** The tasks of a job without a reduce are called maps, and count as reduces: behind them one stands here that takes no time. */
function jobOf(
  { maps, reduces, policy }: JobAccepted['spec'],
  index: number,
  otherwise: ScenarioJob,
): ScenarioJob {
  const output = index === 0 ? otherwise.output : `${otherwise.output}-${index + 1}`;
  const tasks = maps === 0 ? { maps: reduces, reduces: 1 } : { maps, reduces };
  return { ...otherwise, ...tasks, input: modelledInput(tasks.maps), output, policy };
}

/**
 * A job that was accepted while one before it went on did not wait for that one. Of jobs that have one number, by a store that
 * went back, nobody can tell.
 */
function submissionOf({ jobs, facts }: Recording, index: number): { atUs?: number } {
  const accepted = facts.find(({ name, job }) => name === 'job-accepted' && job === jobs[index]!.job);
  if (!accepted || new Set(jobs.map(({ job }) => job)).size < jobs.length) return {};
  const { atUs } = accepted;
  const isOver = ({ job }: JobAccepted): boolean =>
    (endOf(job, facts)?.atUs ?? Number.POSITIVE_INFINITY) <= atUs;
  return jobs.slice(0, index).every(isOver) ? {} : { atUs: Math.round(atUs / 1000) * 1000 };
}

function endOf(job: number, facts: readonly Fact[]): Fact | undefined {
  return facts.findLast(
    (fact) => fact.job === job && (fact.name === 'job-published' || fact.name === 'job-failed'),
  );
}

function outcomeOf({ job }: JobAccepted, facts: readonly Fact[]): Scenario['expect']['jobs'][number] {
  const end = endOf(job, facts);
  if (end?.name === 'job-published') return { outcome: 'succeeded' };
  if (end && isRehearsed(end)) return { outcome: 'failed', reason: String(end.detail?.reason) };
  if (end) return { outcome: 'any' };
  return { outcome: facts.some(({ name }) => name === 'draining') ? 'drained' : 'any' };
}

/** Modelled work fails as it is told to; what else has gone wrong it cannot know. */
function isRehearsed({ name, detail }: Fact): boolean {
  return name !== 'job-failed' || detail?.reason === 'task-failed';
}

// ---- what was measured ------------------------------------------------------------------------------------------

function withMeasured(raw: RawJob, recording: Recording, { job, spec }: JobAccepted): RawJob {
  const measured = measure(recording, job);
  const ofKind = (kind: string): MeasuredAttempt[] =>
    measured.filter(({ task, isBroken }) => !isBroken && task.startsWith(kind));
  const misbehave = misbehaviourOf(recording, job);
  return {
    ...raw,
    ...rangeOf('mapTime', ofKind('map')),
    ...(spec.maps === 0 ? { reduceTime: '1ms' } : rangeOf('reduceTime', ofKind('reduce'))),
    ...(measured.length > 0 ? { times: timesOf(measured) } : {}),
    ...(Object.keys(misbehave).length > 0 ? { misbehave } : {}),
  };
}

function rangeOf(key: 'mapTime' | 'reduceTime', measured: readonly MeasuredAttempt[]): Partial<RawJob> {
  if (measured.length === 0) return {};
  let [least, most] = [measured[0]!.tookUs, measured[0]!.tookUs];
  for (const { tookUs } of measured) {
    least = Math.min(least, tookUs);
    most = Math.max(most, tookUs);
  }
  const [from, to] = [spelling(least), spelling(most)];
  return { [key]: from === to ? from : `${from}..${to}` };
}

/** Of the task where one attempt was measured as a whole, whichever that was; else of each attempt. */
function timesOf(measured: readonly MeasuredAttempt[]): Record<string, string> {
  const counts = new Map<string, number>();
  for (const { task } of measured) counts.set(task, (counts.get(task) ?? 0) + 1);
  const inOrder = [...measured].sort((a, b) => placeOf(a) - placeOf(b));
  return Object.fromEntries(
    inOrder.map(({ task, ordinal, tookUs, isBroken }) => [
      counts.get(task) === 1 && !isBroken ? task : `${task}@${ordinal}`,
      spelling(tookUs),
    ]),
  );
}

function placeOf({ task, ordinal }: MeasuredAttempt): number {
  const [kind, index] = task.split('-');
  return (kind === 'map' ? 0 : 1e12) + Number(index) * 1000 + ordinal;
}

/** What user code does that fails in such a way. */
const hows: Readonly<Partial<Record<string, Misbehaviour['how']>>> = {
  user: 'throws',
  data: 'throws',
  memory: 'exhausts',
  exit: 'exits',
  timeout: 'hangs',
};

/** Attempts that failed by what their code did. */
function misbehaviourOf({ facts }: Recording, job: number): NonNullable<RawJob['misbehave']> {
  const own = facts.filter((fact) => fact.job === job);
  // Their failures were forgiven, which those that a scenario orders are not.
  const skipping = new Set(own.filter(({ name }) => name === 'record-skipped').map(({ task }) => task));
  const failed = own.filter(({ name, task }) => name === 'failed' && !skipping.has(task));
  return Object.fromEntries(
    failed.flatMap(({ task, ordinal, detail }) => {
      const how = hows[String(detail?.kind)];
      return how ? [[`${task}@${ordinal}`, how]] : [];
    }),
  );
}

// ---- for people -------------------------------------------------------------------------------------------------

function notesOf(recording: Recording, faults: readonly SeenFault[]): string[] {
  const { facts, jobs, endUs } = recording;
  const has = (...names: string[]): boolean => facts.some(({ name }) => names.includes(name));
  const unknown = [
    `${isSlow(recording) ? '' : 'how long messages took, and '}what the store did: as by default`,
    'the input and what the code did with it: modelled work of the same shape, as long as it was measured',
    ...(jobs.some(({ spec }) => spec.maps === 0)
      ? ['how a job without a reduce goes: a short reduce stands behind its maps']
      : []),
    ...(has('record-skipped') ? ['which records were left out: that is not rehearsed'] : []),
    ...otherFailures(facts).map((what) => `${what}: that is not rehearsed`),
    ...facts.flatMap((fact) =>
      isRehearsed(fact) ? [] : [`why the job failed (${fact.detail?.reason}): that is not rehearsed`],
    ),
    ...(endUs === Number.POSITIVE_INFINITY && !has('draining')
      ? ['how it ended: the traces end before that']
      : []),
  ];
  let number = 0;
  const seen = faults.map(({ raw, note }) => (raw ? `fault ${++number}: ${note}` : note));
  return [...seen, ...unknown.map((what) => `not known: ${what}`)];
}

/** Failures of attempts that no misbehaviour and no death of a worker comes to, and what followed from them. */
function otherFailures(facts: readonly Fact[]): string[] {
  const attempts = new Map<string, string[]>();
  for (const { name, task, ordinal, detail } of facts) {
    const kind = String(detail?.kind);
    if (name !== 'failed' || kind === 'worker-died' || hows[kind]) continue;
    attempts.set(kind, [...(attempts.get(kind) ?? []), `${task}@${ordinal}`]);
  }
  if (attempts.size === 0) return [];
  const excluded = facts.flatMap(({ name, about }) => (name === 'worker-excluded' ? (about ?? []) : []));
  return [
    ...[...attempts].map(([kind, failed]) => `why attempts failed (${kind}: ${inShort(failed)})`),
    ...(excluded.length > 0 ? [`that workers were excluded (${inShort([...new Set(excluded)])})`] : []),
  ];
}

const namedMax = 6;

function inShort(names: readonly string[]): string {
  const more = names.length > namedMax ? ` and ${names.length - namedMax} more` : '';
  return `${names.slice(0, namedMax).join(', ')}${more}`;
}

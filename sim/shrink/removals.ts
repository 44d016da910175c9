/**
 * What can be taken out of a scenario. A scenario is 1-minimal when none of the single removals fails in the same way.
 */
import { costOfMaps, timesOf } from '../cost-model.js';
import { modelledInput } from '../scenario/input.js';
import type { Fault, Scenario, ScenarioJob, TaskPattern } from '../scenario/types.js';
import { renameAll, renameFaults } from './rewrite.js';

export interface Candidate {
  /** For people: `without fault 3`. */
  readonly what: string;
  readonly scenario: Scenario;
}

/** Each takes exactly one thing away: a fault, a job, a task, a worker, a master, a slot, a misbehaviour, a poison, the healing. */
export function* singleRemovals(scenario: Scenario): Generator<Candidate> {
  const { faults, jobs, cluster } = scenario;
  for (const index of faults.keys()) yield withoutFaults(scenario, index, index + 1);
  for (const index of jobs.keys()) if (jobs.length > 1) yield withoutJob(scenario, index);
  if (scenario.heal) yield withoutHealing(scenario);
  for (const index of jobs.keys()) yield* removalsInJob(scenario, index);
  for (let worker = cluster.workers; worker > 0 && cluster.workers > 1; worker--) {
    yield withoutNode(scenario, 'worker', worker);
  }
  for (let master = cluster.masters; master > 0 && cluster.masters > 1; master--) {
    yield withoutNode(scenario, 'master', master);
  }
  if (cluster.slots > 1) yield withSlots(scenario, cluster.slots - 1);
}

/** Several things at once, for a quick start: halves of the faults, and of whatever can be counted. */
export function* bulkRemovals(scenario: Scenario): Generator<Candidate> {
  const { faults, jobs, cluster } = scenario;
  for (let chunk = faults.length; chunk > 1; chunk = Math.floor(chunk / 2)) {
    for (let from = 0; from < faults.length; from += chunk) yield withoutFaults(scenario, from, from + chunk);
  }
  for (const [index, { maps, reduces }] of jobs.entries()) {
    for (const count of smaller(maps)) yield withTasks(scenario, index, 'map', count);
    for (const count of smaller(reduces)) yield withTasks(scenario, index, 'reduce', count);
  }
  for (const count of smaller(cluster.workers)) yield withNodes(scenario, 'worker', count);
  for (const count of smaller(cluster.slots)) yield withSlots(scenario, count);
}

/** 1, 2, and halves; not one less, which is a single removal. */
function smaller(count: number): number[] {
  const counts = [1, 2, Math.floor(count / 2)];
  return [...new Set(counts)].filter((less) => less > 0 && less < count - 1);
}

function withoutFaults(scenario: Scenario, from: number, to: number): Candidate {
  const kept = scenario.faults.filter(({ index }) => index < from || index >= to);
  const faults: Fault[] = renameFaults(kept, {});
  return { what: `without faults ${from + 1} to ${to}`, scenario: { ...scenario, faults } };
}

function withoutHealing(scenario: Scenario): Candidate {
  const { heal: _, ...rest } = scenario;
  return { what: 'without healing', scenario: rest };
}

// ---- jobs and tasks ---------------------------------------------------------------------------------------------

function withoutJob(scenario: Scenario, index: number): Candidate {
  const without = <T>(list: readonly T[]): T[] => list.filter((_, place) => place !== index);
  const last = scenario.jobs.length - 1;
  const client = (place: number): string => `client-${place + 1}`;
  const moved = renameAll(scenario, {
    job: (job) => Math.min(job > index + 1 ? job - 1 : job, last),
    node: (name) => {
      const place = Number(/^client-(\d+)$/.exec(name)?.[1] ?? 0) - 1;
      if (place < 0) return name;
      return client(Math.min(place > index ? place - 1 : place, last - 1));
    },
  });
  const expect = { ...moved.expect, jobs: without(moved.expect.jobs) };
  const fewer = { ...moved, jobs: without(moved.jobs), expect };
  return { what: `without job ${index + 1}`, scenario: clamped(fewer) };
}

function* removalsInJob(scenario: Scenario, index: number): Generator<Candidate> {
  const job = scenario.jobs[index]!;
  for (const place of job.misbehaviours.keys()) {
    const misbehaviours = job.misbehaviours.filter((_, other) => other !== place);
    yield withJob(scenario, index, { ...job, misbehaviours }, `without misbehaviour ${place + 1}`);
  }
  for (const key of ['lines', 'keys'] as const) {
    for (const place of job.poison[key].keys()) {
      const poison = { ...job.poison, [key]: job.poison[key].filter((_, other) => other !== place) };
      yield withJob(scenario, index, { ...job, poison }, 'without poison');
    }
  }
  if (job.maps > 1) yield withTasks(scenario, index, 'map', job.maps - 1);
  if (job.reduces > 1) yield withTasks(scenario, index, 'reduce', job.reduces - 1);
}

/** Fewer tasks of a kind. */
function withTasks(scenario: Scenario, index: number, kind: TaskPattern['kind'], count: number): Candidate {
  const job = scenario.jobs[index]!;
  const changed = withJob(scenario, index, fewerTasks(job, kind, count), `${count} ${kind}s`);
  const own = changed.scenario.jobs.map((other) => ({
    ...other,
    misbehaviours: other.misbehaviours.filter(({ task }) => task.index < countOf(other, task.kind)),
    ...(other.times
      ? { times: other.times.filter(({ task }) => task.index < countOf(other, task.kind)) }
      : {}),
  }));
  return { ...changed, scenario: clamped({ ...changed.scenario, jobs: own }) };
}

/** Input and times that follow from the number of tasks follow it. */
function fewerTasks(job: ScenarioJob, kind: TaskPattern['kind'], count: number): ScenarioJob {
  const fewer: ScenarioJob = kind === 'map' ? { ...job, maps: count } : { ...job, reduces: count };
  if (job.cost) {
    const cost = costOfMaps(job.cost, fewer.maps);
    return { ...fewer, cost, ...timesOf(cost, fewer.reduces) };
  }
  const isModelled = job.input.join('') === modelledInput(job.maps).join('');
  return isModelled ? { ...fewer, input: modelledInput(fewer.maps) } : fewer;
}

function countOf(job: ScenarioJob, kind: TaskPattern['kind']): number {
  return kind === 'map' ? job.maps : job.reduces;
}

/** Whoever speaks of a task that the job, or any job, does not have speaks of the last one of its kind. */
function clamped(scenario: Scenario): Scenario {
  return renameAll(scenario, {
    task: (task, job) => {
      const jobs = job === undefined ? scenario.jobs : [scenario.jobs[job - 1]!];
      const most = Math.max(...jobs.map((one) => countOf(one, task.kind)));
      return { ...task, index: Math.min(task.index, most - 1) };
    },
  });
}

function withJob(scenario: Scenario, index: number, job: ScenarioJob, what: string): Candidate {
  const jobs = scenario.jobs.map((other, place) => (place === index ? job : other));
  return { what: `job ${index + 1}: ${what}`, scenario: { ...scenario, jobs } };
}

// ---- cluster ----------------------------------------------------------------------------------------------------

function withSlots(scenario: Scenario, slots: number): Candidate {
  return { what: `${slots} slots`, scenario: { ...scenario, cluster: { ...scenario.cluster, slots } } };
}

function withNodes(scenario: Scenario, kind: 'worker' | 'master', count: number): Candidate {
  return resized(scenario, kind, count, `${count} ${kind}s`, (number) => Math.min(number, count));
}

/** Those after it move up; whoever speaks of it speaks of the one in its place now. */
function withoutNode(scenario: Scenario, kind: 'worker' | 'master', gone: number): Candidate {
  const count = (kind === 'worker' ? scenario.cluster.workers : scenario.cluster.masters) - 1;
  const renumber = (number: number): number => Math.min(number > gone ? number - 1 : number, count);
  return resized(scenario, kind, count, `without ${kind}-${gone}`, renumber);
}

function resized(
  scenario: Scenario,
  kind: 'worker' | 'master',
  count: number,
  what: string,
  renumber: (number: number) => number,
): Candidate {
  const cluster = { ...scenario.cluster, [kind === 'worker' ? 'workers' : 'masters']: count };
  const node = (name: string): string => {
    const [role, number] = name.split('-');
    return role === kind ? `${kind}-${renumber(Number(number))}` : name;
  };
  return { what, scenario: renameAll({ ...scenario, cluster }, { node }) };
}

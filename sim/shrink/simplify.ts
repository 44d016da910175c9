/**
 * Makes what is left of a scenario plain: events instead of times, round numbers, defaults, a small seed. Each
 * simplification leads in one direction only, so that a search that takes whatever still fails comes to an end.
 */
import type { JobPolicy } from '../../core/records.js';
import type { Range } from '../random.js';
import type { Fact } from '../scenario/facts.js';
import type {
  FactPattern,
  Fault,
  Scenario,
  ScenarioCluster,
  ScenarioJob,
  TaskPattern,
} from '../scenario/types.js';
import { defaultsUnder } from '../scenario/write.js';
import { durationSpelling, patternText, withText } from '../scenario/write-fault.js';
import type { Candidate } from './removals.js';

/** `facts`: those of the failing run, from which events are taken instead of times. */
export function* simplifications(scenario: Scenario, facts: readonly Fact[]): Generator<Candidate> {
  for (const fault of scenario.faults) {
    for (const [what, simpler] of simplerFaults(fault, facts)) {
      const faults = scenario.faults.map((other) => (other === fault ? withText(simpler) : other));
      yield { what: `fault ${fault.index + 1}: ${what}`, scenario: { ...scenario, faults } };
    }
  }
  yield* simplerCluster(scenario);
  yield* simplerJobs(scenario);
  if (scenario.heal) {
    for (const atUs of rounder(scenario.heal.atUs)) {
      yield { what: 'rounder healing', scenario: { ...scenario, heal: { ...scenario.heal, atUs } } };
    }
  }
  for (const seed of smallerSeeds(scenario.seed))
    yield { what: `seed ${seed}`, scenario: { ...scenario, seed } };
}

// ---- faults -----------------------------------------------------------------------------------------------------

/** Facts looked back at for an event to put in the place of a time. */
const eventsTried = 5;

function* simplerFaults(fault: Fault, facts: readonly Fact[]): Generator<[string, Fault]> {
  const { trigger } = fault;
  if (fault.after) yield ['no "after"', without(fault, 'after')];
  if (fault.until) yield ['no "until"', without(fault, 'until')];
  if (fault.forUs !== undefined) yield ['no "for"', without(fault, 'forUs')];
  if (trigger.kind === 'at') {
    for (const pattern of eventsBefore(facts, trigger.atUs)) {
      yield ['an event instead of a time', { ...fault, trigger: { kind: 'when', pattern } }];
    }
    for (const atUs of rounder(trigger.atUs))
      yield ['rounder time', { ...fault, trigger: { kind: 'at', atUs } }];
  } else if (trigger.kind === 'when') {
    for (const pattern of simplerPatterns(trigger.pattern)) {
      yield ['a plainer event', { ...fault, trigger: { kind: 'when', pattern } }];
    }
  } else {
    const { task, on, job, ...point } = trigger;
    if (task ?? on ?? job) yield ['any task at the point', { ...fault, trigger: point }];
  }
  const action = fault.action as Readonly<Record<string, unknown>>;
  if (action.restartAfterUs !== undefined) {
    const { restartAfterUs: _, ...gone } = action;
    yield ['no restart', { ...fault, action: gone as typeof fault.action }];
  }
  if (fault.forUs !== undefined) {
    for (const forUs of rounder(fault.forUs)) yield ['rounder duration', { ...fault, forUs }];
  }
  for (const simpler of rounderFields(action)) {
    yield ['rounder parameter', { ...fault, action: simpler as typeof fault.action }];
  }
}

function without(fault: Fault, key: 'after' | 'until' | 'forUs'): Fault {
  const { [key]: _, ...rest } = fault;
  return rest;
}

/** The last different events before a time, the latest first. */
function eventsBefore(facts: readonly Fact[], atUs: number): FactPattern[] {
  const patterns = new Map<string, FactPattern>();
  for (let index = facts.length - 1; index >= 0 && patterns.size < eventsTried; index--) {
    const fact = facts[index]!;
    if (fact.atUs > atUs) continue;
    const pattern = patternOf(fact);
    if (!patterns.has(pattern.text)) patterns.set(pattern.text, pattern);
  }
  return [...patterns.values()];
}

function patternOf({ name, task: text, ordinal, ofJob }: Fact): FactPattern {
  const match = /^(map|reduce)-(\d+)$/.exec(text ?? '');
  if (!match) return withPatternText({ name });
  const job = ofJob === undefined ? {} : { job: ofJob };
  const task: TaskPattern = {
    kind: match[1] as TaskPattern['kind'],
    index: Number(match[2]),
    ...(ordinal === undefined ? {} : { ordinal }),
  };
  return withPatternText({ name, ...job, task });
}

function* simplerPatterns({ name, job, task, node }: FactPattern): Generator<FactPattern> {
  const kept = { ...(task ? { task } : {}) };
  if (job !== undefined || node !== undefined) yield withPatternText({ name, ...kept });
}

function withPatternText(pattern: Omit<FactPattern, 'text'>): FactPattern {
  return { ...pattern, text: patternText(pattern) };
}

/** Every duration among the fields of an action, one at a time; `min` and `max` of a range together. */
function* rounderFields(action: Readonly<Record<string, unknown>>): Generator<object> {
  for (const [key, value] of Object.entries(action)) {
    if (!key.endsWith('Us')) continue;
    if (typeof value === 'number') for (const us of rounder(value)) yield { ...action, [key]: us };
    else if (typeof value === 'object') {
      const { min, max } = value as Range;
      if (min !== max) yield { ...action, [key]: { min: max, max } };
      else for (const us of rounder(max)) yield { ...action, [key]: { min: us, max: us } };
    }
  }
}

// ---- numbers ----------------------------------------------------------------------------------------------------

const grains = [10_000_000, 1_000_000, 100_000, 10_000, 1_000];

/** The nearest multiples of coarser and coarser units, the coarsest first; none when it is as round as can be. */
function rounder(us: number): number[] {
  const rounded = grains.filter((grain) => us % grain !== 0).map((grain) => Math.round(us / grain) * grain);
  return [...new Set(rounded)].filter((value) => value > 0);
}

const plainSeeds = ['1', '2', '3', '4', '5'];

function smallerSeeds(seed: string): string[] {
  const place = plainSeeds.indexOf(seed);
  return place < 0 ? plainSeeds : plainSeeds.slice(0, place);
}

// ---- defaults ---------------------------------------------------------------------------------------------------

/** What is counted is taken away elsewhere. */
const counted: ReadonlySet<string> = new Set([
  'masters',
  'workers',
  'slots',
] satisfies (keyof ScenarioCluster)[]);
/** What follows from the lease in a file goes back to its default together with it. */
const ofLease: readonly (keyof ScenarioCluster)[] = ['workerLeaseUs', 'beatUs', 'suspectUs', 'reconnectUs'];

function* simplerCluster(scenario: Scenario): Generator<Candidate> {
  const { cluster } = scenario;
  const withoutLease = defaultsUnder().cluster;
  const underLease = defaultsUnder({ lease: durationSpelling(cluster.workerLeaseUs) }).cluster;
  for (const key of Object.keys(cluster) as (keyof ScenarioCluster)[]) {
    const plain = key === 'workerLeaseUs' ? withoutLease : underLease;
    if (counted.has(key) || JSON.stringify(cluster[key]) === JSON.stringify(plain[key])) continue;
    const keys = key === 'workerLeaseUs' ? ofLease : [key];
    const fields = Object.fromEntries(keys.map((name) => [name, plain[name]]));
    const changed = { ...scenario, cluster: { ...cluster, ...fields } };
    yield { what: `default ${key}`, scenario: key === 'stores' ? onFirstStore(changed) : changed };
  }
}

/** Faults of a store's node that is gone are about the first. */
function onFirstStore(scenario: Scenario): Scenario {
  const faults = scenario.faults.map((fault) => {
    const { action } = fault;
    if (action.kind !== 'halt' || action.stores.kind !== 'store') return fault;
    return withText({ ...fault, action: { ...action, stores: { kind: 'store', node: 1 } } });
  });
  return { ...scenario, faults };
}

function* simplerJobs(scenario: Scenario): Generator<Candidate> {
  const plain = defaultsUnder().jobs[0]!;
  const each = (what: string, change: (job: ScenarioJob) => ScenarioJob): Candidate => ({
    what,
    scenario: { ...scenario, jobs: scenario.jobs.map(change) },
  });
  for (const key of Object.keys(plain.policy) as (keyof JobPolicy)[]) {
    if (scenario.jobs.every(({ policy }) => policy[key] === plain.policy[key])) continue;
    const policy = { [key]: plain.policy[key] };
    yield each(`default ${key}`, (job) => ({ ...job, policy: { ...job.policy, ...policy } }));
  }
  for (const [index, job] of scenario.jobs.entries()) {
    const one = (what: string, fields: Partial<ScenarioJob>): Candidate =>
      each(`job ${index + 1}: ${what}`, (other) => (other === job ? { ...job, ...fields } : other));
    if (job.atUs !== undefined) {
      const { atUs: _, ...waiting } = job;
      yield each(`job ${index + 1}: after the one before`, (other) => (other === job ? waiting : other));
      if (job.atUs > 0) yield one('at the start', { atUs: 0 });
      for (const atUs of rounder(job.atUs)) yield one('rounder time', { atUs });
    }
    if (job.overwrite) yield one('no overwriting', { overwrite: false });
    if (index === 0 && job.output !== plain.output) yield one('default output', { output: plain.output });
    if (job.cost) continue; // from which its times follow
    if (job.times) {
      const { times: _, ...plainer } = job;
      yield each(`job ${index + 1}: no times of single tasks`, (other) => (other === job ? plainer : other));
      for (const fewer of fewerOf(job.times)) yield one('fewer times of single tasks', { times: fewer });
    }
    for (const key of ['mapTimeUs', 'reduceTimeUs'] as const) {
      if (!sameRange(job[key], plain[key])) yield one(`default ${key}`, { [key]: plain[key] });
      if (job[key].min !== job[key].max && !sameRange(job[key], plain[key])) {
        yield one(`fixed ${key}`, { [key]: { min: job[key].max, max: job[key].max } });
      }
    }
  }
}

/** Without a half, a quarter, and so on, down to without a single one; never without all. */
function* fewerOf<T>(list: readonly T[]): Generator<T[]> {
  for (let chunk = Math.ceil(list.length / 2); chunk > 0 && list.length > 1; chunk = Math.floor(chunk / 2)) {
    for (let from = 0; from < list.length; from += chunk)
      yield list.filter((_, place) => place < from || place >= from + chunk);
  }
}

function sameRange(a: Range, b: Range): boolean {
  return a.min === b.min && a.max === b.max;
}

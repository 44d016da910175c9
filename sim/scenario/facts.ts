/**
 * Facts: what happened, in the words of scenarios. Derived from the steps of the machines, which both drivers record:
 * the simulator as they happen, the runtime from its traces, merged by time. A fact says where it was seen and, where
 * there is one, which attempt it is about and which of its task's attempts that was, as leaders gave them out.
 */
import type { Draft } from '../../core/draft.js';
import type { Decide, Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { type AttemptId, type Epoch, type JobId, type NodeId, taskName } from '../../core/ids.js';
import type { Failure, JournalEntry, JournalRecord } from '../../core/records.js';
import { AttemptMap } from '../attempt-map.js';
import { firstLine } from '../thrown-text.js';
import type { FactName } from './fact-names.js';

export interface Fact {
  readonly name: FactName;
  readonly atUs: number;
  /** Where it was seen or decided. */
  readonly node: NodeId;
  /** The node it is about, when that is another one. */
  readonly about?: NodeId;
  readonly job?: JobId;
  /** Which of the scenario's jobs that is, from 1, where several run at once: the journal numbers them as they come. */
  readonly ofJob?: number;
  readonly attempt?: AttemptId;
  /** `map-0`. */
  readonly task?: string;
  /** 1 for the first attempt of its task that any leader ever gave out. */
  readonly ordinal?: number;
  /** Who runs, or ran, the attempt. */
  readonly worker?: NodeId;
  readonly epoch?: Epoch;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** One step of a machine as a driver recorded it. */
export interface Step {
  readonly node: NodeId;
  readonly atUs: number;
  readonly event: MachineEvent;
  readonly effects: readonly Effect[];
}

/** What a reader of steps must remember to name attempts and to see each entry of the journal once. */
export interface FactReader {
  /** Nonces of the journal's entries that any node has learnt of. */
  readonly entries: Set<string>;
  readonly mapsOfJob: Map<JobId, number>;
  /** Request ids of the scenario's jobs, in their order; none where they come one after another. */
  readonly requests: readonly string[];
  /** Which of the scenario's jobs each is, where that is told. */
  readonly ofJob: Map<JobId, number>;
  readonly attempts: AttemptMap<SeenAttempt>;
  /** How many attempts of each task were given out, by job and task. */
  readonly attemptsOfTask: Map<JobId, number[]>;
}

interface SeenAttempt {
  readonly ordinal: number;
  /** Its task's name, once it is known how many maps the job has. */
  task: string | undefined;
  /** Who runs, or ran it. */
  worker: NodeId | undefined;
}

export function newFactReader(requests: readonly string[] = []): FactReader {
  return {
    entries: new Set(),
    mapsOfJob: new Map(),
    requests,
    ofJob: new Map(),
    attempts: new AttemptMap(),
    attemptsOfTask: new Map(),
  };
}

/** The facts of one step, in the order in which they came about. */
export function readFacts(reader: FactReader, step: Step): Fact[] {
  const facts: Fact[] = [];
  readEvent(reader, step, facts);
  for (const effect of step.effects) {
    if (effect.type === 'decide') {
      facts.push(ofDecision(reader, step, effect));
    } else if (effect.type === 'attempt.run') {
      reader.mapsOfJob.set(effect.attempt.job, effect.maps);
      seen(reader, effect.attempt).worker = step.node;
      facts.push(ofAttempt(reader, step, 'started', effect.attempt));
    }
  }
  return facts;
}

function readEvent(reader: FactReader, step: Step, facts: Fact[]): void {
  const { event, node, atUs } = step;
  switch (event.type) {
    case 'journal.appended':
      return readEntry(reader, step, event.entry, facts);
    case 'journal.taken':
      if (event.entry) readEntry(reader, step, event.entry, facts);
      return;
    case 'journal.entries':
      for (const entry of event.entries) readEntry(reader, step, entry, facts);
      return;
    case 'attempt.finished':
      facts.push(ofAttempt(reader, step, 'finished', event.attempt));
      return;
    case 'attempt.broke':
      facts.push(ofAttempt(reader, step, 'broke', event.attempt, failureDetail(event.failure)));
      return;
    case 'attempt.starved': {
      const source = taskText(reader, event.source, seen(reader, event.source));
      facts.push(ofAttempt(reader, step, 'starved', event.attempt, { source, reason: event.reason }));
      return;
    }
    case 'output.published':
      facts.push({ name: 'output-published', atUs, node, ...aboutJob(reader, event.job) });
      return;
    case 'output.refused': {
      const about = { ...aboutJob(reader, event.job), detail: { message: event.message } };
      facts.push({ name: 'output-refused', atUs, node, ...about });
      return;
    }
  }
}

/** Characters. */
const messageLengthMax = 200;

/** What user code says of its failure may be long, and of many lines. */
function failureDetail({ kind, message }: Failure): NonNullable<Fact['detail']> {
  const start = firstLine(message).slice(0, 2 * messageLengthMax); // no character is longer than two units
  return { kind, message: [...start].slice(0, messageLengthMax).join('') };
}

/** An entry speaks once: when the first node learns of it. */
function readEntry(reader: FactReader, step: Step, entry: JournalEntry, facts: Fact[]): void {
  if (reader.entries.has(entry.nonce)) return;
  reader.entries.add(entry.nonce);
  for (const record of entry.records) {
    const fact = ofRecord(reader, step, record);
    if (fact) facts.push(fact);
  }
}

function ofRecord(reader: FactReader, step: Step, record: JournalRecord): Fact | undefined {
  switch (record.type) {
    case 'job.accepted': {
      reader.mapsOfJob.set(record.job, record.spec.maps);
      const place = reader.requests.indexOf(record.requestId);
      if (place >= 0) reader.ofJob.set(record.job, place + 1);
      return undefined;
    }
    case 'task.committed':
      seen(reader, record.attempt).worker = record.holder.node;
      return ofAttempt(reader, step, 'committed', record.attempt);
    case 'task.invalidated':
      return ofAttempt(reader, step, 'invalidated', record.attempt, { reason: record.reason });
    case 'attempt.failed':
      return ofAttempt(reader, step, 'failed', record.attempt, {
        kind: record.failure.kind,
        counted: record.counted,
      });
    default:
      return undefined;
  }
}

function ofDecision(reader: FactReader, step: Step, decide: Decide): Fact {
  const { decision, attempt, job, node, epoch, facts } = decide;
  if (attempt && decision === 'attempt-assigned' && node !== undefined) seen(reader, attempt).worker ??= node;
  let fact: Draft<Fact>;
  if (attempt) {
    fact = ofAttempt(reader, step, decision, attempt, facts);
  } else {
    fact = { name: decision, atUs: step.atUs, node: step.node };
    if (job !== undefined) Object.assign(fact, aboutJob(reader, job));
    if (facts) fact.detail = facts;
  }
  if (node !== undefined && node !== step.node) fact.about = node;
  if (epoch !== undefined) fact.epoch = epoch;
  return fact;
}

function ofAttempt(
  reader: FactReader,
  step: Step,
  name: FactName,
  attempt: AttemptId,
  detail?: Fact['detail'],
): Draft<Fact> {
  const { job } = attempt;
  const known = seen(reader, attempt);
  const { ordinal, worker } = known;
  const task = taskText(reader, attempt, known);
  const fact: Draft<Fact> = { name, atUs: step.atUs, node: step.node, job, attempt, task, ordinal };
  if (worker !== undefined) fact.worker = worker;
  const ofJob = reader.ofJob.get(job);
  if (ofJob !== undefined) fact.ofJob = ofJob;
  if (detail) fact.detail = detail;
  return fact;
}

/** What a fact says of the job that it is about. */
export function aboutJob(reader: FactReader, job: JobId): Pick<Fact, 'job' | 'ofJob'> {
  const ofJob = reader.ofJob.get(job);
  return ofJob === undefined ? { job } : { job, ofJob };
}

function taskText(reader: FactReader, attempt: AttemptId, known: SeenAttempt): string {
  if (known.task !== undefined) return known.task;
  const maps = reader.mapsOfJob.get(attempt.job);
  if (maps === undefined) return taskName(attempt.task, Number.POSITIVE_INFINITY);
  known.task = taskName(attempt.task, maps);
  return known.task;
}

/** The N of `map-0@N`: this is the N-th attempt of its task that was ever given out, whoever led, begun or not. */
export function ordinalOf(reader: FactReader, attempt: AttemptId): number {
  return seen(reader, attempt).ordinal;
}

/** For a driver that asks for ordinals and reads no facts: who gives out an attempt counts it. */
export function countAssigned(reader: FactReader, { decision, attempt }: Decide): void {
  if (attempt && decision === 'attempt-assigned') seen(reader, attempt);
}

function seen(reader: FactReader, attempt: AttemptId): SeenAttempt {
  const known = reader.attempts.get(attempt);
  if (known) return known;
  // A leader counts from 1: those before it were given out, although it is told of them only later, or never.
  if (attempt.n > 1) seen(reader, { ...attempt, n: attempt.n - 1 });
  let tasks = reader.attemptsOfTask.get(attempt.job);
  if (!tasks) reader.attemptsOfTask.set(attempt.job, (tasks = []));
  const ordinal = (tasks[attempt.task] ?? 0) + 1;
  tasks[attempt.task] = ordinal;
  const first: SeenAttempt = { ordinal, task: undefined, worker: undefined };
  reader.attempts.set(attempt, first);
  return first;
}

/** `map-0@2`, for people. */
export function attemptText(fact: Fact): string {
  return `${fact.task ?? '?'}@${fact.ordinal ?? '?'}`;
}

/**
 * Facts: what happened, in the words of scenarios. Derived from the steps of the machines, which both drivers record:
 * the simulator as they happen, the runtime from its traces, merged by time. A fact says where it was seen and, where
 * there is one, which attempt it is about and which try at its task that was.
 */
import type { Decide, Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import {
  type AttemptId,
  attemptKey,
  type Epoch,
  type JobId,
  type NodeId,
  taskKey,
  taskName,
} from '../../core/ids.js';
import type { JournalEntry, JournalRecord } from '../../core/records.js';
import type { FactName } from './fact-names.js';

export interface Fact {
  readonly name: FactName;
  readonly atUs: number;
  /** Where it was seen or decided. */
  readonly node: NodeId;
  /** The node it is about, when that is another one. */
  readonly about?: NodeId;
  readonly job?: JobId;
  readonly attempt?: AttemptId;
  /** `map-0`. */
  readonly task?: string;
  /** 1 for the first attempt of its task that was ever seen, whatever its epoch. */
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

/** What a reader of steps must remember to name attempts and to see each journal slot once. */
export interface FactReader {
  /** Highest journal slot that any node has learnt of. */
  slotSeen: number;
  readonly mapsOfJob: Map<JobId, number>;
  readonly ordinals: Map<string, number>;
  readonly attemptsOfTask: Map<string, number>;
  readonly workers: Map<string, NodeId>;
}

export function newFactReader(): FactReader {
  return {
    slotSeen: 0,
    mapsOfJob: new Map(),
    ordinals: new Map(),
    attemptsOfTask: new Map(),
    workers: new Map(),
  };
}

/** The facts of one step, in the order in which they came about. */
export function readFacts(reader: FactReader, step: Step): Fact[] {
  const facts: Fact[] = [];
  readEvent(reader, step, facts);
  for (const effect of step.effects) {
    if (effect.type === 'decide') facts.push(ofDecision(reader, step, effect));
    else if (effect.type === 'attempt.run') {
      reader.mapsOfJob.set(effect.attempt.job, effect.maps);
      reader.workers.set(attemptKey(effect.attempt), step.node);
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
      facts.push(ofAttempt(reader, step, 'broke', event.attempt, { kind: event.failure.kind }));
      return;
    case 'attempt.starved': {
      const source = taskText(reader, event.source);
      facts.push(ofAttempt(reader, step, 'starved', event.attempt, { source, reason: event.reason }));
      return;
    }
    case 'output.published':
      facts.push({ name: 'output-published', atUs, node, job: event.job });
      return;
    case 'output.refused':
      facts.push({ name: 'output-refused', atUs, node, job: event.job, detail: { message: event.message } });
      return;
  }
}

/** A slot speaks once: when the first node learns what it holds. */
function readEntry(reader: FactReader, step: Step, entry: JournalEntry, facts: Fact[]): void {
  if (entry.slot <= reader.slotSeen) return;
  reader.slotSeen = entry.slot;
  for (const record of entry.records) {
    const fact = ofRecord(reader, step, record);
    if (fact) facts.push(fact);
  }
}

function ofRecord(reader: FactReader, step: Step, record: JournalRecord): Fact | undefined {
  switch (record.type) {
    case 'job.accepted':
      reader.mapsOfJob.set(record.job, record.spec.maps);
      return undefined;
    case 'task.committed':
      reader.workers.set(attemptKey(record.attempt), record.holder.node);
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
  if (
    attempt &&
    node !== undefined &&
    !reader.workers.has(attemptKey(attempt)) &&
    decision === 'attempt-assigned'
  ) {
    reader.workers.set(attemptKey(attempt), node);
  }
  const about = {
    ...(node !== undefined && node !== step.node ? { about: node } : {}),
    ...(epoch !== undefined ? { epoch } : {}),
  };
  if (attempt) return { ...ofAttempt(reader, step, decision, attempt, facts), ...about };
  return {
    name: decision,
    atUs: step.atUs,
    node: step.node,
    ...(job !== undefined ? { job } : {}),
    ...about,
    ...(facts ? { detail: facts } : {}),
  };
}

function ofAttempt(
  reader: FactReader,
  step: Step,
  name: FactName,
  attempt: AttemptId,
  detail?: Fact['detail'],
): Fact {
  const worker = reader.workers.get(attemptKey(attempt));
  return {
    name,
    atUs: step.atUs,
    node: step.node,
    job: attempt.job,
    attempt,
    task: taskText(reader, attempt),
    ordinal: ordinalOf(reader, attempt),
    ...(worker !== undefined ? { worker } : {}),
    ...(detail ? { detail } : {}),
  };
}

function taskText(reader: FactReader, attempt: AttemptId): string {
  return taskName(attempt.task, reader.mapsOfJob.get(attempt.job) ?? Number.POSITIVE_INFINITY);
}

/** Which try at its task this attempt is, counted in the order in which attempts were first seen. */
export function ordinalOf(reader: FactReader, attempt: AttemptId): number {
  const key = attemptKey(attempt);
  const known = reader.ordinals.get(key);
  if (known !== undefined) return known;
  const task = taskKey(attempt.job, attempt.task);
  const ordinal = (reader.attemptsOfTask.get(task) ?? 0) + 1;
  reader.attemptsOfTask.set(task, ordinal);
  reader.ordinals.set(key, ordinal);
  return ordinal;
}

/** `map-0@2`, for people. */
export function attemptText(fact: Fact): string {
  return `${fact.task ?? '?'}@${fact.ordinal ?? '?'}`;
}

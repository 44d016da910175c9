/** What the traces of a run say that its story is told from: lives, jobs, how long attempts took, what happened. */
import { lifeName, type NodeId } from '../../core/ids.js';
import type { JobAccepted } from '../../core/records.js';
import { mergeTraces, type NodeTrace } from '../explain/merge.js';
import { factsOf } from '../explain/merged-facts.js';
import { entriesOf } from '../journal-entries.js';
import type { Fact } from '../scenario/facts.js';

/** One life of a node: when it took its first step and its last, and all steps between. */
export interface RecordedLife {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly stepsUs: readonly number[];
  readonly fromUs: number;
  readonly toUs: number;
}

export interface Recording {
  readonly traces: readonly NodeTrace[];
  readonly facts: readonly Fact[];
  /** In their order. */
  readonly jobs: readonly JobAccepted[];
  /** By node, the earliest first. */
  readonly lives: ReadonlyMap<NodeId, readonly RecordedLife[]>;
  /** When the last job ended; infinite when the traces do not tell. */
  readonly endUs: number;
  /** How long messages took. Undefined where none was heard, and where clocks disagree. */
  readonly messages: Spread | undefined;
}

/** All but a few lie between the first and the last, half of them below the middle one. Microseconds. */
export interface Spread {
  readonly fromUs: number;
  readonly middleUs: number;
  readonly toUs: number;
}

export function readRecording(traces: readonly NodeTrace[]): Recording {
  const steps = mergeTraces(traces);
  // By request: a store that went back may have given one number to two jobs.
  const jobs = new Map<string, JobAccepted>();
  const stepsOf = new Map<string, { node: NodeId; incarnation: number; stepsUs: number[] }>();
  const messagesUs: number[] = [];
  for (const { node, incarnation, atUs, cause, line } of steps) {
    const name = lifeName({ node, incarnation });
    const known = stepsOf.get(name);
    if (known) known.stepsUs.push(atUs);
    else stepsOf.set(name, { node, incarnation, stepsUs: [atUs] });
    const { event } = line;
    const sentUs = cause && stepsOf.get(lifeName(cause))?.stepsUs[cause.index - 1];
    if (sentUs !== undefined && event.type === 'message.received') messagesUs.push(atUs - sentUs);
    for (const entry of entriesOf(event)) {
      for (const record of entry.records)
        if (record.type === 'job.accepted') jobs.set(record.requestId, record);
    }
  }
  const lives = new Map<NodeId, RecordedLife[]>();
  for (const life of stepsOf.values()) {
    const { node, stepsUs } = life;
    const told = { ...life, fromUs: stepsUs[0]!, toUs: stepsUs.at(-1)! };
    lives.set(
      node,
      [...(lives.get(node) ?? []), told].sort((a, b) => a.incarnation - b.incarnation),
    );
  }
  const facts = factsOf(steps);
  return {
    traces,
    facts,
    jobs: [...jobs.values()].sort((a, b) => a.job - b.job),
    lives,
    endUs: endOf(facts, jobs.size),
    messages: spreadOf(messagesUs),
  };
}

function spreadOf(timesUs: readonly number[]): Spread | undefined {
  const sorted = [...timesUs].sort((a, b) => a - b);
  if (sorted.length === 0 || sorted[0]! < 0) return undefined;
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
  return { fromUs: at(0.05), middleUs: at(0.5), toUs: at(0.95) };
}

function endOf(facts: readonly Fact[], jobs: number): number {
  const ends = facts.filter(({ name }) => name === 'job-published' || name === 'job-failed');
  return ends.length < jobs ? Number.POSITIVE_INFINITY : (ends.at(-1)?.atUs ?? Number.POSITIVE_INFINITY);
}

export interface MeasuredAttempt {
  readonly task: string;
  readonly ordinal: number;
  readonly tookUs: number;
  /** Its code failed: nobody knows how long the whole would have taken. */
  readonly isBroken: boolean;
}

/** Attempts of a job of which both begin and end were recorded. */
export function measure({ facts }: Recording, job: number): MeasuredAttempt[] {
  const begunUs = new Map<string, number>();
  const measured: MeasuredAttempt[] = [];
  for (const { name, job: of, task, ordinal, node, atUs } of facts) {
    if (of !== job || task === undefined || ordinal === undefined) continue;
    const key = `${task}@${ordinal} ${node}`;
    if (name === 'started') begunUs.set(key, atUs);
    const sinceUs = begunUs.get(key);
    if ((name === 'finished' || name === 'broke') && sinceUs !== undefined)
      measured.push({ task, ordinal, tookUs: atUs - sinceUs, isBroken: name === 'broke' });
  }
  return measured;
}

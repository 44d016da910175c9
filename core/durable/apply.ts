/**
 * Folding records into the durable state: the only place where it changes.
 *
 * A record that contradicts the state means that a leader appended what it should not have: a bug of ours (rule M2),
 * never tolerated. The same code runs live and in recovery, so a takeover sees exactly what the former leader saw.
 */
import { generationText, mixGeneration, newGeneration } from '../generation.js';
import { sameAttempt, type TaskIndex } from '../ids.js';
import { invariant } from '../invariant-error.js';
import type {
  AttemptFailed,
  JournalEntry,
  JournalRecord,
  Snapshot,
  TaskCommitted,
  TaskInvalidated,
} from '../records.js';
import { noteBadRecord } from './skips.js';
import {
  type DurableJob,
  type DurableState,
  erasKept,
  failuresKept,
  findJob,
  isDead,
  isMap,
  isTerminal,
  type Trouble,
  validCommit,
} from './state.js';

/** Applies one entry of the journal; entries come in order, without gaps. */
export function applyEntry(state: DurableState, entry: JournalEntry): void {
  invariant(entry.slot === state.slot + 1, 'M2', () => `slot ${entry.slot} applied after slot ${state.slot}`);
  invariant(
    entry.after === state.nonce,
    'M2',
    () => `slot ${entry.slot} follows ${entry.after}, and is applied after ${state.nonce}`,
  );
  state.slot = entry.slot;
  state.nonce = entry.nonce;
  if (entry.records[0]?.type !== 'snapshot') state.snapshots.open = undefined;
  for (const record of entry.records) applyRecord(state, record);
}

export function applyRecord(state: DurableState, record: JournalRecord): void {
  switch (record.type) {
    case 'leader.began':
      invariant(
        record.epoch > state.epoch,
        'M2',
        `epoch ${record.epoch} began after epoch ${state.epoch} in the same journal`,
      );
      state.epoch = record.epoch;
      state.leader = record.leader;
      state.eras.push({ epoch: record.epoch, slot: state.slot, leader: record.leader });
      if (state.eras.length > erasKept) state.eras.shift();
      return;
    case 'snapshot':
      return noteSnapshot(state, record);
    case 'job.accepted':
      invariant(record.job === state.jobs.length + 1, 'M2', `job ${record.job} accepted out of turn`);
      invariant(
        !state.jobByRequest.has(record.requestId),
        'M2',
        `request ${record.requestId} accepted twice`,
      );
      state.jobByRequest.set(record.requestId, record.job);
      state.jobs.push({
        job: record.job,
        epoch: state.epoch,
        requestId: record.requestId,
        spec: record.spec,
        phase: 'open',
        failure: undefined,
        commits: new Array(record.spec.maps + record.spec.reduces).fill(undefined),
        mapsCommitted: 0,
        reducesCommitted: 0,
        generation: newGeneration(),
        troubles: new Map(),
        failures: [],
      });
      return;
    case 'task.committed':
      return commit(openJob(state, record.attempt.job, record.type), record);
    case 'task.invalidated':
      return invalidate(openJob(state, record.attempt.job, record.type), record);
    case 'attempt.failed':
      return fail(openJob(state, record.attempt.job, record.type), record);
    case 'job.publishing': {
      const job = openJob(state, record.job, record.type);
      const { maps, reduces } = job.spec;
      invariant(
        job.mapsCommitted === maps && job.reducesCommitted === reduces,
        'M2',
        `job ${record.job} published with ${job.mapsCommitted}/${maps} maps, ${job.reducesCommitted}/${reduces} reduces`,
      );
      job.phase = 'publishing';
      return;
    }
    case 'job.published': {
      const job = findJob(state, record.job);
      invariant(job?.phase === 'publishing', 'M2', `job ${record.job} published in phase ${job?.phase}`);
      job.phase = 'published';
      return;
    }
    case 'job.failed': {
      const job = findJob(state, record.job);
      invariant(
        job !== undefined && !isTerminal(job),
        'M2',
        `job ${record.job} failed in phase ${job?.phase}`,
      );
      job.phase = 'failed';
      job.failure = record.failure;
      return;
    }
  }
}

/** What it says is what the state is already: only where it lies is news. */
function noteSnapshot(state: DurableState, { part, parts }: Snapshot): void {
  const { slot, nonce, snapshots } = state;
  const before = part === 1 ? { slot, nonce, parts: 0 } : snapshots.open;
  invariant(before?.parts === part - 1, 'M2', `part ${part} of a snapshot follows part ${before?.parts}`);
  const place = { ...before, parts: part };
  if (part < parts) {
    snapshots.open = place;
    return;
  }
  snapshots.open = undefined;
  snapshots.behind = snapshots.last;
  snapshots.last = place;
}

function openJob(state: DurableState, id: number, kind: string): DurableJob {
  const job = findJob(state, id);
  invariant(job?.phase === 'open', 'M2', () => `${kind} for job ${id} in phase ${job?.phase ?? 'unknown'}`);
  return job;
}

function count(job: DurableJob, task: TaskIndex, by: 1 | -1): void {
  if (isMap(job, task)) job.mapsCommitted += by;
  else job.reducesCommitted += by;
}

/** One list for nearly all commits. */
const noneSkipped: readonly string[] = [];

function commit(job: DurableJob, record: TaskCommitted): void {
  const { task } = record.attempt;
  invariant(task < job.commits.length, 'M2', () => `commit of task ${task} of ${job.commits.length}`);
  invariant(
    validCommit(job, task) === undefined,
    'M1',
    () => `task ${task} of job ${job.job} committed twice`,
  );
  invariant(!isDead(job, record.attempt), 'M1', () => `a dead attempt of task ${task} committed`);
  if (isMap(job, task)) {
    const before = job.commits[task];
    if (before) mixGeneration(job.generation, task, before.output.digest, -1);
    mixGeneration(job.generation, task, record.output.digest, 1);
  } else {
    const { inputs } = record.output;
    invariant(
      inputs === generationText(job.generation),
      'M6',
      () => `task ${task} committed from mixed generations`,
    );
  }
  job.commits[task] = {
    attempt: record.attempt,
    holder: record.holder,
    output: record.output,
    counters: record.counters,
    skipped: record.skipped ?? noneSkipped,
    valid: true,
  };
  count(job, task, 1);
}

function invalidate(job: DurableJob, record: TaskInvalidated): void {
  const { task } = record.attempt;
  const current = validCommit(job, task);
  invariant(
    current !== undefined && sameAttempt(current.attempt, record.attempt),
    'M2',
    `task ${task} of job ${job.job} invalidated, but that attempt is not its commit`,
  );
  current.valid = false;
  const trouble = troubleOf(job, task);
  trouble.dead.push(record.attempt);
  trouble.invalidated++;
  count(job, task, -1);
}

function fail(job: DurableJob, record: AttemptFailed): void {
  const trouble = troubleOf(job, record.attempt.task);
  invariant(!isDead(job, record.attempt), 'M2', `an attempt of task ${record.attempt.task} failed twice`);
  trouble.dead.push(record.attempt);
  if (record.failure.kind === 'worker-died') trouble.deaths++;
  if (!record.counted) return;
  trouble.failed++;
  trouble.last = record.failure;
  if (record.failure.kind === 'timeout') trouble.timedOut++;
  if (!trouble.nodes.includes(record.node)) trouble.nodes.push(record.node);
  noteBadRecord(job, record.attempt.task, trouble, record.failure.record);
  job.failures.push({ attempt: record.attempt, node: record.node, failure: record.failure });
  if (job.failures.length > failuresKept) job.failures.shift();
}

function troubleOf(job: DurableJob, task: TaskIndex): Trouble {
  let trouble = job.troubles.get(task);
  if (!trouble) {
    trouble = {
      failed: 0,
      timedOut: 0,
      last: undefined,
      deaths: 0,
      nodes: [],
      dead: [],
      invalidated: 0,
      badRecords: [],
    };
    job.troubles.set(task, trouble);
  }
  return trouble;
}

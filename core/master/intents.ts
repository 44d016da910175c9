/**
 * What a master wants to become durable, and the judgement of it when its batch is formed.
 *
 * An intent may wait behind an append for a while, and the world moves on: so it is judged against the applied state
 * at the moment it enters a batch, and becomes a record, or is dropped and answered. Two intents of which one could
 * change the judgement of the other never share a batch (`scopeOf`): the later one waits for the next.
 */

import type { Draft } from '../draft.js';
import { sameSkips } from '../durable/skips.js';
import {
  type DurableJob,
  type DurableState,
  findJob,
  isDead,
  isMap,
  isTerminal,
  validCommit,
} from '../durable/state.js';
import { generationText } from '../generation.js';
import {
  type AttemptId,
  type Epoch,
  type JobId,
  type NodeId,
  type NodeLife,
  sameAttempt,
  taskKey,
  taskName,
} from '../ids.js';
import type { JobRefused, Verdict } from '../messages.js';
import type {
  Counters,
  Failure,
  InvalidationReason,
  JobFailure,
  JobSpec,
  JournalRecord,
  Output,
  TaskCommitted,
} from '../records.js';

export type Intent =
  | {
      readonly type: 'begin';
      readonly leader: NodeLife;
      /** An epoch that was heard of and is not in the journal: the new one is higher. */
      readonly above: Epoch;
    }
  | {
      readonly type: 'accept';
      readonly requestId: string;
      readonly spec: JobSpec;
      /** Judged for the second time, after the journal was read to its end. */
      readonly confirmed: boolean;
    }
  | {
      readonly type: 'commit';
      readonly attempt: AttemptId;
      readonly holder: NodeLife;
      readonly output: Output;
      readonly counters: Counters;
      readonly skipped: readonly string[];
    }
  | { readonly type: 'invalidate'; readonly attempt: AttemptId; readonly reason: InvalidationReason }
  | {
      readonly type: 'fail';
      readonly attempt: AttemptId;
      readonly node: NodeId;
      readonly failure: Failure;
      readonly counted: boolean;
    }
  | { readonly type: 'publishing'; readonly job: JobId }
  | { readonly type: 'published'; readonly job: JobId }
  | { readonly type: 'fail-job'; readonly job: JobId; readonly failure: JobFailure };

/** A record to append, or why there is none. */
export type Judgement =
  | { readonly record: JournalRecord }
  | { readonly dropped: Verdict | JobRefused['reason'] | 'known' | 'stale' };

export function judge(
  state: DurableState,
  intent: Intent,
  limits: { jobsMax: number; tasksMax: number },
): Judgement {
  switch (intent.type) {
    case 'begin':
      return {
        record: {
          type: 'leader.began',
          epoch: Math.max(state.epoch, intent.above) + 1,
          leader: intent.leader,
        },
      };
    case 'accept':
      return judgeSubmit(state, intent.requestId, intent.spec, limits);
    case 'commit':
      return judgeCommit(state, intent);
    case 'invalidate': {
      const job = findJob(state, intent.attempt.job);
      const current = job?.phase === 'open' ? validCommit(job, intent.attempt.task) : undefined;
      if (!current || !sameAttempt(current.attempt, intent.attempt)) return { dropped: 'stale' };
      return { record: { type: 'task.invalidated', attempt: intent.attempt, reason: intent.reason } };
    }
    case 'fail': {
      const job = findJob(state, intent.attempt.job);
      if (job?.phase !== 'open' || isDead(job, intent.attempt)) return { dropped: 'stale' };
      // What has a result cannot fail any more: else the failure of a rival could end the job.
      if (validCommit(job, intent.attempt.task)) return { dropped: 'stale' };
      return {
        record: {
          type: 'attempt.failed',
          attempt: intent.attempt,
          node: intent.node,
          failure: intent.failure,
          counted: intent.counted,
        },
      };
    }
    case 'publishing': {
      const job = findJob(state, intent.job);
      if (job?.phase !== 'open' || !isComplete(job)) return { dropped: 'stale' };
      return { record: { type: 'job.publishing', job: intent.job } };
    }
    case 'published':
      if (findJob(state, intent.job)?.phase !== 'publishing') return { dropped: 'stale' };
      return { record: { type: 'job.published', job: intent.job } };
    case 'fail-job': {
      const job = findJob(state, intent.job);
      if (!job || isTerminal(job)) return { dropped: 'stale' };
      if (job.phase === 'publishing' && intent.failure.reason !== 'publish-refused')
        return { dropped: 'stale' };
      if (wereGivenBack(job, intent.failure)) return { dropped: 'stale' };
      return { record: { type: 'job.failed', job: intent.job, failure: intent.failure } };
    }
  }
}

/** A rival that failed at the same record, while this waited, made it one to skip: both failures are given back. */
function wereGivenBack(job: DurableJob, { reason, task }: JobFailure): boolean {
  if (reason !== 'task-failed' && reason !== 'disk') return false;
  return (job.troubles.get(task!)?.failed ?? 0) < job.spec.policy.maxAttempts;
}

export function isComplete(job: DurableJob): boolean {
  return job.mapsCommitted === job.spec.maps && job.reducesCommitted === job.spec.reduces;
}

function judgeSubmit(
  state: DurableState,
  requestId: string,
  spec: JobSpec,
  limits: { jobsMax: number; tasksMax: number },
): Judgement {
  if (state.jobByRequest.has(requestId)) return { dropped: 'known' };
  const open = state.jobs.filter((job) => !isTerminal(job));
  if (open.length >= limits.jobsMax || spec.maps + spec.reduces > limits.tasksMax)
    return { dropped: 'limit' };
  if (open.some((job) => pathsOverlap(job.spec.output, spec.output))) return { dropped: 'output-overlaps' };
  return { record: { type: 'job.accepted', job: state.jobs.length + 1, requestId, spec } };
}

/** Whether two outputs are the same place, or one lies inside the other. */
function pathsOverlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/**
 * A completion becomes the task's commit unless somebody was first. A map that is made again must give the digest it
 * gave before: else the user's code is not deterministic, and once a reduce has committed, going on would mix two
 * generations of its input into one answer.
 */
function judgeCommit(state: DurableState, intent: Intent & { type: 'commit' }): Judgement {
  const { attempt, output } = intent;
  const job = findJob(state, attempt.job);
  if (job?.phase !== 'open') return { dropped: 'job-ended' };
  if (isDead(job, attempt)) return { dropped: 'dead' };
  const before = job.commits[attempt.task];
  if (before?.valid) return { dropped: sameAttempt(before.attempt, attempt) ? 'committed' : 'superseded' };
  if (!isMap(job, attempt.task) && output.inputs !== generationText(job.generation)) {
    return { dropped: 'inputs-changed' };
  }
  if (
    isMap(job, attempt.task) &&
    before &&
    before.output.digest !== output.digest &&
    job.reducesCommitted > 0
  ) {
    // It left out other records than the one that reduces have used: no contradiction, and of no use to them.
    if (!sameSkips(before.skipped, intent.skipped)) return { dropped: 'superseded' };
    const name = taskName(attempt.task, job.spec.maps);
    return {
      record: {
        type: 'job.failed',
        job: job.job,
        failure: {
          reason: 'nondeterministic',
          message: `${name} was lost and run again, and gave another output than before, after a reduce had already used the first`,
          task: attempt.task,
          attempts: [before.attempt, attempt],
        },
      },
    };
  }
  const { holder, counters, skipped } = intent;
  const record: Draft<TaskCommitted> = { type: 'task.committed', attempt, holder, output, counters };
  if (skipped.length > 0) record.skipped = skipped;
  return { record };
}

/**
 * What an intent's judgement depends on and changes. Of one batch, no two intents name the same `thing`, and one that
 * needs its job `alone` shares no batch with another of that job.
 */
export function scopeOf(state: DurableState, intent: Intent): { thing: string; job: JobId; alone: boolean } {
  switch (intent.type) {
    case 'begin':
      return { thing: 'leadership', job: 0, alone: true };
    case 'accept':
      return { thing: 'submit', job: 0, alone: false };
    case 'commit': {
      const { job, task } = intent.attempt;
      const before = findJob(state, job)?.commits[task];
      const differs = before !== undefined && before.output.digest !== intent.output.digest;
      return { thing: taskKey(job, task), job, alone: differs };
    }
    case 'invalidate':
    case 'fail':
      return {
        thing: taskKey(intent.attempt.job, intent.attempt.task),
        job: intent.attempt.job,
        alone: false,
      };
    case 'publishing':
    case 'published':
    case 'fail-job':
      return { thing: `job ${intent.job}`, job: intent.job, alone: true };
  }
}

/**
 * What follows once a record is durable, and what is answered when an intent never became one. Everything that tells
 * others of a decision stands here, behind the store's word.
 */
import { clear } from '../deadlines.js';
import { sameSkips, wasSkipped } from '../durable/skips.js';
import { type DurableJob, findJob, isMap } from '../durable/state.js';
import { type AttemptId, attemptKey, sameAttempt, taskName } from '../ids.js';
import type { Verdict } from '../messages.js';
import type { AttemptFailed, JournalRecord, TaskCommitted, TaskInvalidated } from '../records.js';
import { refuse, tellFollowers, tellFollowersSoon } from './clients.js';
import { forgetConduct, noteFailure, noteSuccess } from './exclusion.js';
import { allMapsDone, noteOutput } from './inputs.js';
import { type Intent, isComplete } from './intents.js';
import { doubt, makeIdle, noteHolder, openJobView, phaseOf, recorded, reviewJob } from './jobs.js';
import { readFresh } from './journal.js';
import { becomeLeader } from './leadership.js';
import { dropLive, revoke } from './live.js';
import { order } from './orders.js';
import { endWaiting } from './preemption.js';
import { answer, answerBroken, refuseReport, warnNondeterminism } from './reports.js';
import { onSnapshotPart } from './snapshots.js';
import type { JobView, MasterState, Turn } from './state.js';

export function applied(state: MasterState, turn: Turn, record: JournalRecord): void {
  if (record.type === 'leader.began') {
    if (state.role === 'campaigning') becomeLeader(state, turn);
    return;
  }
  const { leading } = state;
  if (!leading) return;
  switch (record.type) {
    case 'snapshot':
      return onSnapshotPart(state, turn, record);
    case 'job.accepted': {
      const job = findJob(state.durable, record.job)!;
      const view = openJobView(job);
      leading.jobs.set(job.job, view);
      const submitter = leading.submitters.get(record.requestId);
      if (submitter !== undefined) view.followers.add(submitter);
      leading.submitters.delete(record.requestId);
      turn.out.push({ type: 'decide', decision: 'job-accepted', job: job.job });
      return tellFollowers(state, turn, job);
    }
    case 'task.committed':
      return onCommitted(state, turn, record);
    case 'task.invalidated':
      return onInvalidated(state, turn, record);
    case 'attempt.failed':
      answerBroken(state, turn, record);
      if (record.counted) onCountedFailure(state, turn, record);
      afterRecording(state, turn, record.attempt);
      return reviewJob(state, turn, record.attempt.job);
    case 'job.publishing':
      turn.out.push({ type: 'decide', decision: 'job-publishing', job: record.job });
      reviewJob(state, turn, record.job);
      return tellFollowers(state, turn, findJob(state.durable, record.job)!);
    case 'job.published':
      turn.out.push({ type: 'decide', decision: 'job-published', job: record.job });
      return endJob(state, turn, findJob(state.durable, record.job)!);
    case 'job.failed':
      turn.out.push({
        type: 'decide',
        decision: 'job-failed',
        job: record.job,
        facts: { reason: record.failure.reason, message: record.failure.message },
      });
      return endJob(state, turn, findJob(state.durable, record.job)!);
  }
}

function onCountedFailure(state: MasterState, turn: Turn, failed: AttemptFailed): void {
  const { attempt, failure, node } = failed;
  const job = findJob(state.durable, attempt.job)!;
  if (failure.record !== undefined && wasSkipped(job, attempt.task, failure.record)) {
    turn.out.push({
      type: 'decide',
      decision: 'record-skipped',
      attempt,
      node,
      facts: { record: failure.record, failures: job.troubles.get(attempt.task)!.failed },
    });
  }
  noteFailure(state, turn, failed);
}

function onCommitted(state: MasterState, turn: Turn, record: TaskCommitted): void {
  const { attempt, holder } = record;
  const job = findJob(state.durable, attempt.job)!;
  const view = state.leading!.jobs.get(attempt.job)!;
  const name = taskName(attempt.task, job.spec.maps);
  turn.out.push({
    type: 'decide',
    decision: 'task-committed',
    attempt,
    node: holder.node,
    facts: { task: name },
  });
  const worker = state.leading!.workers.get(holder.node);
  if (worker) answer(state, turn, worker, attempt, 'committed');
  stopRivals(state, turn, view, attempt);
  recorded(view, job, attempt.task);
  noteSuccess(view, holder.node);
  if (isMap(job, attempt.task)) {
    const before = view.lost.get(attempt.task);
    view.lost.delete(attempt.task);
    noteHolder(view, attempt.task, holder.node);
    noteOutput(job, view, { attempt, digest: record.output.digest, holder: holder.node });
    if (before && before.digest !== record.output.digest)
      regenerated(state, turn, { job, view, attempt, before: before.attempt });
    if (job.commits[attempt.task]!.skipped.length > 0)
      view.skips.set(attempt.task, job.commits[attempt.task]!.skipped);
    else view.skips.delete(attempt.task);
    if (state.config.mapOutputs === 'worker' && worker?.life.incarnation !== holder.incarnation)
      loseAtOnce(state, job, view, attempt);
    if (allMapsDone(job) && !view.maps.done) {
      view.maps.done = true;
      turn.out.push({ type: 'decide', decision: 'maps-done', job: job.job });
      endWaiting(state, turn, job, view);
    }
  } else if (job.reducesCommitted === job.spec.reduces && !view.reduces.done) {
    view.reduces.done = true;
    turn.out.push({ type: 'decide', decision: 'reduces-done', job: job.job });
  }
  if (isComplete(job)) reviewJob(state, turn, job.job); // nothing else follows from a commit
  tellFollowersSoon(state, turn, job);
}

/** While the record was on its way its holder was lost, or began another life, and with it what it held. */
function loseAtOnce(state: MasterState, job: DurableJob, view: JobView, attempt: AttemptId): void {
  if (job.reducesCommitted < job.spec.reduces) doubt(state, view, attempt, 'holder-lost');
}

/** Other attempts of a committed task are not worth finishing. */
function stopRivals(state: MasterState, turn: Turn, view: JobView, winner: AttemptId): void {
  for (const rival of [...(view.active.get(winner.task)?.live ?? [])]) {
    if (sameAttempt(rival.id, winner)) continue;
    const worker = state.leading!.workers.get(rival.node);
    if (worker) revoke(state, turn, worker, rival.id, 'superseded');
    dropLive(state, turn, rival, 'superseded');
  }
}

/**
 * A lost map was made again and came out different, before any reduce was committed: the job may go on, but every
 * reduce under way may have read the old content and starts anew. Where other records were left out, that is no wonder.
 */
function regenerated(
  state: MasterState,
  turn: Turn,
  what: { job: DurableJob; view: JobView; attempt: AttemptId; before: AttemptId },
): void {
  const { job, view, attempt, before } = what;
  const skippedBefore = view.skips.get(attempt.task) ?? [];
  if (sameSkips(skippedBefore, job.commits[attempt.task]!.skipped))
    warnNondeterminism(turn, job, attempt, before);
  for (const [task, active] of view.active) {
    if (isMap(job, task)) continue;
    for (const live of [...active.live]) {
      const worker = state.leading!.workers.get(live.node);
      if (worker) revoke(state, turn, worker, live.id, 'inputs-changed');
      dropLive(state, turn, live, 'inputs-changed');
    }
  }
}

function onInvalidated(state: MasterState, turn: Turn, record: TaskInvalidated): void {
  const { attempt, reason } = record;
  const job = findJob(state.durable, attempt.job)!;
  const view = state.leading!.jobs.get(attempt.job)!;
  const name = taskName(attempt.task, job.spec.maps);
  view.doubts--;
  turn.out.push({ type: 'decide', decision: 'task-invalidated', attempt, facts: { task: name, reason } });
  if (isMap(job, attempt.task)) {
    const change = { attempt, digest: job.commits[attempt.task]!.output.digest };
    noteOutput(job, view, change);
    view.lost.set(attempt.task, change);
  }
  phaseOf(view, job, attempt.task).done = false;
  makeIdle(view, job, attempt.task);
  tellFollowersSoon(state, turn, job);
}

/** Everybody hears that the job is over; workers drop what they hold of it. */
function endJob(state: MasterState, turn: Turn, job: DurableJob): void {
  const leading = state.leading!;
  const view = leading.jobs.get(job.job);
  if (!view) return;
  for (const active of view.active.values()) {
    for (const attempt of active.live) {
      clear(state.deadlines, 'attempt-timeout', attemptKey(attempt.id));
      leading.waiting.delete(attemptKey(attempt.id));
      leading.workers.get(attempt.node)?.live.delete(attemptKey(attempt.id));
    }
  }
  tellFollowers(state, turn, job);
  clear(state.deadlines, 'tell', String(job.job));
  forgetConduct(state, view);
  leading.jobs.delete(job.job);
  for (const worker of leading.workers.values()) {
    order(state, turn, worker, { type: 'job.ended', job: job.job });
  }
}

function afterRecording(state: MasterState, turn: Turn, attempt: AttemptId): void {
  const job = findJob(state.durable, attempt.job);
  const view = state.leading?.jobs.get(attempt.job);
  if (!job || !view) return;
  recorded(view, job, attempt.task);
  tellFollowersSoon(state, turn, job);
}

/** An intent did not become a record: whoever waits for it gets the answer that the applied state gives. */
export function dropped(state: MasterState, turn: Turn, intent: Intent, reason: string): void {
  if (!state.leading) return;
  switch (intent.type) {
    case 'commit': {
      const job = findJob(state.durable, intent.attempt.job);
      const view = state.leading.jobs.get(intent.attempt.job);
      const verdict = reason as Verdict;
      refuseReport(state, turn, intent.holder.node, { report: intent, view, job, verdict });
      return afterRecording(state, turn, intent.attempt);
    }
    case 'invalidate': {
      const view = state.leading.jobs.get(intent.attempt.job);
      if (view) view.doubts--;
      return;
    }
    case 'fail':
      answerBroken(state, turn, intent);
      return afterRecording(state, turn, intent.attempt);
    case 'accept': {
      if (reason !== 'known' && !intent.confirmed) {
        state.leading.refusals.push(intent);
        return readFresh(state, turn);
      }
      const session = state.leading.submitters.get(intent.requestId);
      const client = session === undefined ? undefined : state.sessions.get(session);
      state.leading.submitters.delete(intent.requestId);
      if (reason === 'known' || session === undefined || client === undefined) return;
      return refuse(state, turn, client, session, intent.requestId, reason as 'limit' | 'output-overlaps');
    }
    case 'publishing':
    case 'fail-job': {
      const view = state.leading.jobs.get(intent.job);
      if (view) view.ending = false;
      return reviewJob(state, turn, intent.job);
    }
  }
}

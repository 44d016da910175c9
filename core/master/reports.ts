/**
 * What workers report of attempts, and the one place that judges a late report.
 *
 * Late means: the attempt lost its lease before it reported. `first-commit` takes whichever completion reaches the
 * journal first, `owner-only` only that of an attempt whose lease still stands. Both are safe, for every attempt writes
 * files of its own. See docs/adr/0002-late-reports.md.
 */
import { arm } from '../deadlines.js';
import { sameSkips } from '../durable/skips.js';
import { type DurableJob, isDead, isMap, jobOf, validCommit } from '../durable/state.js';
import { addDuration } from '../histogram.js';
import { type AttemptId, attemptKey, type NodeId, sameAttempt, taskName } from '../ids.js';
import type { AttemptEnded, BrokenAttempt, FinishedAttempt, Verdict } from '../messages.js';
import type { AttemptFailed, Failure, FailureKind } from '../records.js';
import { activeTask, phaseOf, recording, settleTask } from './jobs.js';
import { propose } from './journal.js';
import { dropLive, revoke, untrack } from './live.js';
import { order } from './orders.js';
import type { JobView, LiveAttempt, MasterState, Turn, WorkerView } from './state.js';

/** Judges a completion: answers it, or proposes its commit. Idempotent: a report may come twice. */
export function judgeReport(
  state: MasterState,
  turn: Turn,
  worker: WorkerView,
  report: FinishedAttempt,
): void {
  const { attempt } = report;
  const job = jobOf(state.durable, attempt);
  const view = job && state.leading!.jobs.get(attempt.job);
  const live = worker.live.get(attemptKey(attempt));
  const verdict = verdictOn(job, report, live !== undefined);
  if (verdict === undefined && view && job) {
    acceptReport(state, turn, worker, { report, view, job, live });
    return;
  }
  if (live) untrack(state, view, live);
  refuseReport(state, turn, worker.life.node, { report, view, job, verdict: verdict ?? 'job-ended' });
  if (live && view && job) settleTask(view, job, attempt.task);
}

/** The verdict if it can be given now; undefined when the journal has to decide. */
function verdictOn(
  job: DurableJob | undefined,
  report: FinishedAttempt,
  holdsLease: boolean,
): Verdict | undefined {
  const { attempt } = report;
  if (!job || attempt.task >= job.commits.length) return 'job-ended';
  const committed = validCommit(job, attempt.task);
  if (committed) return sameAttempt(committed.attempt, attempt) ? 'committed' : 'superseded';
  if (job.phase !== 'open') return 'job-ended';
  if (isDead(job, attempt)) return 'dead';
  if (!holdsLease && job.spec.policy.lateReports === 'owner-only') return 'not-owner';
  return undefined;
}

interface Accepted {
  readonly report: FinishedAttempt;
  readonly view: JobView;
  readonly job: DurableJob;
  readonly live: LiveAttempt | undefined;
}

function acceptReport(state: MasterState, turn: Turn, worker: WorkerView, accepted: Accepted): void {
  const { report, view, job, live } = accepted;
  const { attempt, output, counters, skipped = [] } = report;
  const active = activeTask(view, attempt.task);
  if (active.committing && sameAttempt(active.committing, attempt)) return; // said twice; the answer is under way
  if (live) {
    untrack(state, view, live);
    addDuration(phaseOf(view, job, attempt.task).durations, turn.now - live.workingSince);
  } else {
    turn.out.push({
      type: 'decide',
      decision: 'late-report-accepted',
      attempt,
      node: worker.life.node,
      facts: { policy: job.spec.policy.lateReports, epoch: state.leading!.epoch },
    });
  }
  recording(view, attempt.task).committing ??= attempt;
  propose(state, { type: 'commit', attempt, holder: worker.life, output, counters, skipped });
}

interface Refused {
  readonly report: FinishedAttempt;
  readonly view: JobView | undefined;
  readonly job: DurableJob | undefined;
  readonly verdict: Verdict;
}

/** Answers a report that changes nothing, or not any more. */
export function refuseReport(state: MasterState, turn: Turn, node: NodeId, refused: Refused): void {
  const { report, view, job, verdict } = refused;
  const { attempt } = report;
  if (verdict === 'committed') {
    turn.out.push({ type: 'decide', decision: 'duplicate-report', attempt, node });
  } else {
    if (view && job) phaseOf(view, job, attempt.task).stale++;
    const winner = job && validCommit(job, attempt.task);
    turn.out.push({
      type: 'decide',
      decision: 'late-report-refused',
      attempt,
      node,
      facts: winner
        ? {
            verdict,
            committedEpoch: winner.attempt.epoch,
            committedN: winner.attempt.n,
            by: winner.holder.node,
          }
        : { verdict },
    });
    const comparable = winner && sameSkips(winner.skipped, report.skipped ?? []);
    if (comparable && isMap(job!, attempt.task) && winner.output.digest !== report.output.digest) {
      warnNondeterminism(turn, job!, attempt, winner.attempt);
    }
  }
  const worker = state.leading!.workers.get(node);
  if (worker) answer(state, turn, worker, attempt, verdict);
}

/** Two attempts of one task gave different content. */
export function warnNondeterminism(turn: Turn, job: DurableJob, attempt: AttemptId, other: AttemptId): void {
  turn.out.push({
    type: 'decide',
    decision: 'nondeterminism-seen',
    attempt,
    job: job.job,
    facts: { task: taskName(attempt.task, job.spec.maps), otherEpoch: other.epoch, otherN: other.n },
  });
}

export function answer(
  state: MasterState,
  turn: Turn,
  worker: WorkerView,
  attempt: AttemptId,
  verdict: Verdict,
): void {
  order(state, turn, worker, { type: 'attempt.answer', attempt, verdict });
}

/** User code or data failed (counted), or the attempt was stopped by order (not counted). */
export function onEnded(state: MasterState, turn: Turn, worker: WorkerView, ended: AttemptEnded): void {
  const { attempt, failure } = ended;
  if (failure) onBroken(state, turn, worker, { attempt, failure });
  else freeSlot(state, worker, attempt);
}

/** Counted, and answered once that is durable, or at once if it changes nothing. The worker repeats it until then. */
export function onBroken(state: MasterState, turn: Turn, worker: WorkerView, broken: BrokenAttempt): void {
  const { attempt, failure } = broken;
  const job = jobOf(state.durable, attempt);
  const matters = job?.phase === 'open' && !validCommit(job, attempt.task) && !isDead(job, attempt);
  if (!matters) answer(state, turn, worker, attempt, 'dead');
  else if (!isFailing(state, attempt)) countFailure(state, turn, worker.life.node, attempt, failure);
  freeSlot(state, worker, attempt);
}

/** Whether its failure is on its way to the journal. */
function isFailing({ journal }: MasterState, attempt: AttemptId): boolean {
  const queued = journal.intents.some((one) => one.type === 'fail' && sameAttempt(one.attempt, attempt));
  const records = journal.pending?.records ?? [];
  return queued || records.some((one) => one.type === 'attempt.failed' && sameAttempt(one.attempt, attempt));
}

function freeSlot(state: MasterState, worker: WorkerView, attempt: AttemptId): void {
  const live = worker.live.get(attemptKey(attempt));
  if (!live) return;
  const job = jobOf(state.durable, attempt);
  const view = state.leading!.jobs.get(attempt.job);
  untrack(state, view, live);
  if (view && job) settleTask(view, job, attempt.task);
}

/** The failure is durable, or was dropped because something else is: whoever said it may forget it. */
export function answerBroken(state: MasterState, turn: Turn, failed: Omit<AttemptFailed, 'type'>): void {
  const { node, attempt, failure } = failed;
  const worker = state.leading?.workers.get(node);
  if (worker && !judgedByMaster.has(failure.kind)) answer(state, turn, worker, attempt, 'dead');
}

/** Failures that no worker says. */
const judgedByMaster: ReadonlySet<FailureKind> = new Set(['timeout', 'worker-died']);

export function countFailure(
  state: MasterState,
  turn: Turn,
  node: string,
  attempt: AttemptId,
  failure: Failure,
): void {
  turn.out.push({
    type: 'decide',
    decision: 'attempt-failed',
    attempt,
    node,
    facts: { kind: failure.kind, message: failure.message },
  });
  const view = state.leading!.jobs.get(attempt.job);
  if (!view) return;
  recording(view, attempt.task);
  propose(state, { type: 'fail', attempt, node, failure, counted: true });
}

/**
 * An attempt that beats but stands still: stopped, and counted as a failure of its own. One that waits for maps does not
 * stand still: its time begins with the last of them.
 */
export function onAttemptTimeout(state: MasterState, turn: Turn, key: string): void {
  const [jobId, task] = key.split('.').map(Number);
  const active = state.leading!.jobs.get(jobId!)?.active.get(task!);
  const live = active?.live.find((one) => attemptKey(one.id) === key);
  if (!live) return;
  if (live.waiting) {
    arm(state.deadlines, 'attempt-timeout', key, turn.now + live.limitUs);
    return;
  }
  turn.out.push({
    type: 'decide',
    decision: 'attempt-timed-out',
    attempt: live.id,
    node: live.node,
    facts: { limitUs: live.limitUs, done: live.done, total: live.total },
  });
  const message = `no progress for ${live.limitUs / 1_000_000} s`;
  countFailure(state, turn, live.node, live.id, { kind: 'timeout', message });
  const worker = state.leading!.workers.get(live.node);
  if (worker) revoke(state, turn, worker, live.id, 'timeout');
  dropLive(state, turn, live, 'timeout');
}

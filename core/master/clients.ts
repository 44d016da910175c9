/**
 * Clients: submit by request id, follow, drain. A submit is also the client's beat, and every one is answered.
 *
 * What has ended has ended, whoever says it: so a standby answers for jobs that its journal calls published or failed.
 * Everything else only a leader may say.
 */
import { arm, armedAt } from '../deadlines.js';
import { type DurableJob, findJob, isTerminal, sumCounters } from '../durable/state.js';
import type { NodeId } from '../ids.js';
import type { DrainRequest, JobPhase, JobRefused, JobStatus, JobSubmit, PhaseStatus } from '../messages.js';
import { propose } from './journal.js';
import { revoke } from './live.js';
import type { JobView, Leading, MasterState, PhaseView, Turn } from './state.js';
import { missJob } from './went-back.js';

export function onSubmit(
  state: MasterState,
  turn: Turn,
  client: NodeId,
  session: number,
  submit: JobSubmit,
): void {
  const { requestId } = submit;
  const id = state.durable.jobByRequest.get(requestId);
  if (id !== undefined) {
    state.leading!.jobs.get(id)?.followers.add(session);
    sendStatus(state, turn, client, session, findJob(state.durable, id)!);
    return;
  }
  if (submit.acceptedSlot > 0) {
    return missJob(state, turn, requestId, { session, slot: submit.acceptedSlot });
  }
  const { intents } = state.journal;
  const queued = [...intents, ...state.leading!.refusals].some(
    (one) => one.type === 'accept' && one.requestId === requestId,
  );
  const pending = state.journal.pending?.records.some(
    (one) => one.type === 'job.accepted' && one.requestId === requestId,
  );
  state.leading!.submitters.set(requestId, session);
  if (!queued && !pending) {
    propose(state, { type: 'accept', requestId, spec: submit.spec, confirmed: false });
  }
}

/**
 * Tells the client how its job ended, if that is in the journal as this master knows it, and says whether it is. For
 * masters that do not lead: a client that reaches no other would ask for ever.
 */
export function answerEnded(
  state: MasterState,
  turn: Turn,
  client: NodeId,
  session: number,
  { requestId }: JobSubmit,
): boolean {
  const id = state.durable.jobByRequest.get(requestId);
  const job = id === undefined ? undefined : findJob(state.durable, id);
  if (!job || !isTerminal(job)) return false;
  sendStatus(state, turn, client, session, job);
  return true;
}

export function refuse(
  state: MasterState,
  turn: Turn,
  client: NodeId,
  session: number,
  requestId: string,
  reason: JobRefused['reason'],
): void {
  turn.out.push({ type: 'decide', decision: 'job-refused', node: client, facts: { reason, requestId } });
  turn.out.push({
    type: 'message.send',
    to: client,
    session,
    message: {
      type: 'job.refused',
      epoch: state.leading!.epoch,
      requestId,
      slot: state.durable.slot,
      reason,
      message: refusals[reason],
    },
  });
}

const refusals: Record<JobRefused['reason'], string> = {
  'output-overlaps': 'the output overlaps that of a job that has not ended',
  limit: 'too many jobs at once, or too many tasks in this one',
  gone: 'the job was accepted, but the store no longer knows it: it has gone back in time',
};

/** Tells every client that follows the job how it stands. */
export function tellFollowers(state: MasterState, turn: Turn, job: DurableJob): void {
  const view = state.leading?.jobs.get(job.job);
  if (!view) return;
  for (const session of view.followers) {
    const client = state.sessions.get(session);
    if (client === undefined) view.followers.delete(session);
    else sendStatus(state, turn, client, session, job);
  }
}

/** Like `tellFollowers`, soon: many changes in a short time make one message. */
export function tellFollowersSoon(state: MasterState, turn: Turn, job: DurableJob): void {
  const view = state.leading?.jobs.get(job.job);
  // Armed already: moving it with every change would put it off for as long as changes keep coming.
  if (!view || view.followers.size === 0 || armedAt(state.deadlines, 'tell', String(job.job)) !== undefined)
    return;
  arm(state.deadlines, 'tell', String(job.job), turn.now + Math.floor(state.config.beatUs / 5));
}

function sendStatus(state: MasterState, turn: Turn, client: NodeId, session: number, job: DurableJob): void {
  turn.out.push({ type: 'message.send', to: client, session, message: statusOf(state, turn, job) });
}

function statusOf(state: MasterState, turn: Turn, job: DurableJob): JobStatus {
  const { leading } = state;
  const view = leading?.jobs.get(job.job);
  const { maps, reduces } = job.spec;
  let workers = 0;
  for (const worker of leading?.workers.values() ?? []) if (worker.session !== 0) workers++;
  const terminal = isTerminal(job);
  return {
    type: 'job.status',
    epoch: leading?.epoch ?? state.durable.epoch,
    requestId: job.requestId,
    slot: state.durable.slot,
    job: job.job,
    phase: phaseName(job),
    maps: phaseStatus(job, view, { from: 0, to: maps, done: job.mapsCommitted }, view?.maps),
    reduces: phaseStatus(
      job,
      view,
      { from: maps, to: maps + reduces, done: job.reducesCommitted },
      view?.reduces,
    ),
    workers,
    failures: [...job.failures],
    // What only has to be ended is not left for later.
    draining: leading?.draining === true && !view?.ending && knowsAll(state, turn, leading, job),
    counters: terminal ? sumCounters(job) : [],
    ...(job.failure ? { failure: job.failure } : {}),
  };
}

/**
 * Whether every attempt of the job that runs is known here. What a former leader has given out is known when all workers
 * have said hello, or had the time to; whoever has not by then is lost.
 */
function knowsAll(
  { config }: MasterState,
  { now }: Turn,
  { epoch, beganAt, workers }: Leading,
  job: DurableJob,
): boolean {
  const areAllHere = config.workers !== undefined && workers.size >= config.workers;
  return job.epoch === epoch || areAllHere || now >= beganAt + config.workerLeaseUs;
}

function phaseName(job: DurableJob): JobPhase {
  if (job.phase !== 'open') return job.phase;
  return job.mapsCommitted < job.spec.maps ? 'map' : 'reduce';
}

function phaseStatus(
  job: DurableJob,
  view: JobView | undefined,
  tasks: { from: number; to: number; done: number },
  phase: PhaseView | undefined,
): PhaseStatus {
  let running = 0;
  for (const [task, active] of view?.active ?? []) {
    if (task < tasks.from || task >= tasks.to) continue;
    if (active.live.length > 0 || active.recording > 0) running++;
  }
  let failed = 0;
  let invalidated = 0;
  for (const [task, trouble] of job.troubles) {
    if (task < tasks.from || task >= tasks.to) continue;
    failed += trouble.failed;
    invalidated += trouble.invalidated;
  }
  return {
    total: tasks.to - tasks.from,
    done: tasks.done,
    running,
    attempts: phase?.attempts ?? 0,
    failed,
    stale: phase?.stale ?? 0,
    speculative: phase?.speculative ?? 0,
    invalidated,
  };
}

/** Nothing more is given out; running attempts may finish. Whoever asks follows its job from now on. */
export function onDrain(state: MasterState, turn: Turn, session: number, { requestId }: DrainRequest): void {
  const leading = state.leading!;
  const asked = leading.jobs.get(state.durable.jobByRequest.get(requestId) ?? 0);
  asked?.followers.add(session);
  if (leading.draining) {
    if (asked) tellFollowers(state, turn, findJob(state.durable, asked.job)!);
    return;
  }
  leading.draining = true;
  turn.out.push({ type: 'decide', decision: 'draining', node: state.life.node });
  for (const view of leading.jobs.values()) {
    dropCopies(state, turn, leading, view);
    tellFollowers(state, turn, findJob(state.durable, view.job)!);
  }
}

/** Speculative copies are not worth waiting for. */
function dropCopies(state: MasterState, turn: Turn, leading: Leading, view: JobView): void {
  for (const active of view.active.values()) {
    for (const attempt of active.live) {
      const worker = leading.workers.get(attempt.node);
      if (attempt.speculative && worker) revoke(state, turn, worker, attempt.id, 'draining');
    }
  }
}

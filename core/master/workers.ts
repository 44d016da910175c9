/**
 * Workers as the leader sees them: joining, beating, falling silent, dying, coming back. All of it volatile.
 *
 * A silent worker loses its attempts after its lease; one whose session broke after a short grace; and one that says
 * hello in a new incarnation has certainly lost what the old one ran.
 */
import { arm, clear } from '../deadlines.js';
import { findJob, isDead, isTerminal, jobOf, validCommit } from '../durable/state.js';
import { type AttemptId, attemptKey, type NodeId } from '../ids.js';
import type { Progress, WorkerBeat, WorkerHello } from '../messages.js';
import { keepOneUsable } from './exclusion.js';
import { allMapsDone, forgetLinks, onUnreadable, tellReaders } from './inputs.js';
import { activeTask, doubt, heldBy, recording, settleTask } from './jobs.js';
import { propose } from './journal.js';
import { dropLive, noteBegun, noteNext, noteRoom, revoke, track } from './live.js';
import { order } from './orders.js';
import { setWaiting } from './preemption.js';
import { judgeReport, onBroken } from './reports.js';
import { assignAll, limitOf } from './schedule.js';
import type { Leading, LiveAttempt, MasterState, Turn, WorkerView } from './state.js';
import { hearOf } from './went-back.js';

export function onHello(
  state: MasterState,
  turn: Turn,
  node: NodeId,
  session: number,
  hello: WorkerHello,
): void {
  const leading = state.leading!;
  const before = leading.workers.get(node);
  if (before?.session === session) return; // said twice
  if (before && before.life.incarnation > hello.incarnation) {
    turn.out.push({ type: 'peer.disconnect', peer: node, session }); // a word from a former life
    state.sessions.delete(session);
    return;
  }
  if (before && before.life.incarnation < hello.incarnation) {
    loseWorker(state, turn, before, hello.previous?.end ?? 'killed');
  }
  noteDeaths(state, node, hello);
  const back = before?.life.incarnation === hello.incarnation ? before : undefined;
  endFormerSessions(state, turn, node, session);
  const worker: WorkerView = {
    life: { node, incarnation: hello.incarnation },
    slots: hello.slots,
    session,
    credit: hello.credit,
    assigned: 0,
    live: back?.live ?? new Map(),
    outputsSent: new Map(),
  };
  if (!back || back.session === 0) leading.open++;
  leading.workers.set(node, worker);
  forgetPreempting(leading, node);
  forgetLinks(leading, node);
  keepOneUsable(state, turn);
  clear(state.deadlines, 'worker-reconnect', node);
  turn.out.push({
    type: 'decide',
    decision: back ? 'worker-rejoined' : 'worker-joined',
    node,
    facts: { incarnation: hello.incarnation, running: hello.running.length, finished: hello.finished.length },
  });
  order(state, turn, worker, { type: 'master.welcome', slot: state.durable.slot });
  heard(state, turn, worker);
  hearOf(state, turn, hello.epochSeen, hello.slotSeen);
  if (leading.awaited.delete(node) && state.config.mapOutputs === 'worker') {
    loseOutputs(state, node, hello.incarnation);
  }
  declare(state, turn, worker, hello);
  setCredit(leading, worker, hello.credit);
}

/**
 * A worker has one session at a time. What is still under way in those that were accepted before this one is old: a hello
 * that comes late would say that nothing runs of what has been begun since.
 */
function endFormerSessions(state: MasterState, turn: Turn, node: NodeId, present: number): void {
  for (const [session, peer] of state.sessions) {
    if (session === present) return; // sessions stand in the order in which they were accepted
    if (peer !== node) continue;
    turn.out.push({ type: 'peer.disconnect', peer: node, session });
    state.sessions.delete(session);
  }
}

/** Compares what the worker says it runs and holds with what the leader thinks. */
function declare(state: MasterState, turn: Turn, worker: WorkerView, hello: WorkerHello): void {
  for (const starved of hello.starved) onUnreadable(state, turn, worker, starved);
  for (const broken of hello.broken) onBroken(state, turn, worker, broken);
  const declared = new Set([...hello.running, ...hello.finished.map((one) => one.attempt)].map(attemptKey));
  for (const attempt of [...worker.live.values()]) {
    // Assigned, but the order never arrived: nobody runs it.
    if (!declared.has(attemptKey(attempt.id))) dropLive(state, turn, attempt, 'order-lost');
  }
  for (const finished of hello.finished) judgeReport(state, turn, worker, finished);
  for (const running of hello.running) adopt(state, turn, worker, running);
  repeatEnds(state, turn, worker, hello);
}

/**
 * Jobs have ended while the worker was away, perhaps under a former leader. One that is not in the journal is lost, for
 * the worker has heard of it in this epoch or in an earlier one.
 */
function repeatEnds(state: MasterState, turn: Turn, worker: WorkerView, hello: WorkerHello): void {
  if (hello.epochSeen > state.leading!.epoch) return; // its jobs may be those of a later leader
  for (const job of hello.jobs) {
    const known = findJob(state.durable, job);
    if (!known || isTerminal(known)) order(state, turn, worker, { type: 'job.ended', job });
  }
}

/** An attempt that runs already, begun by a former leader or before the session broke. */
function adopt(state: MasterState, turn: Turn, worker: WorkerView, id: AttemptId): void {
  const known = worker.live.get(attemptKey(id));
  if (known) return noteBegun(state, turn, known);
  const job = jobOf(state.durable, id);
  const view = job && state.leading!.jobs.get(id.job);
  const needed = job?.phase === 'open' && view && !validCommit(job, id.task) && !isDead(job, id);
  const rivals = needed ? activeTask(view, id.task) : undefined;
  // A reduce of a former epoch may have read outputs this leader would not give it; only its report can tell.
  const here = rivals?.live.some((other) => other.node === worker.life.node);
  if (!needed || !rivals || rivals.recording > 0 || rivals.live.length >= 2 || here) {
    if (needed && view) settleTask(view, job, id.task);
    revoke(state, turn, worker, id, needed ? 'superseded' : 'job-ended');
    return;
  }
  const attempt: LiveAttempt = {
    id,
    node: worker.life.node,
    speculative: rivals.live.length > 0,
    adopted: true,
    assignedAt: turn.now,
    queued: false,
    workingSince: turn.now,
    waiting: false,
    limitUs: limitOf(job, id.task),
    done: 0,
    total: 0,
  };
  track(state, turn, view, worker, attempt);
  turn.out.push({ type: 'decide', decision: 'attempt-adopted', attempt: id, node: worker.life.node });
}

export function onBeat(state: MasterState, turn: Turn, worker: WorkerView, beat: WorkerBeat): void {
  heard(state, turn, worker);
  for (const progress of beat.progress) noteProgress(state, turn, worker, progress);
  noteNext(state, turn, worker);
  setCredit(state.leading!, worker, beat.credit);
  tellReaders(state, turn, worker);
  order(state, turn, worker, { type: 'master.beat', slot: state.durable.slot });
}

function noteProgress(state: MasterState, turn: Turn, worker: WorkerView, progress: Progress): void {
  const attempt = worker.live.get(attemptKey(progress.attempt));
  if (!attempt) return;
  noteBegun(state, turn, attempt);
  // It may not have heard yet that the maps are done: then it waits for the word of that, and not for a map.
  const waits = progress.waiting && !allMapsDone(findJob(state.durable, attempt.id.job)!);
  setWaiting(state, turn, attempt, waits);
  if (progress.done <= attempt.done) return;
  attempt.done = progress.done;
  attempt.total = progress.total;
  arm(state.deadlines, 'attempt-timeout', attemptKey(attempt.id), turn.now + attempt.limitUs);
}

/** Any word of the worker renews its lease. */
export function heard(state: MasterState, turn: Turn, worker: WorkerView): void {
  arm(state.deadlines, 'worker-lease', worker.life.node, turn.now + state.config.workerLeaseUs);
}

export function setCredit(leading: Leading, worker: WorkerView, credit: number): void {
  if (credit > worker.credit) worker.credit = credit;
  noteRoom(leading, worker);
}

/** The session broke: the process may be dead, or only the line. It gets a moment to come back. */
export function onWorkerSessionLost(state: MasterState, turn: Turn, worker: WorkerView): void {
  worker.session = 0;
  state.leading!.open--;
  noteRoom(state.leading!, worker);
  keepOneUsable(state, turn);
  const grace = Math.min(state.config.reconnectUs, state.config.workerLeaseUs);
  arm(state.deadlines, 'worker-reconnect', worker.life.node, turn.now + grace);
}

export function onWorkerSilent(state: MasterState, turn: Turn, node: NodeId, why: 'lease' | 'session'): void {
  const worker = state.leading?.workers.get(node);
  if (!worker) return;
  if (why === 'lease') {
    turn.out.push({
      type: 'decide',
      decision: 'worker-lease-expired',
      node,
      facts: { leaseUs: state.config.workerLeaseUs, attempts: worker.live.size },
    });
  }
  loseWorker(state, turn, worker, 'silent');
  assignAll(state, turn);
}

/**
 * The worker is gone: its attempts go back, and with it the map outputs that only it held. Whether it died, and how, is
 * known for certain when its next life says hello.
 */
function loseWorker(
  state: MasterState,
  turn: Turn,
  worker: WorkerView,
  end: 'crashed' | 'killed' | 'silent',
): void {
  const leading = state.leading!;
  const { node } = worker.life;
  turn.out.push({
    type: 'decide',
    decision: 'worker-lost',
    node,
    facts: { end, attempts: worker.live.size },
  });
  leading.workers.delete(node);
  leading.ready.delete(node);
  leading.ahead.delete(node);
  if (worker.session !== 0) leading.open--;
  forgetPreempting(leading, node);
  forgetLinks(leading, node);
  clear(state.deadlines, 'worker-lease', node);
  clear(state.deadlines, 'worker-reconnect', node);
  if (worker.session !== 0) {
    turn.out.push({ type: 'peer.disconnect', peer: node, session: worker.session });
    state.sessions.delete(worker.session);
  }
  const attempts = [...worker.live.values()];
  leading.lost.set(node, { life: worker.life, attempts: attempts.filter((one) => !one.queued) });
  for (const attempt of attempts) dropLive(state, turn, attempt, 'worker-lost');
  keepOneUsable(state, turn);
  if (state.config.mapOutputs === 'worker') loseOutputs(state, worker.life.node);
}

/**
 * A new life says hello: the one that was lost is dead for certain. Each task it ran remembers that, so that a task
 * which kills every process it touches cannot do so for ever; what was only queued remembers nothing. A process that died
 * by itself while it ran one attempt died of that attempt: counted as the attempt's failure.
 */
function noteDeaths(state: MasterState, node: NodeId, hello: WorkerHello): void {
  const { lost, jobs } = state.leading!;
  const dead = lost.get(node);
  if (!dead || dead.life.incarnation > hello.incarnation) return;
  lost.delete(node);
  if (dead.life.incarnation === hello.incarnation) return; // it lives, and was only silent
  const crashed = hello.previous?.incarnation === dead.life.incarnation && hello.previous.end === 'crashed';
  const counted = crashed && dead.attempts.length === 1;
  const message = counted
    ? 'the worker process crashed while it ran this attempt (out of memory, or a native fault)'
    : 'the worker process died while it ran this attempt';
  for (const { id: attempt } of dead.attempts) {
    const view = jobs.get(attempt.job);
    if (!view) continue;
    recording(view, attempt.task);
    propose(state, { type: 'fail', attempt, node, failure: { kind: 'worker-died', message }, counted });
  }
}

/** Map outputs that lay with a lost worker, or with a former life of this one, and that some reduce may still need. */
function loseOutputs(state: MasterState, node: NodeId, incarnation?: number): void {
  for (const view of state.leading!.jobs.values()) {
    const job = findJob(state.durable, view.job)!;
    if (job.phase !== 'open' || job.reducesCommitted === job.spec.reduces) continue;
    for (const { attempt, holder } of heldBy(view, job, node)) {
      if (holder.incarnation !== incarnation) doubt(state, view, attempt, 'holder-lost');
    }
  }
}

/** A worker that is gone, or begins a new session, frees no slot for whom it was asked. */
function forgetPreempting({ preempting }: Leading, node: NodeId): void {
  for (const [key, holder] of preempting) if (holder === node) preempting.delete(key);
}

/** After the grace of a takeover: who has not said hello is lost, and with it what only it held. */
export function onTakeoverGrace(state: MasterState, turn: Turn): void {
  const leading = state.leading!;
  const missing = [...leading.awaited];
  leading.awaited.clear();
  for (const node of missing) {
    turn.out.push({
      type: 'decide',
      decision: 'worker-lost',
      node,
      facts: { end: 'not heard since takeover' },
    });
    if (state.config.mapOutputs === 'worker') loseOutputs(state, node);
  }
  assignAll(state, turn);
}

/**
 * The master machine: one event in, effects out. This file only says which rule answers which event.
 *
 * It must not know how an effect is performed, nor what time it really is. Order matters in one way: an effect that
 * depends on a record is emitted by `applied`, after the store confirmed it.
 */
import { clear, take } from '../deadlines.js';
import type { Draft } from '../draft.js';
import { findJob } from '../durable/state.js';
import type { MasterEffect } from '../effects.js';
import type { ClockReached, MasterEvent } from '../events.js';
import { attemptKey, type NodeId } from '../ids.js';
import type { ClientMessage, MasterNotLeading, WorkerMessage } from '../messages.js';
import { applied, dropped } from './applied.js';
import { answerEnded, onDrain, onSubmit, tellFollowers } from './clients.js';
import { onExclusionEnd } from './exclusion.js';
import { onUnreadable } from './inputs.js';
import {
  type JournalListener,
  onAppended,
  onEntries,
  onTaken,
  onTrimmed,
  onUnknown,
  propose,
  pump,
  readOn,
  retryAppend,
} from './journal.js';
import {
  askForLease,
  onJournalEnd,
  onLeaseEnd,
  onLeaseGranted,
  onLeaseLost,
  onLonely,
  onOvertaken,
  onStoreOutOfReach,
} from './leadership.js';
import { noteNext } from './live.js';
import { endVainWaits } from './preemption.js';
import { judgeReport, onAttemptTimeout, onEnded } from './reports.js';
import { assignAll } from './schedule.js';
import { armSpeculation, speculate } from './speculation.js';
import type { MasterState, Turn } from './state.js';
import { onStoreWentBack } from './went-back.js';
import {
  heard,
  onBeat,
  onHello,
  onTakeoverGrace,
  onWorkerSessionLost,
  onWorkerSilent,
  setCredit,
} from './workers.js';

export { initMaster } from './state.js';

const listener: JournalListener = {
  applied,
  dropped,
  overtaken: onOvertaken,
  wentBack: onStoreWentBack,
};

export function stepMaster(state: MasterState, event: MasterEvent, now: number): MasterEffect[] {
  const turn: Turn = { now, out: [] };
  handle(state, turn, event);
  pump(state, turn, listener); // an intent that is dropped may leave a task to be given out
  if (state.leading) {
    assignAll(state, turn);
    armSpeculation(state, turn);
    if (state.leading.draining) endVainWaits(state, turn);
  }
  return turn.out;
}

function handle(state: MasterState, turn: Turn, event: MasterEvent): void {
  switch (event.type) {
    case 'node.started':
      readOn(state, turn);
      askForLease(state, turn);
      return;
    case 'clock.reached':
      return onClock(state, turn, event);
    case 'peer.connected':
      state.sessions.set(event.session, event.peer);
      return;
    case 'peer.lost':
      return onPeerLost(state, turn, event.peer, event.session);
    case 'message.received':
      return onMessage(state, turn, event.from, event.session, event.message);
    case 'lease.granted':
      return onLeaseGranted(state, turn, event.request);
    case 'lease.lost':
      return onLeaseLost(state, turn);
    case 'journal.appended':
      return onAppended(state, turn, event.entry, listener);
    case 'journal.taken':
      return onTaken(state, turn, event.slot, event.entry, listener);
    case 'journal.unknown':
      onUnknown(state, turn, event.slot);
      return onStoreOutOfReach(state, turn);
    case 'journal.entries':
      onEntries(state, turn, event, listener);
      if (!event.end || state.journal.readAgain) {
        if (event.end) state.journal.readAgain = false;
        readOn(state, turn);
      } else if (!state.journal.reading) {
        onJournalEnd(state, turn);
      }
      return;
    case 'journal.trimmed':
      return onTrimmed(state, turn, event.first, listener);
    case 'output.published':
      if (state.leading) propose(state, { type: 'published', job: event.job });
      return;
    case 'output.refused':
      if (state.leading) {
        const failure = { reason: 'publish-refused', message: event.message } as const;
        propose(state, { type: 'fail-job', job: event.job, failure });
      }
      return;
  }
}

function onClock(state: MasterState, turn: Turn, event: ClockReached): void {
  const { kind, id } = event.deadline;
  if (!take(state.deadlines, event.deadline, turn.now)) return;
  switch (kind) {
    case 'follow':
      return readOn(state, turn);
    case 'campaign':
    case 'lease-renew':
      return askForLease(state, turn);
    case 'lease-end':
      return onLeaseEnd(state, turn);
    case 'append-retry':
      return retryAppend(state, turn);
    case 'lonely':
      return onLonely(state, turn);
    case 'takeover-grace':
      return onTakeoverGrace(state, turn);
    case 'worker-lease':
      return onWorkerSilent(state, turn, id, 'lease');
    case 'worker-reconnect':
      return onWorkerSilent(state, turn, id, 'session');
    case 'attempt-timeout':
      return onAttemptTimeout(state, turn, id);
    case 'exclusion':
      return onExclusionEnd(state, turn, id);
    case 'speculate':
      return speculate(state, turn);
    case 'tell':
      return tellFollowers(state, turn, findJob(state.durable, Number(id))!);
  }
}

function onPeerLost(state: MasterState, turn: Turn, peer: NodeId, session: number): void {
  state.sessions.delete(session);
  const worker = state.leading?.workers.get(peer);
  if (worker?.session === session) onWorkerSessionLost(state, turn, worker);
}

function onMessage(
  state: MasterState,
  turn: Turn,
  from: NodeId,
  session: number,
  message: WorkerMessage | ClientMessage,
): void {
  if (!state.sessions.has(session)) return; // a late word of a closed session
  const { leading } = state;
  if (!leading) {
    if (message.type === 'job.submit' && answerEnded(state, turn, from, session, message)) return;
    return sayNotLeading(state, turn, from, session);
  }
  switch (message.type) {
    case 'worker.hello':
      onHello(state, turn, from, session, message);
      if (leading.awaited.size === 0) clear(state.deadlines, 'takeover-grace', '');
      return;
    case 'job.submit':
      return onSubmit(state, turn, from, session, message);
    case 'drain.request':
      return onDrain(state, turn, session, message);
  }
  const worker = leading.workers.get(from);
  if (!worker || worker.session !== session || worker.life.incarnation !== message.incarnation) return;
  if (message.type === 'worker.beat') return onBeat(state, turn, worker, message);
  heard(state, turn, worker);
  leading.preempting.delete(attemptKey(message.attempt)); // its slot is free now, or its room was not needed
  switch (message.type) {
    case 'attempt.completed':
      judgeReport(state, turn, worker, message);
      break;
    case 'attempt.ended':
      onEnded(state, turn, worker, message);
      break;
    case 'input.unreadable':
      onUnreadable(state, turn, worker, message);
      break;
  }
  noteNext(state, turn, worker);
  setCredit(leading, worker, message.credit);
  if (leading.draining) tellDrain(state, turn, message.attempt.job);
}

/** Whom to ask instead, as far as this master knows. */
function sayNotLeading(state: MasterState, turn: Turn, to: NodeId, session: number): void {
  const { epoch, leader } = state.durable;
  const message: Draft<MasterNotLeading> = { type: 'master.notLeading', epoch };
  if (leader !== undefined && leader.node !== state.life.node) message.leader = leader.node;
  turn.out.push({ type: 'message.send', to, session, message });
}

/** While draining, clients want to hear of every attempt that ends. */
function tellDrain(state: MasterState, turn: Turn, id: number): void {
  const job = findJob(state.durable, id);
  if (job) tellFollowers(state, turn, job);
}

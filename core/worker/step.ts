/**
 * The worker machine: pulls work by credit, runs attempts in private files, reports, and keeps what it finished until
 * the answer. Its rules (C11, C12 and C4 of ARCHITECTURE.md): it obeys no epoch below the highest it has seen and no
 * order for another life, never reports what it did not run, and never deletes a finished attempt on an abort.
 */
import { arm, clear, take } from '../deadlines.js';
import type { Draft } from '../draft.js';
import type { WorkerEffect } from '../effects.js';
import type { AttemptBroke, AttemptFinished, AttemptStarved, ClockReached, WorkerEvent } from '../events.js';
import { attemptKey } from '../ids.js';
import { dial, masterSpoke, tryNext } from '../link.js';
import type { AttemptCompleted, FinishedAttempt, MasterToWorker } from '../messages.js';
import { onOrder } from './orders.js';
import { giveBack, release } from './queue.js';
import { say, sayEnded } from './say.js';
import type { WorkerState, WorkerTurn } from './state.js';

export { initWorker } from './state.js';

export function stepWorker(state: WorkerState, event: WorkerEvent, now: number): WorkerEffect[] {
  const turn: WorkerTurn = { now, out: [] };
  handle(state, turn, event);
  return turn.out;
}

function handle(state: WorkerState, turn: WorkerTurn, event: WorkerEvent): void {
  switch (event.type) {
    case 'node.started':
      return dial(state, turn);
    case 'clock.reached':
      return onClock(state, turn, event);
    case 'peer.connected':
      if (event.session === state.link.session) hello(state, turn);
      return;
    case 'peer.lost':
      if (event.session === state.link.session) {
        state.link.session = 0;
        tryNext(state, turn);
      }
      return;
    case 'message.received':
      if (event.session === state.link.session) onMessage(state, turn, event.message);
      return;
    case 'attempt.progressed': {
      const running = state.running.get(attemptKey(event.attempt));
      if (!running) return;
      running.done = event.done;
      running.total = event.total;
      running.waiting = event.waiting;
      return;
    }
    case 'attempt.finished':
      return onFinished(state, turn, event);
    case 'attempt.broke':
      return onBroke(state, turn, event);
    case 'attempt.starved':
      return onStarved(state, turn, event);
    case 'attempt.aborted':
      if (!release(state, turn, event.attempt)) return;
      return sayEnded(state, turn, event.attempt);
  }
}

/** Introduces this life: what it runs, what it finished, and how much it may be given. */
function hello(state: WorkerState, turn: WorkerTurn): void {
  state.link.state = 'connected';
  state.outputs.clear();
  // Not declared, what has not begun goes back to the master.
  state.queued.clear();
  clear(state.deadlines, 'queue', '');
  state.assigned = 0;
  state.credit = state.slots - state.running.size;
  say(state, turn, {
    type: 'worker.hello',
    incarnation: state.life.incarnation,
    credit: state.credit,
    slots: state.slots,
    epochSeen: state.epochSeen,
    slotSeen: state.slotSeen,
    // One that was told to stop is as good as gone: declared, it would be adopted.
    running: [...state.running.values()].filter((one) => one.state === 'running').map((one) => one.attempt),
    finished: [...state.finished.values()].map(({ maps: _, ...finished }) => finished),
    starved: [...state.starved.values()],
    broken: [...state.broken.values()],
    jobs: [...state.begun.keys()],
    ...(state.previous ? { previous: state.previous } : {}),
  });
}

function onClock(state: WorkerState, turn: WorkerTurn, event: ClockReached): void {
  if (!take(state.deadlines, event.deadline, turn.now)) return;
  switch (event.deadline.kind) {
    case 'redial':
      return dial(state, turn);
    case 'silence':
      return tryNext(state, turn);
    case 'queue':
      for (const attempt of giveBack(state)) sayEnded(state, turn, attempt);
      return;
    case 'beat':
      arm(state.deadlines, 'beat', '', turn.now + state.config.beatUs);
      return say(state, turn, {
        type: 'worker.beat',
        incarnation: state.life.incarnation,
        credit: state.credit,
        progress: [...state.running.values()].map(({ attempt, done, total, waiting }) => ({
          attempt,
          done,
          total,
          waiting,
        })),
      });
  }
}

function onMessage(state: WorkerState, turn: WorkerTurn, message: MasterToWorker): void {
  if (message.type === 'master.notLeading') return tryNext(state, turn, message.leader);
  if (message.epoch < state.epochSeen || message.incarnation !== state.life.incarnation) {
    turn.out.push({
      type: 'decide',
      decision: 'order-refused',
      epoch: message.epoch,
      facts: { order: message.type, epochSeen: state.epochSeen, forIncarnation: message.incarnation },
    });
    if (message.epoch < state.epochSeen) tryNext(state, turn);
    return;
  }
  if (message.epoch > state.epochSeen) state.slotSeen = 0; // a slot says something together with its epoch
  state.epochSeen = message.epoch;
  masterSpoke(state, turn);
  if (message.type === 'master.welcome' || message.type === 'master.beat') {
    state.slotSeen = Math.max(state.slotSeen, message.slot);
    if (message.type === 'master.welcome') {
      state.link.state = 'welcomed';
      arm(state.deadlines, 'beat', '', turn.now + state.config.beatUs);
    }
    return;
  }
  onOrder(state, turn, message);
}

function onFinished(state: WorkerState, turn: WorkerTurn, event: AttemptFinished): void {
  const running = release(state, turn, event.attempt);
  if (!running) return;
  const { attempt, output, counters } = event;
  const { maps, skip } = running;
  const { credit } = state;
  const { incarnation } = state.life;
  const finished: Draft<FinishedAttempt & { maps: number }> = { attempt, output, counters, maps };
  const type = 'attempt.completed';
  const report: Draft<AttemptCompleted> = { type, incarnation, credit, attempt, output, counters };
  if (skip) {
    finished.skipped = skip;
    report.skipped = skip;
  }
  state.finished.set(attemptKey(attempt), finished);
  say(state, turn, report);
}

function onBroke(state: WorkerState, turn: WorkerTurn, event: AttemptBroke): void {
  const running = release(state, turn, event.attempt);
  if (!running) return;
  // An executor that is being stopped may break in any way: that is not the user's failure.
  if (running.state === 'aborting') return sayEnded(state, turn, event.attempt);
  const { life, credit } = state;
  const { attempt, failure } = event;
  state.broken.set(attemptKey(attempt), { attempt, failure });
  say(state, turn, { type: 'attempt.ended', incarnation: life.incarnation, credit, attempt, failure });
}

function onStarved(state: WorkerState, turn: WorkerTurn, event: AttemptStarved): void {
  if (!release(state, turn, event.attempt)) return;
  const { attempt, source, reason } = event;
  const { life, credit } = state;
  state.starved.set(attemptKey(attempt), { attempt, source, reason });
  say(state, turn, {
    type: 'input.unreadable',
    incarnation: life.incarnation,
    credit,
    attempt,
    source,
    reason,
  });
}

/**
 * What a worker may hold beyond its slots. While tasks are short it asks for more of them than it can run at once, so that
 * a slot need not wait for the master between two. What is queued is assigned, with all that this means to the master,
 * and has not begun: it can be given back at any moment, and nothing is lost.
 */
import { arm, clear } from '../deadlines.js';
import type { Draft } from '../draft.js';
import type { AttemptRun } from '../effects.js';
import { type AttemptId, attemptKey } from '../ids.js';
import type { AttemptAssign } from '../messages.js';
import type { RunningAttempt, WorkerState, WorkerTurn } from './state.js';

/** Bounds the queue whatever the tasks take, for each slot. */
const aheadMax = 64;
/** Weight of what was known before in the average of what attempts take: seven to one. */
const weightOfPast = 7;

/** Assignments allowed in this session, in total: as many as make the slots and the queue full. Never less than before. */
export function raiseCredit(state: WorkerState): void {
  const room = state.slots + aheadOf(state) - state.running.size - state.queued.size;
  state.credit = Math.max(state.credit, state.assigned + room);
}

function aheadOf({ slots, typicalUs, config }: WorkerState): number {
  if (typicalUs === 0) return 0;
  return slots * Math.min(aheadMax, Math.floor(config.aheadUs / typicalUs));
}

/** The assignment is run at once when there is a slot, else later. */
export function enqueue(state: WorkerState, turn: WorkerTurn, order: AttemptAssign): void {
  if (state.running.size < state.slots) return begin(state, turn, order);
  state.queued.set(attemptKey(order.attempt), order);
  if (state.queued.size === 1) watch(state, turn);
}

/** The attempt no longer holds a slot: the next one begins, and more may come. */
export function release(
  state: WorkerState,
  turn: WorkerTurn,
  attempt: AttemptId,
): RunningAttempt | undefined {
  const key = attemptKey(attempt);
  const running = state.running.get(key);
  if (!running) return undefined;
  state.running.delete(key);
  if (running.state === 'running') learnTime(state, turn.now - running.startedAt);
  for (const [next, order] of state.queued) {
    state.queued.delete(next);
    begin(state, turn, order);
    break;
  }
  raiseCredit(state);
  return running;
}

function learnTime(state: WorkerState, tookUs: number): void {
  const { typicalUs } = state;
  const weighted = Math.floor((weightOfPast * typicalUs + tookUs) / (weightOfPast + 1));
  state.typicalUs = typicalUs === 0 ? tookUs : weighted;
}

/** Takes an attempt out of the queue; false when it is not there. */
export function unqueue(state: WorkerState, key: string): boolean {
  if (!state.queued.delete(key)) return false;
  if (state.queued.size === 0) clear(state.deadlines, 'queue', '');
  raiseCredit(state);
  return true;
}

/**
 * No attempt has begun for a beat: what was thought to be short is not, and what waits behind it is for others to run.
 * Empties the queue and returns what was in it.
 */
export function giveBack(state: WorkerState): AttemptId[] {
  state.typicalUs = Math.max(state.typicalUs, state.config.beatUs);
  const given = [...state.queued.values()].map(({ attempt }) => attempt);
  state.queued.clear();
  raiseCredit(state);
  return given;
}

function begin(state: WorkerState, turn: WorkerTurn, order: AttemptAssign): void {
  const { attempt, work, maps, reduces, output, outputsVersion, skip } = order;
  state.running.set(attemptKey(attempt), {
    attempt,
    maps,
    skip,
    startedAt: turn.now,
    done: 0,
    total: 0,
    waiting: false,
    state: 'running',
  });
  const run: Draft<AttemptRun> = {
    type: 'attempt.run',
    attempt,
    work,
    maps,
    reduces,
    output,
    outputsVersion,
  };
  if (skip) run.skip = skip;
  turn.out.push(run);
  if (state.queued.size > 0) watch(state, turn);
  else clear(state.deadlines, 'queue', '');
}

function watch(state: WorkerState, turn: WorkerTurn): void {
  arm(state.deadlines, 'queue', '', turn.now + state.config.beatUs);
}

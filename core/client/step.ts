/**
 * The client machine: submits a job by request id, follows whoever leads, and repeats itself until there is an answer.
 */
import type { ClusterConfig } from '../config.js';
import { arm, clear, type Deadlines, noDeadlines, take } from '../deadlines.js';
import type { ClientEffect } from '../effects.js';
import type { ClientEvent, ClockReached, JobRequested } from '../events.js';
import type { NodeLife } from '../ids.js';
import { dial, type MasterLink, masterOf, masterSpoke, newLink, tryNext } from '../link.js';
import type { ClientMessage, JobStatus, MasterToClient } from '../messages.js';

export interface ClientState {
  readonly config: ClusterConfig;
  readonly life: NodeLife;
  readonly deadlines: Deadlines;
  readonly link: MasterLink;
  request: JobRequested | undefined;
  /** The slot at which the job was first known to be accepted; 0 before. A leader must have read that far to deny it. */
  acceptedSlot: number;
  /** Running attempts are to finish, and nothing more to begin. */
  draining: boolean;
  concluded: boolean;
}

interface ClientTurn {
  readonly now: number;
  readonly out: ClientEffect[];
}

export function initClient(config: ClusterConfig, life: NodeLife): ClientState {
  return {
    config,
    life,
    deadlines: noDeadlines(),
    link: newLink(),
    request: undefined,
    acceptedSlot: 0,
    draining: false,
    concluded: false,
  };
}

export function stepClient(state: ClientState, event: ClientEvent, now: number): ClientEffect[] {
  const turn: ClientTurn = { now, out: [] };
  if (!state.concluded) handle(state, turn, event);
  return turn.out;
}

function handle(state: ClientState, turn: ClientTurn, event: ClientEvent): void {
  switch (event.type) {
    case 'node.started':
      return dial(state, turn);
    case 'job.requested':
      state.request = event;
      return beat(state, turn);
    case 'drain.requested':
      state.draining = true;
      return beat(state, turn);
    case 'clock.reached':
      return onClock(state, turn, event);
    case 'peer.connected':
      if (event.session !== state.link.session) return;
      state.link.state = 'connected';
      return beat(state, turn);
    case 'peer.lost':
      if (event.session !== state.link.session) return;
      state.link.session = 0;
      return tryNext(state, turn);
    case 'message.received':
      if (event.session === state.link.session) onMessage(state, turn, event.message);
      return;
  }
}

function onClock(state: ClientState, turn: ClientTurn, event: ClockReached): void {
  if (!take(state.deadlines, event.deadline, turn.now)) return;
  switch (event.deadline.kind) {
    case 'redial':
      return dial(state, turn);
    case 'silence':
      return tryNext(state, turn);
    case 'beat':
      return beat(state, turn);
  }
}

/** Says again what is wanted: every word is idempotent, so saying it often is safe. */
function beat(state: ClientState, turn: ClientTurn): void {
  const { request, link } = state;
  if (!request || link.state === 'closed' || link.state === 'connecting') return;
  arm(state.deadlines, 'beat', '', turn.now + state.config.beatUs);
  const { requestId, spec } = request;
  say(state, turn, { type: 'job.submit', requestId, spec, acceptedSlot: state.acceptedSlot });
  if (state.draining) say(state, turn, { type: 'drain.request', requestId });
}

function say(state: ClientState, turn: ClientTurn, message: ClientMessage): void {
  turn.out.push({ type: 'message.send', to: masterOf(state), session: state.link.session, message });
}

function onMessage(state: ClientState, turn: ClientTurn, message: MasterToClient): void {
  if (message.type === 'master.notLeading') return tryNext(state, turn, message.leader);
  masterSpoke(state, turn);
  state.link.state = 'welcomed';
  if (message.requestId !== state.request?.requestId) return;
  if (message.type === 'job.refused') {
    conclude(state, turn);
    turn.out.push({ type: 'job.conclude', refused: message });
    return;
  }
  if (state.acceptedSlot === 0) state.acceptedSlot = message.slot;
  turn.out.push({ type: 'job.report', status: message });
  if (message.phase === 'published' || message.phase === 'failed') {
    conclude(state, turn);
    turn.out.push({ type: 'job.conclude', status: message });
  } else if (state.draining && hasDrained(message)) {
    conclude(state, turn);
    turn.out.push({ type: 'drain.conclude' });
  }
}

/** Publishing is never interrupted: it is past the point of no return. */
function hasDrained(status: JobStatus): boolean {
  return (
    status.draining && status.phase !== 'publishing' && status.maps.running + status.reduces.running === 0
  );
}

function conclude(state: ClientState, turn: ClientTurn): void {
  state.concluded = true;
  for (const kind of ['beat', 'silence', 'redial']) clear(state.deadlines, kind, '');
  if (state.link.session !== 0) {
    turn.out.push({ type: 'peer.disconnect', peer: masterOf(state), session: state.link.session });
  }
}

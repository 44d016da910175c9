/**
 * How a worker or client keeps in touch with whoever leads: one session at a time; after silence, a broken session or
 * a "not leading" it tries the hinted master, else the next in the list.
 */
import type { ClusterConfig } from './config.js';
import { arm, clear, type Deadlines } from './deadlines.js';
import type { PeerConnect, PeerDisconnect } from './effects.js';
import type { NodeId } from './ids.js';

export interface MasterLink {
  /** Index into `config.masters` of the master tried last. */
  index: number;
  /** Number of the session that is open or being opened; 0 for none. */
  session: number;
  /** Sessions begun in this life. */
  sessions: number;
  /** Where the round over all masters stands; hints lead away from it and do not move it. */
  round: number;
  /** The present try follows a hint. */
  byHint: boolean;
  /** Since when no master has been in touch; undefined while one is. */
  lostSince: number | undefined;
  /** `welcomed` once the master answered as a leader. */
  state: 'closed' | 'connecting' | 'connected' | 'welcomed';
}

export interface LinkOwner {
  readonly config: ClusterConfig;
  readonly deadlines: Deadlines;
  readonly link: MasterLink;
}

interface LinkTurn {
  readonly now: number;
  readonly out: { push(effect: PeerConnect | PeerDisconnect): unknown };
}

export function newLink(): MasterLink {
  return {
    index: 0,
    session: 0,
    sessions: 0,
    round: 0,
    byHint: false,
    lostSince: undefined,
    state: 'closed',
  };
}

export function masterOf(owner: LinkOwner): NodeId {
  return owner.config.masters[owner.link.index]!;
}

/** Opens a session to the master at `link.index`. Silence from now on counts. */
export function dial(owner: LinkOwner, turn: LinkTurn): void {
  const { link, deadlines, config } = owner;
  clear(deadlines, 'redial', '');
  link.sessions++;
  link.session = link.sessions;
  link.state = 'connecting';
  turn.out.push({ type: 'peer.connect', peer: masterOf(owner), session: link.session });
  arm(deadlines, 'silence', '', turn.now + config.suspectUs);
}

/**
 * The present session is of no use: ends it and, after a pause, tries `hint` or the next master. A hint that led to no
 * leader is not followed by another one: masters that know nothing new could send us to and fro for ever.
 */
export function tryNext(owner: LinkOwner, turn: LinkTurn, hint?: NodeId): void {
  const { link, config, deadlines } = owner;
  if (link.session !== 0)
    turn.out.push({ type: 'peer.disconnect', peer: masterOf(owner), session: link.session });
  link.session = 0;
  if (link.state === 'welcomed') {
    link.round = link.index;
    link.byHint = false;
  }
  link.state = 'closed';
  clear(deadlines, 'silence', '');
  clear(deadlines, 'beat', '');
  const hinted = hint === undefined ? -1 : config.masters.indexOf(hint);
  link.byHint = hinted >= 0 && hinted !== link.index && !link.byHint;
  if (!link.byHint) link.round = (link.round + 1) % config.masters.length;
  link.index = link.byHint ? hinted : link.round;
  arm(deadlines, 'redial', '', turn.now + pauseBefore(owner, turn.now));
}

/** The longer the search, the longer the pauses, up to a beat: whoever is back after a while is not run down by all. */
function pauseBefore({ link, config }: LinkOwner, now: number): number {
  link.lostSince ??= now;
  if (link.byHint) return config.retryUs;
  const searchedUs = now - link.lostSince;
  return Math.max(config.retryUs, Math.min(config.beatUs, Math.floor(searchedUs / pausesOfSearch)));
}

/** A pause is so small a part of the search so far. */
const pausesOfSearch = 3;

/** Any word of the master. */
export function masterSpoke(owner: LinkOwner, turn: LinkTurn): void {
  owner.link.lostSince = undefined;
  arm(owner.deadlines, 'silence', '', turn.now + owner.config.suspectUs);
}

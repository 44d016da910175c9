/**
 * Who leads. The lease says who may try; only `leader.began` in the journal makes a leader, and only a higher epoch in
 * the journal ends one for certain. A leader whose lease runs out stops by itself, by a deadline counted from before
 * the request for it left.
 */
import { arm, clear } from '../deadlines.js';
import { isTerminal } from '../durable/state.js';
import { sameLife } from '../ids.js';
import { openJobView, reviewJob } from './jobs.js';
import { propose, readOn } from './journal.js';
import { trim } from './snapshots.js';
import type { Leading, MasterState, Turn } from './state.js';
import { compareWithFormerly, confirmLoss } from './went-back.js';

/** Asks for the lease: for the first time, again, or for more of it. */
export function askForLease(state: MasterState, turn: Turn): void {
  const { lease, config } = state;
  lease.request++;
  lease.askedAt = turn.now;
  turn.out.push({ type: 'lease.campaign', request: lease.request, ttlUs: config.masterLeaseUs });
}

export function onLeaseGranted(state: MasterState, turn: Turn, request: number): void {
  const { lease, config } = state;
  if (request !== lease.request) return;
  const until = lease.askedAt + config.masterLeaseUs;
  if (until <= turn.now) {
    // It was a long wait, and what was granted is over by our count: ask for more before relying on it.
    askForLease(state, turn);
    return;
  }
  lease.until = until;
  arm(state.deadlines, 'lease-end', '', until);
  arm(
    state.deadlines,
    'lease-renew',
    '',
    Math.max(turn.now, lease.askedAt + Math.floor(config.masterLeaseUs / 3)),
  );
  // A leader looks now and then: with nothing to append it would never learn that another has begun a later epoch.
  if (state.role === 'leader') readOn(state, turn);
  if (state.role === 'standby') campaign(state, turn);
}

function campaign(state: MasterState, turn: Turn): void {
  state.role = 'campaigning';
  clear(state.deadlines, 'follow', '');
  readOn(state, turn);
}

/** The journal was read to its end. */
export function onJournalEnd(state: MasterState, turn: Turn): void {
  if (state.role === 'standby') {
    arm(state.deadlines, 'follow', '', turn.now + state.config.followUs);
  } else if (state.role === 'campaigning' && state.journal.intents.length === 0) {
    compareWithFormerly(state, turn);
    propose(state, { type: 'begin', leader: state.life, above: state.epochLost });
  } else if (state.leading) {
    confirmRefusals(state, state.leading);
    confirmLoss(state, turn, state.leading);
  }
}

/**
 * A submit is refused for good only by a leader that has looked: the journal was read to its end after the first
 * judgement, and nobody else leads. Then it is judged once more.
 */
function confirmRefusals(state: MasterState, leading: Leading): void {
  for (const intent of leading.refusals) propose(state, { ...intent, confirmed: true });
  leading.refusals.length = 0;
}

/** Our `leader.began` is durable: this master leads. What is volatile begins empty; the hellos will fill it. */
export function becomeLeader(state: MasterState, turn: Turn): void {
  const { epoch, jobs } = state.durable;
  state.role = 'leader';
  state.journal.intents = [];
  const leading: Leading = {
    epoch,
    beganAt: turn.now,
    workers: new Map(),
    ready: new Set<string>(),
    ahead: new Set<string>(),
    open: 0,
    waiting: new Map(),
    preempting: new Map(),
    jobs: new Map(),
    awaited: new Set<string>(),
    lost: new Map(),
    submitters: new Map(),
    refusals: [],
    rumour: undefined,
    missing: new Map(),
    draining: false,
  };
  state.leading = leading;
  turn.out.push({ type: 'decide', decision: 'leader-began', node: state.life.node, epoch });
  for (const job of jobs) {
    if (isTerminal(job)) continue;
    leading.jobs.set(job.job, openJobView(job));
    for (const commit of job.commits) if (commit?.valid) leading.awaited.add(commit.holder.node);
  }
  if (leading.awaited.size > 0) {
    arm(state.deadlines, 'takeover-grace', '', turn.now + state.config.workerLeaseUs);
  }
  if (state.config.masters.length > 1) armLonely(state, turn);
  for (const job of leading.jobs.keys()) reviewJob(state, turn, job);
  trim(state, turn); // the former leader may have died before it came to it
}

/** Twice as long each time that it has given way in vain: else it could always be away when a worker comes by. */
function armLonely(state: MasterState, turn: Turn): void {
  const inVain = Math.min(lonelyDoublingsMax, erasInVain(state));
  arm(state.deadlines, 'lonely', '', turn.now + 2 ** (1 + inVain) * state.config.workerLeaseUs);
}

const lonelyDoublingsMax = 2;

/** How often this life has led since an epoch came to anything: in vain is one with no record but that of its beginning. */
function erasInVain({ durable: { eras }, life }: MasterState): number {
  let count = 0;
  for (let index = eras.length - 2; index >= 0; index--) {
    const era = eras[index]!;
    if (eras[index + 1]!.slot > era.slot + 1) break;
    if (sameLife(era.leader, life)) count++;
  }
  return count;
}

/**
 * A leader that no worker can reach gives way to another master. One that knows of no work as well: perhaps the clients
 * that have some cannot reach it either.
 */
export function onLonely(state: MasterState, turn: Turn): void {
  const { leading } = state;
  if (!leading) return;
  armLonely(state, turn);
  if (leading.workers.size === 0) resign(state, turn, 'no worker');
}

/** The fate of an append stays unknown: perhaps another master reaches the store. So may that of a campaigner's first. */
export function onStoreOutOfReach(state: MasterState, turn: Turn): void {
  const doubtedAt = state.journal.pending?.doubtedAt;
  if (state.role === 'standby' || doubtedAt === undefined || state.config.masters.length === 1) return;
  if (turn.now - doubtedAt >= 2 * state.config.masterLeaseUs) resign(state, turn, 'no store');
}

/** Gives way, and lets the others try first. */
function resign(state: MasterState, turn: Turn, why: string): void {
  const { epoch } = state.leading ?? state.durable;
  const { node } = state.life;
  turn.out.push({ type: 'decide', decision: 'leader-resigned', node, epoch, facts: { why } });
  turn.out.push({ type: 'lease.resign' });
  stepDown(state, turn);
  arm(state.deadlines, 'campaign', '', turn.now + state.config.masterLeaseUs);
}

/**
 * Back to standby, from whatever role: what is volatile is forgotten, sessions are closed so that workers look for the
 * next leader, queued intents are gone. An append of unknown fate stays: it is still ours to find out.
 */
export function stepDown(state: MasterState, turn: Turn): void {
  const { deadlines } = state;
  state.role = 'standby';
  state.leading = undefined;
  state.lease.until = 0;
  state.journal.intents = [];
  state.journal.writing = undefined;
  for (const armedDeadline of [...deadlines.heap]) {
    if (!standbyDeadlines.has(armedDeadline.kind)) clear(deadlines, armedDeadline.kind, armedDeadline.id);
  }
  for (const [session, peer] of state.sessions) {
    turn.out.push({ type: 'peer.disconnect', peer, session });
  }
  state.sessions.clear();
  readOn(state, turn);
}

const standbyDeadlines = new Set(['append-retry', 'campaign', 'follow']);

/** The lease ran out before more of it was granted. */
export function onLeaseEnd(state: MasterState, turn: Turn): void {
  turn.out.push({
    type: 'decide',
    decision: 'lease-expired',
    node: state.life.node,
    facts: { role: state.role },
  });
  stepDown(state, turn);
  askForLease(state, turn);
}

/** Another master holds the lease. */
export function onLeaseLost(state: MasterState, turn: Turn): void {
  if (state.role === 'standby') return;
  if (state.role === 'leader') tellFenced(state, turn, 'lease');
  stepDown(state, turn);
  askForLease(state, turn);
}

/** Somebody else's entry is where ours was to be, or came while this master led. */
export function onOvertaken(state: MasterState, turn: Turn): void {
  if (state.role === 'leader') {
    tellFenced(state, turn, 'journal');
    stepDown(state, turn);
    askForLease(state, turn);
  } else if (state.role === 'campaigning') {
    state.journal.intents = [];
    readOn(state, turn);
  }
}

function tellFenced(state: MasterState, turn: Turn, by: 'lease' | 'journal'): void {
  turn.out.push({
    type: 'decide',
    decision: 'leader-fenced',
    node: state.life.node,
    epoch: state.leading!.epoch,
    facts: { by, epochInJournal: state.durable.epoch },
  });
}

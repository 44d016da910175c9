/**
 * What reduces read: the list of map outputs, told in pieces, and what becomes of an output that somebody cannot read.
 *
 * What its holder, or the shared directory, says of a file (missing, corrupt) is definite, and the map is run again. That
 * a holder did not answer may be the fault of one link: then the pair (reader, holder) is blamed, and the job's reduces
 * are kept from that reader while another can read. A second reader that finds the holder silent is proof, and so is one
 * after whom nobody is left who has not met a silent holder: then the holder is given up, and the job sides with the reader.
 */
import { type DurableJob, findJob, validCommit } from '../durable/state.js';
import { attemptKey, type NodeId, sameAttempt } from '../ids.js';
import type { OutputChange, StarvedAttempt } from '../messages.js';
import { isExcluded } from './exclusion.js';
import { doubt, heldBy } from './jobs.js';
import { dropLive } from './live.js';
import { order } from './orders.js';
import type { JobView, Leading, MasterState, Turn, WorkerView } from './state.js';

/** Keeps a message well below a megabyte. */
const changesPerMessage = 4096;
/** While maps run, their outputs are told in so many portions at most: docs/adr/0014-outputs-in-portions.md. */
const portionsMax = 256;

/**
 * The list grows, and may be told up to its end: at once when an output is lost or the last map is done. Else only when
 * a portion is full, so that thousands of workers, whose beats come at thousands of moments, are told the same pieces.
 */
export function noteOutput(job: DurableJob, view: JobView, change: OutputChange): void {
  const { outputs } = view;
  outputs.push(change);
  const portion = Math.ceil(job.spec.maps / portionsMax);
  const urgent = change.holder === undefined || allMapsDone(job);
  if (urgent || outputs.length % portion === 0) view.tellable = outputs.length;
}

/** Sends what this session has not heard yet of the job's map outputs. */
export function tellOutputs(state: MasterState, turn: Turn, view: JobView, worker: WorkerView): void {
  const { outputs, tellable } = view;
  const from = worker.outputsSent.get(view.job) ?? 0;
  if (from === tellable || worker.session === 0) return;
  worker.outputsSent.set(view.job, tellable);
  for (let start = from; start < tellable; ) {
    const changes = pieceOf(outputs, start, tellable);
    order(state, turn, worker, { type: 'outputs.changed', job: view.job, from: start, changes });
    start += changes.length;
  }
}

/** Pieces told before, by list and beginning: whoever is told the same is told the very same. */
const pieces = new WeakMap<readonly OutputChange[], Map<number, readonly OutputChange[]>>();

/** What follows in the list, up to `tellable` or the next multiple of a message's size. */
function pieceOf(outputs: readonly OutputChange[], start: number, tellable: number): readonly OutputChange[] {
  const end = Math.min(tellable, (Math.floor(start / changesPerMessage) + 1) * changesPerMessage);
  let known = pieces.get(outputs);
  if (!known) pieces.set(outputs, (known = new Map()));
  let piece = known.get(start);
  if (piece?.length !== end - start) known.set(start, (piece = outputs.slice(start, end)));
  return piece;
}

/** What the worker's reduces have not heard yet: with every beat, so that many changes make one message. */
export function tellReaders(state: MasterState, turn: Turn, worker: WorkerView): void {
  for (const { id } of worker.live.values()) {
    const job = findJob(state.durable, id.job);
    const view = state.leading!.jobs.get(id.job);
    if (job && view && id.task >= job.spec.maps) tellOutputs(state, turn, view, worker);
  }
}

/** A reduce gave up because of an input: it goes back, uncounted, and the blame is laid. May be said more than once. */
export function onUnreadable(
  state: MasterState,
  turn: Turn,
  worker: WorkerView,
  starved: StarvedAttempt,
): void {
  const { attempt, source, reason } = starved;
  const { node } = worker.life;
  const job = findJob(state.durable, source.job);
  const view = state.leading!.jobs.get(source.job);
  const live = worker.live.get(attemptKey(attempt));
  order(state, turn, worker, { type: 'attempt.answer', attempt, verdict: 'given-back' });
  const current = job?.phase === 'open' ? validCommit(job, source.task) : undefined;
  const holder = current?.holder.node;
  turn.out.push({
    type: 'decide',
    decision: 'input-reported-unreadable',
    attempt: source,
    node,
    facts: { reason, ...(holder === undefined ? {} : { holder }) },
  });
  if (view && holder !== undefined && sameAttempt(current!.attempt, source)) {
    if (reason !== 'unreachable') doubt(state, view, source, reason);
    else if (blamePair(view, node, holder) > 1) giveUp(state, view, job!, holder);
    else if (isLastReader(state.leading!, view)) {
      view.unreadable.delete(node);
      giveUp(state, view, job!, holder);
    }
  }
  if (live) dropLive(state, turn, live, 'input-unreadable');
}

/** How many readers have found this holder silent, with this one. */
function blamePair(view: JobView, reader: NodeId, holder: NodeId): number {
  const readers = view.unreadable.get(holder) ?? [];
  if (!readers.includes(reader)) readers.push(reader);
  view.unreadable.set(holder, readers);
  return readers.length;
}

/** Whoever could run a reduce, now or when its session is back, has met a holder that was silent to it. */
function isLastReader(leading: Leading, view: JobView): boolean {
  const blind = blamedReaders(view);
  for (const node of leading.workers.keys())
    if (!blind.includes(node) && !isExcluded(view, node)) return false;
  return true;
}

/**
 * The holder is shunned: what it holds is made again elsewhere. Unless all others are shunned already: then its readers
 * are cut off, and the job's reduces go where the outputs are.
 */
function giveUp(state: MasterState, view: JobView, job: DurableJob, holder: NodeId): void {
  const { workers } = state.leading!;
  view.shunned.add(holder);
  if ([...workers.keys()].every((node) => view.shunned.has(node) || isExcluded(view, node))) {
    view.shunned.delete(holder);
    return;
  }
  view.unreadable.delete(holder);
  for (const { attempt } of heldBy(view, job, holder)) doubt(state, view, attempt, 'unreachable');
}

/** Nodes that cannot read from a holder of the job's outputs. */
export function blamedReaders(view: JobView): readonly NodeId[] {
  if (view.unreadable.size === 0) return [];
  return [...new Set([...view.unreadable.values()].flat())];
}

/** A node has a new session, or is gone: what was known of its links may hold no longer. */
export function forgetLinks(leading: Leading, node: NodeId): void {
  for (const { unreadable, shunned } of leading.jobs.values()) {
    unreadable.delete(node);
    shunned.delete(node);
    for (const [holder, readers] of unreadable) {
      const left = readers.filter((reader) => reader !== node);
      if (left.length === 0) unreadable.delete(holder);
      else if (left.length < readers.length) unreadable.set(holder, left);
    }
  }
}

/** Whether the job's reduces may be given out: all maps are committed or, to begin early, enough of them. */
export function reducesMayBegin(job: DurableJob): boolean {
  const { maps, policy } = job.spec;
  return allMapsDone(job) || 1000 * job.mapsCommitted >= policy.slowstartPermille * maps;
}

export function allMapsDone(job: DurableJob): boolean {
  return job.mapsCommitted === job.spec.maps;
}

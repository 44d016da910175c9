/**
 * Who runs what. Each slot goes to the job with the fewest attempts under way, so that a small job does not wait for a
 * long one (naive fair sharing: Zaharia et al., EuroSys 2010, algorithm 1), or, `fifo`, to the oldest; in each, maps before
 * reduces, lowest first; reduces that would have to wait for maps only in slots that no map of any job can take.
 *
 * What is left may be given to workers that run as much as they can and ask for more, because their tasks are short; of
 * that each takes a share that shrinks with what is left, so that all are done at about the same time (guided
 * self-scheduling: Polychronopoulos and Kuck, IEEE Transactions on Computers, 1987).
 *
 * Cost: O(log n + open jobs) for a task to which nothing bad has happened, whatever the number of workers and tasks.
 */

import type { Draft } from '../draft.js';
import { skipSetOf } from '../durable/skips.js';
import { type DurableJob, findJob, isMap } from '../durable/state.js';
import { type NodeId, type TaskIndex, taskName } from '../ids.js';
import { type IntHeap, pushInt } from '../int-heap.js';
import type { AttemptAssign } from '../messages.js';
import { allMapsDone, reducesMayBegin, tellOutputs } from './inputs.js';
import { phaseOf, popIdle } from './jobs.js';
import { noteRoom, track } from './live.js';
import { type Order, order } from './orders.js';
import { mayRun, pickReady } from './placement.js';
import { preemptWaiting } from './preemption.js';
import type { JobView, Leading, LiveAttempt, MasterState, Turn, WorkerView } from './state.js';

/** Hands out tasks until no worker has credit or no task may go to one that has. */
export function assignAll(state: MasterState, turn: Turn): void {
  const { leading } = state;
  if (!leading || !mayGiveOut(leading)) return;
  if (leading.ready.size === 0 && leading.ahead.size === 0 && leading.waiting.size === 0) return;
  if (leading.ready.size > 0) {
    giveOut(state, turn, leading, linesOf(state, leading));
    // What is left could run no map of any job: reduces may wait there.
    if (leading.ready.size > 0) giveOut(state, turn, leading, earlyLinesOf(state, leading));
  }
  preemptWaiting(state, turn);
  if (leading.waiting.size > 0) return; // a slot that waits is no slot to queue up for
  if (leading.ahead.size > 0) giveAhead(state, turn, leading, linesOf(state, leading));
}

/** Tasks of one job that wait for a worker, lowest first, while slots are given out. */
interface Line {
  readonly job: DurableJob;
  readonly view: JobView;
  readonly heap: IntHeap;
  /** So many workers get none of them. */
  readonly kept: number;
  /** Those that nobody may run now. */
  refused: TaskIndex[] | undefined;
  /** A worker that may not run the next one. */
  barred: NodeId | undefined;
  /** Nothing more of it can be given out now. */
  closed: boolean;
}

function newLine(job: DurableJob, view: JobView, heap: IntHeap, kept: number): Line {
  return { job, view, heap, kept, refused: undefined, barred: undefined, closed: false };
}

/** Of each job, in the order of acceptance, what may be begun at once: its maps, or its reduces once all maps are done. */
function linesOf(state: MasterState, leading: Leading): Line[] {
  const lines: Line[] = [];
  for (const view of leading.jobs.values()) {
    const job = openJob(state, view);
    if (!job) continue;
    const heap = allMapsDone(job) ? view.idleReduces : view.idleMaps;
    if (heap === view.idleReduces && view.doubts > 0) continue;
    if (heap.length > 0) lines.push(newLine(job, view, heap, 0));
  }
  return lines;
}

/** Reduces that would wait for maps. */
function earlyLinesOf(state: MasterState, leading: Leading): Line[] {
  const lines: Line[] = [];
  for (const view of leading.jobs.values()) {
    const job = openJob(state, view);
    if (!job || view.idleReduces.length === 0 || !reducesMayBegin(job) || view.doubts > 0) continue;
    lines.push(newLine(job, view, view.idleReduces, keptForCopies(leading, job)));
  }
  return lines;
}

/** Whose turn it is, of those that have something for this worker: the job with the fewest attempts, of equals the oldest. */
function nextLine({ config }: MasterState, lines: readonly Line[], node?: NodeId): Line | undefined {
  let next: Line | undefined;
  for (const line of lines) {
    if (line.closed || (node !== undefined && line.barred === node)) continue;
    if (config.sharing === 'fifo') return line;
    if (!next || line.view.live < next.view.live) next = line;
  }
  return next;
}

/**
 * Whether anything may be begun. Not while a rumour is looked into: perhaps there is a higher epoch, or another has led in
 * this very one, and has used the numbers of its attempts.
 */
export function mayGiveOut({ draining, awaited, rumour }: Leading): boolean {
  return !draining && awaited.size === 0 && !rumour;
}

/** The job, unless it is ending: then nothing of it is given out any more. */
function openJob(state: MasterState, view: JobView): DurableJob | undefined {
  const job = findJob(state.durable, view.job)!;
  return job.phase === 'open' && !view.ending ? job : undefined;
}

/**
 * Workers that get no reduce which would only wait: with reduces waiting in all slots, the maps they wait for could have
 * no second copy, however slow they are.
 */
function keptForCopies(leading: Leading, job: DurableJob): number {
  const { maps, policy } = job.spec;
  const copiesMax = Math.max(1, Math.floor(leading.open / 10)); // as many as speculation.ts makes, or fewer
  return policy.speculation ? Math.min(maps - job.mapsCommitted, copiesMax) : 0;
}

/** Gives out the tasks of all lines. Those that no worker may run stay queued. */
function giveOut(state: MasterState, turn: Turn, leading: Leading, lines: readonly Line[]): void {
  for (let line = nextLine(state, lines); line && leading.ready.size > 0; line = nextLine(state, lines)) {
    if (!giveOne(state, turn, leading, line)) line.closed = true;
  }
  for (const { refused, heap } of lines) for (const task of refused ?? []) pushInt(heap, task);
}

/** Gives out the lowest task of the line that somebody may run, and says whether there is one. */
function giveOne(state: MasterState, turn: Turn, leading: Leading, line: Line): boolean {
  const { job, view, heap } = line;
  while (leading.ready.size > line.kept) {
    const task = popIdle(heap, view, job);
    if (task === undefined) return false;
    const worker = pickReady(leading, view, job, task);
    if (worker) {
      assign(state, turn, { job, view, task, worker, speculative: false });
      return true;
    }
    (line.refused ??= []).push(task);
    // Nothing bad has happened to it: no other such task will find a worker either.
    if (!job.troubles.has(task)) return false;
  }
  return false;
}

/** What is left is divided by so much for each worker: that may be queued up for one. */
const sharesPerWorker = 2;

/** Gives out tasks ahead of time; never one to which something bad has happened, nor any behind such a one. */
function giveAhead(state: MasterState, turn: Turn, leading: Leading, lines: readonly Line[]): void {
  let queuedMax = queuedMaxOf(leading, lines);
  for (const node of leading.ahead) {
    if (queuedMax === 0) return;
    const worker = leading.workers.get(node)!;
    // What it ran was taken away: until it says that it has room, nobody can tell slot and queue apart.
    if (worker.live.size < worker.slots) continue;
    if (worker.live.size - worker.slots >= queuedMax || runsTroubled(state, worker)) continue;
    giveOneAhead(state, turn, leading, lines, worker);
    queuedMax = queuedMaxOf(leading, lines);
  }
}

/** How many attempts a worker may have been given ahead. */
function queuedMaxOf({ open }: Leading, lines: readonly Line[]): number {
  let left = 0;
  for (const { heap, closed } of lines) if (!closed) left += heap.length;
  return Math.floor(left / (sharesPerWorker * open));
}

function giveOneAhead(
  state: MasterState,
  turn: Turn,
  leading: Leading,
  lines: readonly Line[],
  worker: WorkerView,
): void {
  const { node } = worker.life;
  for (let line = nextLine(state, lines, node); line; line = nextLine(state, lines, node)) {
    const { job, view, heap } = line;
    // Or half of a short job would stand in the first queue that has room.
    if (queuedOf(job, worker) >= Math.ceil(heap.length / (sharesPerWorker * leading.open))) {
      line.barred = node;
      continue;
    }
    const task = popIdle(heap, view, job);
    if (task !== undefined && !job.troubles.has(task) && mayRun(leading, view, job, task, node))
      return assign(state, turn, { job, view, task, worker, speculative: false });
    if (task !== undefined) pushInt(heap, task);
    if (task === undefined || job.troubles.has(task)) line.closed = true;
    else line.barred = node;
  }
}

/** How many attempts of the job the worker has been given ahead. */
function queuedOf({ job }: DurableJob, { live }: WorkerView): number {
  let queued = 0;
  for (const attempt of live.values()) if (attempt.queued && attempt.id.job === job) queued++;
  return queued;
}

/** Whether something bad has happened to what it runs: if that ends the process, nothing else shall be under suspicion. */
function runsTroubled(state: MasterState, worker: WorkerView): boolean {
  for (const { id, queued } of worker.live.values()) {
    if (queued) return false;
    if (findJob(state.durable, id.job)!.troubles.has(id.task)) return true;
  }
  return false;
}

interface Assignment {
  readonly job: DurableJob;
  readonly view: JobView;
  readonly task: TaskIndex;
  readonly worker: WorkerView;
  readonly speculative: boolean;
}

/** Begins a new attempt of the task on the worker. */
export function assign(state: MasterState, turn: Turn, assignment: Assignment): void {
  const { job, view, task, worker, speculative } = assignment;
  const leading = state.leading!;
  const { node } = worker.life;
  const n = (view.attempts.get(task) ?? 0) + 1;
  view.attempts.set(task, n);
  const attempt: LiveAttempt = {
    id: { job: job.job, task, epoch: leading.epoch, n },
    node,
    speculative,
    adopted: false,
    assignedAt: turn.now,
    queued: worker.live.size >= worker.slots,
    workingSince: turn.now,
    waiting: !isMap(job, task) && !allMapsDone(job),
    limitUs: limitOf(job, task),
    done: 0,
    total: 0,
  };
  track(state, turn, view, worker, attempt);
  worker.assigned++;
  // Whoever was served goes to the end of the row.
  leading.ready.delete(node);
  leading.ahead.delete(node);
  noteRoom(leading, worker);
  const phase = phaseOf(view, job, task);
  phase.attempts++;
  if (speculative) phase.speculative++;
  if (!isMap(job, task)) tellOutputs(state, turn, view, worker);
  const { id } = attempt;
  const { work, maps, reduces, output } = job.spec;
  const skip = skipSetOf(job, task);
  const facts: Record<string, string | number | boolean> = { task: taskName(task, maps), speculative };
  if (attempt.waiting) facts.early = true;
  if (skip.length > 0) facts.skips = skip.length;
  turn.out.push({ type: 'decide', decision: 'attempt-assigned', attempt: id, node, facts });
  const outputsVersion = isMap(job, task) ? 0 : view.tellable;
  const type = 'attempt.assign';
  const body: Draft<Order<AttemptAssign>> = {
    type,
    attempt: id,
    work,
    maps,
    reduces,
    output,
    outputsVersion,
  };
  if (skip.length > 0) body.skip = skip;
  order(state, turn, worker, body);
}

/** How long an attempt of the task may stand still, in microseconds: twice as long after each time-out. */
export function limitOf(job: DurableJob, task: TaskIndex): number {
  return job.spec.policy.taskTimeoutUs * 2 ** Math.min(20, job.troubles.get(task)?.timedOut ?? 0);
}

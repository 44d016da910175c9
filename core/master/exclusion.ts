/**
 * Workers that fail task after task are kept from a job for a while, and then on probation.
 *
 * Volatile, and not rebuilt by a new leader: an exclusion is advice about the present, and the worst that forgetting it
 * does is that a sick worker fails a few more tasks, none of which it is given twice (that is durable). Three rules keep
 * it harmless: never the last live worker; a task that failed on two workers is blamed itself; and it always ends.
 */
import { arm, clear } from '../deadlines.js';
import { wasSkipped } from '../durable/skips.js';
import { findJob } from '../durable/state.js';
import type { NodeId, TaskIndex } from '../ids.js';
import type { AttemptFailed } from '../records.js';
import type { Conduct, JobView, Leading, MasterState, Turn } from './state.js';

export function isExcluded(view: JobView, node: NodeId): boolean {
  return (view.conduct.get(node)?.untilUs ?? 0) > 0;
}

/** Workers with an open session that are not excluded from the job. */
export function usableWorkers(leading: Leading, view: JobView): number {
  let usable = leading.open;
  for (const [node, { untilUs }] of view.conduct) {
    if (untilUs > 0 && isOpen(leading, node)) usable--;
  }
  return usable;
}

export function isUsable(leading: Leading, view: JobView, node: NodeId): boolean {
  return isOpen(leading, node) && !isExcluded(view, node);
}

function isOpen(leading: Leading, node: NodeId): boolean {
  return (leading.workers.get(node)?.session ?? 0) !== 0;
}

/** A counted failure is durable: blames the worker or, when another has failed at the task as well, the task. */
export function noteFailure(state: MasterState, turn: Turn, failed: AttemptFailed): void {
  const { job: id, task } = failed.attempt;
  const job = findJob(state.durable, id)!;
  const view = state.leading!.jobs.get(id);
  if (!view) return;
  const nodes = job.troubles.get(task)?.nodes ?? [];
  if (nodes.length > 1 || wasSkipped(job, task, failed.failure.record)) {
    forgive(state, turn, view, task);
    return;
  }
  const conduct = conductOf(view, failed.node);
  if (!conduct.failed.includes(task)) conduct.failed.push(task);
  exclude(state, turn, view, failed.node, conduct);
}

function conductOf(view: JobView, node: NodeId): Conduct {
  let conduct = view.conduct.get(node);
  if (!conduct) {
    conduct = { failed: [], exclusions: 0, sinceUs: 0, untilUs: 0, probation: false };
    view.conduct.set(node, conduct);
  }
  return conduct;
}

function limitOf(state: MasterState, conduct: Conduct): number {
  return conduct.probation ? 1 : state.config.exclusionFailures;
}

function exclude(state: MasterState, turn: Turn, view: JobView, node: NodeId, conduct: Conduct): void {
  const leading = state.leading!;
  if (conduct.untilUs > 0 || conduct.failed.length < limitOf(state, conduct)) return;
  const others = usableWorkers(leading, view) - (isUsable(leading, view, node) ? 1 : 0);
  if (others === 0) return;
  const { exclusionUs, exclusionMaxUs } = state.config;
  const forUs = Math.min(exclusionMaxUs, exclusionUs * 2 ** Math.min(30, conduct.exclusions));
  conduct.exclusions++;
  conduct.sinceUs = turn.now;
  conduct.untilUs = turn.now + forUs;
  arm(state.deadlines, 'exclusion', deadlineId(view, node), conduct.untilUs);
  turn.out.push({
    type: 'decide',
    decision: 'worker-excluded',
    job: view.job,
    node,
    facts: { failed: conduct.failed.length, forUs, probation: conduct.probation, others },
  });
}

/** The task itself is at fault: what failed of it no longer counts against any worker. */
function forgive(state: MasterState, turn: Turn, view: JobView, task: TaskIndex): void {
  for (const [node, conduct] of view.conduct) {
    const position = conduct.failed.indexOf(task);
    if (position < 0) continue;
    conduct.failed.splice(position, 1);
    if (conduct.untilUs === 0 || conduct.failed.length >= limitOf(state, conduct)) continue;
    conduct.exclusions--;
    readmit(state, turn, view, node, conduct, 'task-blamed');
  }
}

function readmit(
  state: MasterState,
  turn: Turn,
  view: JobView,
  node: NodeId,
  conduct: Conduct,
  why: 'served' | 'task-blamed' | 'last-worker',
): void {
  clear(state.deadlines, 'exclusion', deadlineId(view, node));
  conduct.untilUs = 0;
  if (why !== 'task-blamed') {
    conduct.probation = true;
    conduct.failed = [];
  }
  turn.out.push({
    type: 'decide',
    decision: 'worker-readmitted',
    job: view.job,
    node,
    facts: { why, probation: conduct.probation, exclusions: conduct.exclusions },
  });
}

/** The time is over: from now on, one more failure is enough. */
export function onExclusionEnd(state: MasterState, turn: Turn, id: string): void {
  const space = id.indexOf(' ');
  const view = state.leading!.jobs.get(Number(id.slice(0, space)));
  const node = id.slice(space + 1);
  const conduct = view?.conduct.get(node);
  if (view && conduct) readmit(state, turn, view, node, conduct, 'served');
}

/** A success on probation: as if nothing had been. */
export function noteSuccess(view: JobView, node: NodeId): void {
  const conduct = view.conduct.get(node);
  if (conduct?.probation && conduct.untilUs === 0) view.conduct.delete(node);
}

/** Workers have come or gone: a job whose every live worker is excluded gets the one back whose time ends first. */
export function keepOneUsable(state: MasterState, turn: Turn): void {
  const leading = state.leading!;
  for (const view of leading.jobs.values()) {
    if (view.conduct.size === 0 || leading.open === 0 || usableWorkers(leading, view) > 0) continue;
    let first: [NodeId, Conduct] | undefined;
    for (const entry of view.conduct) {
      if (entry[1].untilUs === 0 || !isOpen(leading, entry[0])) continue;
      if (!first || entry[1].untilUs < first[1].untilUs) first = entry;
    }
    if (first) readmit(state, turn, view, first[0], first[1], 'last-worker');
  }
}

/** The job has ended. */
export function forgetConduct(state: MasterState, view: JobView): void {
  for (const node of view.conduct.keys()) clear(state.deadlines, 'exclusion', deadlineId(view, node));
}

function deadlineId(view: JobView, node: NodeId): string {
  return `${view.job} ${node}`;
}

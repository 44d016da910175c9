/**
 * Which worker may run which task: never one that is excluded; not where the task failed before, nor, for a reduce,
 * where its inputs cannot be read, nor, for a map, where its output could not be read, while some other worker is left.
 */
import { type DurableJob, isMap } from '../durable/state.js';
import type { NodeId, TaskIndex } from '../ids.js';
import { isExcluded, isUsable, usableWorkers } from './exclusion.js';
import { blamedReaders } from './inputs.js';
import type { JobView, Leading, WorkerView } from './state.js';

/** O(1) for a task to which nothing bad has happened. */
export function mayRun(
  leading: Leading,
  view: JobView,
  job: DurableJob,
  task: TaskIndex,
  node: NodeId,
): boolean {
  if (isExcluded(view, node)) return false;
  const failedOn = job.troubles.get(task)?.nodes ?? nobody;
  const cutOff = isMap(job, task) ? shunnedHolders(view) : blamedReaders(view);
  // To fail somewhere again is possible, not to read or not to be read is certain: that is risked last.
  if (cutOff.includes(node)) return isAllThereIs(leading, view, cutOff);
  if (!failedOn.includes(node)) return true;
  return isAllThereIs(leading, view, cutOff.length === 0 ? failedOn : [...new Set([...failedOn, ...cutOff])]);
}

const nobody: readonly NodeId[] = [];

function isAllThereIs(leading: Leading, view: JobView, nodes: readonly NodeId[]): boolean {
  const usable = nodes.filter((node) => isUsable(leading, view, node)).length;
  return usable === usableWorkers(leading, view);
}

/** What they write might not be read. */
function shunnedHolders({ shunned }: JobView): readonly NodeId[] {
  return shunned.size === 0 ? nobody : [...shunned];
}

/** The worker that has waited longest for something to do and may run the task. */
export function pickReady(
  leading: Leading,
  view: JobView,
  job: DurableJob,
  task: TaskIndex,
): WorkerView | undefined {
  for (const node of leading.ready) {
    if (mayRun(leading, view, job, task, node)) return leading.workers.get(node);
  }
  return undefined;
}

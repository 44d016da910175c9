/**
 * Skipping of bad records (after Dean and Ghemawat, OSDI 2004, section 4.6): a record at which two attempts of a task
 * failed is left out by the later ones, and those failures no longer count.
 *
 * Which records a task's output lacks is as durable as the output: two outputs are only compared when they lack the
 * same, and once a reduce was committed from a map's output, the map leaves out those and no others.
 */
import type { TaskIndex } from '../ids.js';
import { type DurableJob, isMap, type Trouble } from './state.js';

/** Failures at one record that skip it. */
const failuresToSkip = 2;
/** Records of one task that may be skipped; more of them are a broken job, not broken records. */
export const skipsMax = 100;

/** What the next attempt of the task leaves out, sorted. */
export function skipSetOf(job: DurableJob, task: TaskIndex): readonly string[] {
  const committed = job.commits[task]?.skipped ?? [];
  const bad = job.troubles.get(task)?.badRecords ?? [];
  if (bad.length === 0 || isPinned(job, task)) return committed;
  return [...new Set([...committed, ...bad.filter(isSkipped).map(({ record }) => record)])].sort();
}

export function sameSkips(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((record, index) => record === b[index]);
}

/** Whether the failure at `record` has made it one to skip, just now. */
export function wasSkipped(job: DurableJob, task: TaskIndex, record: string | undefined): boolean {
  const bad = job.troubles.get(task)?.badRecords.find((one) => one.record === record);
  return bad !== undefined && isSkipped(bad);
}

/** Takes note of a counted failure at a record, and gives back the failures that led to a skip. */
export function noteBadRecord(
  job: DurableJob,
  task: TaskIndex,
  trouble: Trouble,
  record: string | undefined,
): void {
  if (!job.spec.policy.skipBadRecords || record === undefined || isPinned(job, task)) return;
  let bad = trouble.badRecords.find((one) => one.record === record);
  if (!bad) {
    if (trouble.badRecords.filter(isSkipped).length >= skipsMax) return;
    bad = { record, times: 0 };
    trouble.badRecords.push(bad);
  }
  bad.times++;
  if (!isSkipped(bad)) return;
  // An attempt that began before the record was skipped may fail there once more: that is not counted either.
  trouble.failed -= bad.times === failuresToSkip ? failuresToSkip : 1;
  if (trouble.failed === 0) trouble.nodes = [];
}

function isSkipped(bad: { readonly times: number }): boolean {
  return bad.times >= failuresToSkip;
}

/** A reduce has used this map's output: made again, it must be the same. */
function isPinned(job: DurableJob, task: TaskIndex): boolean {
  return isMap(job, task) && job.commits[task] !== undefined && job.reducesCommitted > 0;
}

/** Whether two durable states are the same: all of them, or where records have touched them, at the cost of these. */
import { type DurableJob, type DurableState, findJob } from '../../core/durable/state.js';
import type { AttemptId, JobId } from '../../core/ids.js';
import type { JournalRecord } from '../../core/records.js';
import { same, sameFields } from '../same.js';

/** Cost O(state). */
export function sameState(a: DurableState, b: DurableState): boolean {
  return same(a, b);
}

/** Cost O(records), as long as the jobs in them are few. Both states have applied all of the records. */
export function sameAfter(a: DurableState, b: DurableState, records: readonly JournalRecord[]): boolean {
  if (a.jobs.length !== b.jobs.length || a.jobByRequest.size !== b.jobByRequest.size) return false;
  if (!sameFields(a, b, ofState)) return false;
  let compared: JobId | undefined; // neighbours mostly speak of the same job
  for (const record of records) {
    if ('attempt' in record && !sameTask(a, b, record.attempt)) return false;
    const job = 'attempt' in record ? record.attempt.job : 'job' in record ? record.job : compared;
    if (job === compared) continue;
    if (!sameJob(findJob(a, job!), findJob(b, job!))) return false;
    compared = job;
  }
  return true;
}

/** Grows with the work, and is compared piece by piece. */
const ofState: ReadonlySet<string> = new Set(['jobs', 'jobByRequest']);
const ofJob: ReadonlySet<string> = new Set(['commits', 'troubles']);

function sameJob(a: DurableJob | undefined, b: DurableJob | undefined): boolean {
  return a !== undefined && b !== undefined && sameFields(a, b, ofJob);
}

function sameTask(a: DurableState, b: DurableState, { job, task }: AttemptId): boolean {
  const inA = findJob(a, job);
  const inB = findJob(b, job);
  return (
    same(inA?.commits[task], inB?.commits[task]) && same(inA?.troubles.get(task), inB?.troubles.get(task))
  );
}

/**
 * User code that misbehaves on purpose, for rehearsals: it throws, never ends, or answers differently in each attempt.
 */
import type { AttemptId } from '../../core/ids.js';
import type { Job } from '../../jobs/types.js';
import type { WorkOrder } from '../node/work-order.js';

/** The job as this attempt will run it. Blocks for ever when the attempt is to hang. */
export function misbehaving(job: Job, order: WorkOrder, attempt: AttemptId): Job {
  const found = order.misbehaviours?.find(
    ({ task, n }) => task === attempt.task && (n === undefined || n === attempt.n),
  );
  if (!found) return job;
  switch (found.how) {
    case 'throws':
      return {
        ...job,
        map: () => fail(),
        reduce: () => fail(),
      };
    case 'hangs':
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    case 'differs': {
      const map: Job['map'] = (line, emit, context) => {
        emit(`generation-${attempt.epoch}-${attempt.n}`, 1);
        return job.map(line, emit, context);
      };
      return { ...job, map };
    }
  }
}

function fail(): never {
  throw new Error('this attempt was told to throw');
}

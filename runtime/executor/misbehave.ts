/**
 * User code that misbehaves on purpose, for rehearsals: it throws, never ends, answers differently in each attempt or
 * sends its keys to other partitions, uses up all memory, or ends its thread.
 */
import { partitionOf } from '../../jobs/murmur3.js';
import { poisoned } from '../../jobs/poison.js';
import type { Job } from '../../jobs/types.js';
import type { WorkOrder } from '../node/work-order.js';
import type { ThreadTask } from './messages.js';

/** The job as this attempt will run it. Blocks for ever when the attempt is to hang. */
export function misbehaving(
  code: Job,
  order: WorkOrder,
  { attempt, ordinal }: Pick<ThreadTask, 'attempt' | 'ordinal'>,
): Job {
  const job = order.poison ? poisoned(code, order.poison) : code;
  const found = order.misbehaviours?.find(
    (one) => one.task === attempt.task && (one.ordinal ?? ordinal) === ordinal,
  );
  if (!found) return job;
  switch (found.how) {
    case 'throws':
      return misusing(job, fail);
    case 'hangs':
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    case 'differs': {
      const map: Job['map'] = (line, emit, context) => {
        emit(`generation-${attempt.epoch}-${attempt.n}`, 1);
        return job.map(line, emit, context);
      };
      return { ...job, map, mapBytes: undefined };
    }
    case 'scatters':
      return { ...job, partition: (key, reduces) => (partitionOf(key, reduces) + attempt.n) % reduces };
    case 'exhausts':
      return misusing(job, exhaust);
    case 'exits':
      return misusing(job, () => process.exit(1));
  }
}

/** The job with one thing in place of all that its functions do. A job without reduce stays one. */
function misusing(job: Job, instead: () => never): Job {
  return { ...job, map: instead, mapBytes: undefined, ...(job.reduce === 'none' ? {} : { reduce: instead }) };
}

/** Takes memory that nothing can give back, until the limit of the executor ends it. */
function exhaust(): never {
  const hoard: number[][] = [];
  for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length));
}

function fail(): never {
  throw new Error('this attempt was told to throw');
}

/**
 * User code that misbehaves on purpose, for rehearsals: it throws, never ends, answers differently in each attempt,
 * uses up all memory, or ends its thread.
 */
import type { AttemptId } from '../../core/ids.js';
import type { Job } from '../../jobs/types.js';
import { byLine } from '../../jobs/words.js';
import type { WorkOrder } from '../node/work-order.js';

/** The job as this attempt will run it. Blocks for ever when the attempt is to hang. */
export function misbehaving(code: Job, order: WorkOrder, attempt: AttemptId): Job {
  const job = poisoned(code, order.poison);
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
    case 'exhausts':
      return { ...job, map: () => exhaust(), reduce: () => exhaust() };
    case 'exits':
      return { ...job, map: () => process.exit(1), reduce: () => process.exit(1) };
  }
}

/** Takes memory that nothing can give back, until the limit of the executor ends it. */
function exhaust(): never {
  const hoard: number[][] = [];
  for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length));
}

function poisoned(job: Job, poison: WorkOrder['poison']): Job {
  if (!poison || poison.lines.length + poison.keys.length === 0) return job;
  const asked = byLine(job);
  const map: Job['map'] = (line, emit, context) => {
    if (poison.lines.includes(line)) throw new Error('this line was told to be bad');
    return asked.map(line, emit, context);
  };
  const { reduce } = job;
  if (reduce === 'none') return { ...asked, map };
  const picky: Job['reduce'] = (key, values, context) => {
    if (poison.keys.includes(key)) throw new Error('this key was told to be bad');
    return reduce(key, values, context);
  };
  return { ...asked, map, reduce: picky };
}

function fail(): never {
  throw new Error('this attempt was told to throw');
}

/**
 * Which partition a key belongs to: by hash, by the job's own function, or by range, where the keys between two
 * boundaries stand together and the parts, one after the other, are in order.
 */
import { partitionOf } from './murmur3.js';
import type { Job } from './types.js';
import { compareUtf8 } from './utf8.js';
import { showKey, showValue, ValueError } from './values.js';

export type Partitioner = (key: string) => number;

/** `boundaries`: for a job with `partition: 'range'`, the first key of every partition but the first, in order. */
export function partitionerOf(
  job: Pick<Job, 'partition'>,
  reduces: number,
  boundaries: readonly string[] = [],
): Partitioner {
  const { partition } = job;
  if (partition === undefined) return (key) => partitionOf(key, reduces);
  if (partition === 'range') return (key) => countNotAbove(boundaries, key);
  return (key) => {
    const chosen: unknown = partition(key, reduces);
    if (Number.isInteger(chosen) && (chosen as number) >= 0 && (chosen as number) < reduces)
      return chosen as number;
    throw new ValueError(
      `partition(${showKey(key)}, ${reduces}) returned ${showValue(chosen)}: it must be an integer from 0 to ${reduces - 1}`,
      key,
    );
  };
}

/**
 * Boundaries that spread a sample evenly over `reduces` partitions. A key that is more frequent than a share of the
 * sample takes a partition for itself; there may then be fewer boundaries than partitions, and the last stay empty.
 */
export function boundariesOf(sample: readonly string[], reduces: number): string[] {
  const sorted = [...sample].sort(compareUtf8);
  const boundaries: string[] = [];
  for (let partition = 1; partition < reduces; partition++) {
    const key = sorted[Math.floor((partition * sorted.length) / reduces)];
    if (key !== undefined && key !== boundaries.at(-1) && key !== sorted[0]) boundaries.push(key);
  }
  return boundaries;
}

/** How many boundaries are not above the key: by halving. */
function countNotAbove(boundaries: readonly string[], key: string): number {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(boundaries[middle]!, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

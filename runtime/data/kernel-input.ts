/** Records on their way from a run into the kernel's table. */
import { KEY_BYTES_MAX, type Kernel, NotForKernelError } from '../../kernel/kernel.js';
import type { OpenRun } from './runs.js';

/** A kernel whose table takes records. */
export type TakingRecords = Pick<Kernel, 'input' | 'full' | 'readRecords'>;

/**
 * Puts the records of a partition into the table, and ends early when that is full. Returns how many it took. Throws
 * NotForKernelError, and what reading throws.
 */
export function readRun(kernel: TakingRecords, run: OpenRun, partition: number): number {
  const cursor = run.cursor(partition);
  let records = 0;
  for (let held = 0; !cursor.exhausted; ) {
    const filled = held + cursor.read(kernel.input.subarray(held));
    const { next, count } = kernel.readRecords(0, filled);
    records += count;
    if (kernel.full) return records;
    kernel.input.copyWithin(0, next, filled);
    held = filled - next;
    if (held > KEY_BYTES_MAX) throw new NotForKernelError('a key is very long');
    if (cursor.exhausted && held > 0) cursor.cutShort();
  }
  return records;
}

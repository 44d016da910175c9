/**
 * Merging sorted runs in the kernel: it asks for more of a run or for its output to be taken, and here that is done.
 */
import { KEY_BYTES_MAX, type Kernel, type MergeOutput, type Operation } from '../../kernel/kernel.js';
import type { OpenRun } from './runs.js';

export interface KernelMergeOptions {
  readonly kernel: Kernel;
  readonly operation: Operation;
  /** A quarter of it is for the windows of the runs, each of which holds at least one record. */
  readonly budgetBytes: number;
  /** Told the bytes that were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

const WINDOW_BYTES_MIN = KEY_BYTES_MAX + 64;
const WINDOW_BYTES_MAX = 256 * 1024;

/**
 * Merges one partition of the runs, whose order decides among equal keys. `write` takes what comes out; the bytes are
 * valid only during the call. Throws NotForKernelError, and what reading throws.
 */
export function mergeInKernel(
  open: readonly OpenRun[],
  partition: number,
  output: MergeOutput,
  write: (bytes: Uint8Array) => void,
  { kernel, operation, budgetBytes, onRead }: KernelMergeOptions,
): void {
  const share = Math.floor(budgetBytes / 4 / open.length);
  const windowBytes = Math.max(WINDOW_BYTES_MIN, Math.min(WINDOW_BYTES_MAX, share));
  kernel.openMerge({ operation, sources: open.length, windowBytes });
  kernel.beginMerge(output);
  const cursors = open.map((run) => run.cursor(partition));
  const readOn = (source: number): void => {
    const cursor = cursors[source]!;
    const bytes = cursor.read(kernel.room(source));
    kernel.filled(source, bytes, cursor.exhausted);
    onRead?.(bytes);
  };
  for (const source of cursors.keys()) readOn(source);
  for (;;) {
    const step = kernel.merge();
    if (step.wants === 'source') {
      readOn(step.source);
      continue;
    }
    write(kernel.merged());
    if (step.wants === 'nothing') return;
  }
}

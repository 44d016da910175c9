/**
 * Merging sorted runs in the kernel: it asks for more of a run or for its output to be taken, and here that is done.
 */
import type { KeyValue } from '../../jobs/types.js';
import { KEY_BYTES_MAX, type Kernel, type MergeOutput, type Operation } from '../../kernel/kernel.js';
import { LastKey, RecordBytes } from './record-bytes.js';
import type { OpenRun } from './runs.js';
import type { SegmentWriter } from './segments/writer.js';

export interface KernelMergeOptions {
  readonly kernel: Kernel;
  /** How values are combined, where they are. */
  readonly operation?: Operation;
  /** A quarter of it is for the windows of the runs, each of which holds at least one record. */
  readonly budgetBytes: number;
  /** Told the bytes that were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
  /** Check each run as a whole before the first record is given out, for user code to see nothing that is damaged. */
  readonly verify?: boolean;
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
  how: KernelMergeOptions,
): void {
  for (const bytes of mergedPieces(open, partition, output, how)) write(bytes);
}

/** Merges to a run, whatever the values are. Throws as `mergeInKernel`. */
export function mergeUntouched(
  open: readonly OpenRun[],
  partition: number,
  writer: SegmentWriter,
  how: KernelMergeOptions,
): void {
  const take = (bytes: Uint8Array): void => writer.writeEncoded(bytes, 0);
  mergeInKernel(open, partition, { as: 'any records' }, take, how);
  writer.addRecords(how.kernel.mergedCounts().out);
}

/** The records of a partition with their values, whatever these are. Throws as `mergeInKernel`. */
export function* mergedRecords(
  open: readonly OpenRun[],
  partition: number,
  how: KernelMergeOptions,
): Generator<KeyValue> {
  const last = new LastKey();
  for (const bytes of mergedPieces(open, partition, { as: 'any records' }, { ...how, verify: true })) {
    const records = new RecordBytes(bytes);
    while (!records.exhausted) yield [records.key(last), records.value()];
  }
}

/** What comes out of the kernel, piece by piece; the next one takes the place of the last. */
function* mergedPieces(
  open: readonly OpenRun[],
  partition: number,
  output: MergeOutput,
  { kernel, operation = 'count', budgetBytes, onRead, verify = false }: KernelMergeOptions,
): Generator<Uint8Array> {
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
  for (const [source, cursor] of cursors.entries()) {
    if (verify) cursor.verify(kernel.room(source));
    readOn(source);
  }
  for (;;) {
    const step = kernel.merge();
    if (step.wants === 'source') {
      readOn(step.source);
      continue;
    }
    yield kernel.merged();
    if (step.wants === 'nothing') return;
  }
}

/**
 * The lane of jobs that count words: no line and no word ever becomes a string. What such a job asks for is in its
 * declaration, so that no user code runs here.
 */
import { knownAs } from '../../jobs/aggregates.js';
import type { Counters, Job } from '../../jobs/types.js';
import {
  type Kernel,
  NotForKernelError,
  type Operation,
  operations,
  PARTITIONS_MAX,
} from '../../kernel/kernel.js';
import { breathe } from './attempt.js';
import { kernelOfThread } from './kernels.js';
import { readCompressed, readRange, WHOLE } from './lines.js';
import type { MapAttemptOptions } from './map-attempt.js';
import type { MapOutput, RunContent } from './map-output.js';
import type { SegmentWriter } from './segments.js';
import { splitBytes } from './split-reader.js';
import { WordSplitter, type WordTotals } from './word-splitter.js';

/** How a kernel may combine for the job, or undefined when it may not. */
export function kernelOperation(job: Job): Operation | undefined {
  const known = knownAs(job.combine);
  return job.partition === undefined && job.orderValues === undefined
    ? operations.find((operation) => operation === known)
    : undefined;
}

/** Whether words can be counted without asking the job. */
export function isWordLane({ job, reduces }: MapAttemptOptions): boolean {
  const { words, map, setup, teardown } = job;
  return (
    words !== undefined &&
    knownAs(map) === 'once' &&
    kernelOperation(job) !== undefined &&
    setup === undefined &&
    teardown === undefined &&
    reduces <= PARTITIONS_MAX
  );
}

export class WordLane {
  readonly #options: MapAttemptOptions;
  readonly #output: MapOutput;
  readonly #kernel: Kernel;
  readonly #totals: WordTotals = { lines: 0, words: 0 };

  /** Throws NotForKernelError where there is no kernel. */
  constructor(options: MapAttemptOptions, output: MapOutput) {
    this.#options = options;
    this.#output = output;
    this.#kernel = openKernel(options);
  }

  get counters(): Counters {
    return [
      ['map.records.in', this.#totals.lines],
      ['map.records.out', this.#totals.words],
    ];
  }

  /** Counts the whole split and gives the last run. */
  async run(): Promise<RunContent> {
    const { job, files, ranges, reduces, context, progress } = this.#options;
    const kernel = this.#kernel;
    const content = kernelContent(kernel, reduces);
    const onFull = (): void => {
      this.#output.spill(content);
      kernel.clear();
    };
    const bytesTotal = splitBytes(ranges);
    let rangesDone = 0;
    for (const range of ranges) {
      const file = files[range.file]!;
      const how = { kernel, kind: job.words!, totals: this.#totals, onFull };
      const pieces =
        file.compression === 'none'
          ? readRange(file, range, new WordSplitter(file.name, range, how))
          : readCompressed(file, new WordSplitter(file.name, WHOLE, how));
      for await (const { bytesDone } of pieces) {
        progress?.(rangesDone + bytesDone, bytesTotal);
        await breathe(context.signal);
      }
      rangesDone += range.end - range.start;
    }
    return content;
  }
}

/** This thread's kernel, made ready for the job. */
export function openKernel({ job, budgetBytes, reduces }: MapAttemptOptions): Kernel {
  const kernel = kernelOfThread();
  if (kernel === undefined) throw new NotForKernelError('there is no WebAssembly');
  kernel.open({ operation: kernelOperation(job)!, budgetBytes, partitions: reduces });
  return kernel;
}

/** Sorts what the kernel holds and writes it. */
export function kernelContent(kernel: Kernel, reduces: number): RunContent {
  return (writer: SegmentWriter) => {
    kernel.sort();
    for (let partition = 0; partition < reduces; partition++) {
      for (let done = false; !done; ) {
        const written = kernel.writeRecords(partition, 0);
        writer.writeEncoded(kernel.output.subarray(0, written.end), written.records);
        done = written.done;
      }
      writer.endPartition();
    }
  };
}

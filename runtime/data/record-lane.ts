/**
 * The lanes that ask the user's `map`, record after record: the general one, with any key and any value, and that of
 * pairs with numbers that a known function combines, which go to the kernel. They differ in where pairs are collected.
 */
import type { MapRun } from '../../jobs/collector.js';
import { MapTask } from '../../jobs/map-task.js';
import { isPromise } from '../../jobs/maybe-promise.js';
import type { Counters } from '../../jobs/types.js';
import type { Kernel } from '../../kernel/kernel.js';
import { blame, breathe, FailureMemory } from './attempt.js';
import { KernelCollector } from './kernel-collector.js';
import { kernelContent } from './kernel-output.js';
import type { MapAttemptOptions } from './map-attempt.js';
import type { MapOutput, RunContent } from './map-output.js';
import { readRecords } from './records.js';
import { encodeSegmentValue } from './segments.js';
import { splitBytes } from './split-reader.js';

export class RecordLane {
  readonly #options: MapAttemptOptions;
  readonly #task: MapTask;
  readonly #memory = new FailureMemory();
  /** What is left when the input has ended: it need not go to a run. */
  #last: RunContent;
  #ending = false;

  /** With a kernel, pairs are collected there; without one, in `Groups`. */
  constructor(options: MapAttemptOptions, output: MapOutput, kernel?: Kernel) {
    this.#options = options;
    const { reduces } = options;
    if (kernel) {
      this.#last = kernelContent(kernel, reduces);
      const cut = (): void => {
        output.spill(this.#last);
        kernel.clear();
      };
      const collector = new KernelCollector(kernel, cut, this.#memory);
      this.#task = new MapTask({ ...options, collector, onRun: cut });
      return;
    }
    this.#last = contentOf({ partitions: [] }, reduces);
    this.#task = new MapTask({
      ...options,
      onRun: (run) => {
        const content = contentOf(run, reduces);
        if (this.#ending) this.#last = content;
        else this.#memory.keep(() => output.spill(content));
      },
    });
  }

  get counters(): Counters {
    return this.#task.counters;
  }

  /** Maps the whole split and gives the last run. */
  async run(): Promise<RunContent> {
    const { job, files, ranges, context, progress } = this.#options;
    const task = this.#task;
    const bytesTotal = splitBytes(ranges);
    let input: string | undefined;
    let offset = 0;
    try {
      await task.start();
      const batches = readRecords(files, ranges, job.inputFormat ?? 'lines');
      for await (const { file, records, bytesDone } of batches) {
        if (file.name !== input) task.openInput((input = file.name));
        for (const one of records) {
          offset = one.offset;
          const mapped = task.offer(one.record, offset);
          if (isPromise(mapped)) await mapped;
        }
        this.#memory.check();
        progress?.(bytesDone, bytesTotal);
        await breathe(context.signal);
      }
      input = undefined;
      this.#ending = true;
      await task.finish();
    } catch (error) {
      this.#memory.check();
      throw blame(error, input === undefined ? {} : { input, offset }, context.signal);
    }
    return this.#last;
  }
}

function contentOf(run: MapRun, reduces: number): RunContent {
  return (writer) => {
    for (let partition = 0; partition < reduces; partition++) {
      for (const { key, values } of run.partitions[partition] ?? []) {
        for (const value of values) writer.write(key, encodeSegmentValue(value));
      }
      writer.endPartition();
    }
  };
}

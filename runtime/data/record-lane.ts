/**
 * The general lane of a map attempt: record after record through the user's `map`, with any key and any value.
 */
import type { MapRun } from '../../jobs/collector.js';
import { MapTask } from '../../jobs/map-task.js';
import { isPromise } from '../../jobs/maybe-promise.js';
import type { Counters } from '../../jobs/types.js';
import { blame, breathe, FailureMemory } from './attempt.js';
import type { MapAttemptOptions } from './map-attempt.js';
import type { MapOutput, RunContent } from './map-output.js';
import { readRecords } from './records.js';
import { encodeSegmentValue } from './segments.js';
import { splitBytes } from './split-reader.js';

export class RecordLane {
  readonly #options: MapAttemptOptions;
  readonly #task: MapTask;
  readonly #memory = new FailureMemory();
  /** The run that was cut because the input had ended: it need not go to the disk. */
  #last: MapRun = { partitions: [] };
  #ending = false;

  constructor(options: MapAttemptOptions, output: MapOutput) {
    this.#options = options;
    const { reduces } = options;
    this.#task = new MapTask({
      ...options,
      onRun: (run) => {
        if (this.#ending) this.#last = run;
        else this.#memory.keep(() => output.spill(contentOf(run, reduces)));
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
    return contentOf(this.#last, this.#options.reduces);
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

/**
 * The lanes that ask the user's `map`, record after record: the general one, with any key and any value, and that of
 * pairs with numbers that a known function combines, which go to the kernel. They differ in where pairs are collected.
 */
import type { MapRun } from '../../jobs/collector.js';
import { MapTask } from '../../jobs/map-task.js';
import type { Counters } from '../../jobs/types.js';
import type { Kernel } from '../../kernel/kernel.js';
import { commandsOf } from '../commands/command-job.js';
import { throughCombiner } from '../commands/map-program.js';
import { blame, FailureMemory } from './attempt.js';
import { collectSoon } from './garbage.js';
import { KernelCollector } from './kernel-collector.js';
import { kernelContent } from './kernel-output.js';
import type { MapAttemptOptions } from './map-options.js';
import type { MapOutput, RunContent } from './map-output.js';
import { mapRecords } from './map-records.js';
import { encodeSegmentValue } from './segments/format.js';

export class RecordLane {
  readonly #options: MapAttemptOptions;
  readonly #output: MapOutput;
  readonly #task: MapTask;
  readonly #memory = new FailureMemory();
  /** What is left when the input has ended: it need not go to a run. */
  #last: RunContent;
  #ending = false;
  #hasSpilled = false;
  /** A program takes its time, and whoever emits does not wait: runs wait here until some records are done. */
  readonly #uncombined: MapRun[] = [];

  /** With a kernel, pairs are collected there; without one, in `Groups`. */
  constructor(options: MapAttemptOptions, output: MapOutput, kernel?: Kernel) {
    this.#options = options;
    this.#output = output;
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
    const isCombining = commandsOf(options.job)?.combiner !== undefined;
    const onRun = (cut: MapRun): void => {
      if (isCombining) this.#uncombined.push(cut);
      else this.#take(cut);
    };
    this.#task = new MapTask({ ...options, onRun });
  }

  #take(run: MapRun): void {
    const content = contentOf(run, this.#options.reduces);
    if (this.#ending) this.#last = content;
    else this.#memory.keep(() => this.#output.spill(content));
    this.#hasSpilled ||= !this.#ending;
    // By then the last one is written as well, if it is not all there is.
    if (this.#hasSpilled) collectSoon(this.#options.budgetBytes);
  }

  /** Gives runs to the combiner of a job made of programs. None of the records is to blame when it fails. */
  async #combine(): Promise<void> {
    const { job, reduces, context: setting } = this.#options;
    const commands = commandsOf(job)!;
    const options = { job, commands, reduces, setting, context: this.#task.context };
    for (let run = this.#uncombined.shift(); run !== undefined; run = this.#uncombined.shift()) {
      const combined = await throughCombiner(run, commands.combiner!, options).catch((error: unknown) => {
        throw blame(error, {});
      });
      this.#take(combined);
    }
  }

  get counters(): Counters {
    return this.#task.counters;
  }

  /** Maps the whole split and gives the last run. */
  async run(): Promise<RunContent> {
    await mapRecords(this.#task, this.#options, this.#memory, {
      between: () => (this.#uncombined.length > 0 ? this.#combine() : undefined),
      ending: () => {
        this.#ending = true;
      },
    });
    if (this.#uncombined.length > 0) await this.#combine();
    return this.#last;
  }
}

/** To be written once: then it is forgotten, whoever still knows the content. */
function contentOf({ partitions }: MapRun, reduces: number): RunContent {
  let left = partitions;
  return (writer) => {
    for (let partition = 0; partition < reduces; partition++) {
      for (const { key, values } of left[partition] ?? []) {
        for (const value of values) writer.write(key, encodeSegmentValue(value));
      }
      writer.endPartition();
    }
    left = [];
  };
}

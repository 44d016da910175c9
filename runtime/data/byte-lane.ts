/**
 * The lane of jobs that have a `mapBytes` beside their `map`: it is given the lines as bytes, many at a time, and its pairs go
 * straight to the kernel.
 *
 * It must emit what `map` emits. Whatever else turns up, an error of it included, is for the lane that asks `map`: that can
 * name the record at fault.
 */
import { isUtf8 } from 'node:buffer';
import { sortedCounters, taskContext } from '../../jobs/context.js';
import { isPromise } from '../../jobs/maybe-promise.js';
import type { BytesContext, Counters } from '../../jobs/types.js';
import { type Kernel, NotForKernelError } from '../../kernel/kernel.js';
import { FailureMemory } from './attempt.js';
import { ByteCollector } from './byte-collector.js';
import { kernelContent } from './kernel-output.js';
import { GATHERED_BYTES_MAX } from './kernel-records.js';
import type { MapAttemptOptions } from './map-options.js';
import type { MapOutput, RunContent } from './map-output.js';
import { readSplitThrough } from './split-reader.js';
import { WholeLines } from './whole-lines.js';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Whether the lane may do. */
export function isForBytes({ job, skip = [] }: MapAttemptOptions): boolean {
  return job.mapBytes !== undefined && skip.length === 0;
}

export class ByteLane {
  readonly #options: MapAttemptOptions;
  readonly #kernel: Kernel;
  readonly #content: RunContent;
  readonly #collector: ByteCollector;
  readonly #memory = new FailureMemory();
  readonly #userCounters = new Map<string, number>();
  readonly #input = { name: '' };
  readonly #context: BytesContext<unknown>;
  readonly #emit: (from: number, to: number, value: number) => void;
  #lines = 0;

  constructor(options: MapAttemptOptions, output: MapOutput, kernel: Kernel) {
    this.#options = options;
    this.#kernel = kernel;
    this.#content = kernelContent(kernel, options.reduces);
    const cut = (): void => {
      output.spill(this.#content);
      kernel.clear();
    };
    const collector = new ByteCollector(kernel, cut, this.#memory);
    this.#collector = collector;
    this.#emit = (from, to, value) => collector.emit(from, to, value);
    const { params, count, status } = taskContext(options.context, this.#userCounters);
    this.#context = { params, count, status, input: this.#input };
  }

  get counters(): Counters {
    return sortedCounters([
      ...this.#userCounters,
      ['map.records.in', this.#lines],
      ['map.records.out', this.#collector.emitted],
    ]);
  }

  /** Maps the whole split and gives the last run. That `map` is asked instead is written to the log of the attempt. */
  async run(): Promise<RunContent> {
    try {
      return await this.#mapAll();
    } catch (error) {
      if (error instanceof NotForKernelError)
        process.stderr.write(`map is asked instead of mapBytes, for this task: ${error.message}\n`);
      throw error;
    }
  }

  async #mapAll(): Promise<RunContent> {
    const { input } = this.#kernel;
    await readSplitThrough(this.#options, (file, range) => {
      this.#input.name = file.name;
      const whole = new WholeLines(range, input.subarray(GATHERED_BYTES_MAX), (from, to, base) => {
        const hasOwnEnd = base + to <= whole.position;
        this.#take(GATHERED_BYTES_MAX + from, GATHERED_BYTES_MAX + to, hasOwnEnd);
      });
      return whole;
    });
    this.#collector.finish();
    return this.#content;
  }

  /** Takes whole lines of the kernel's input; the last one may have been given its line feed here. */
  #take(from: number, to: number, hasOwnEnd: boolean): void {
    this.#lines += this.#kernel.countLineFeeds(from, to);
    const lines = this.#kernel.input.subarray(from, to);
    const bare = lines.includes(CARRIAGE_RETURN) ? withoutReturns(lines, hasOwnEnd) : lines;
    this.#map(isUtf8(bare) ? bare : new TextEncoder().encode(Buffer.from(bare).toString()));
  }

  #map(lines: Uint8Array): void {
    let result: unknown;
    this.#collector.open(lines);
    try {
      result = this.#options.job.mapBytes!(lines, this.#emit, this.#context);
    } catch (error) {
      this.#memory.check();
      throw new NotForKernelError(`mapBytes failed: ${String(error)}`);
    } finally {
      // What it emits later must not reach what another lane or attempt collects.
      this.#collector.open(undefined);
    }
    this.#memory.check();
    if (result === undefined) return;
    if (isPromise(result)) result.then(undefined, () => {}); // whose emits fail from now on
    throw new NotForKernelError('mapBytes gave something instead of emitting');
  }
}

/** Puts lines that end at CRLF in the place they have, without that CR. One that a line feed was given to keeps all of its own. */
function withoutReturns(lines: Uint8Array, hasOwnEnd: boolean): Uint8Array {
  const last = hasOwnEnd ? lines.length : lines.length - 2;
  let end = 0;
  for (let at = 0; at < lines.length; at++) {
    const byte = lines[at]!;
    if (byte === CARRIAGE_RETURN && lines[at + 1] === LINE_FEED && at < last) continue;
    lines[end++] = byte;
  }
  return lines.subarray(0, end);
}

/**
 * The lane of jobs that make a string or an integer of a word, and combine: words are counted in the kernel, and `map` is
 * asked once for each distinct one of an input, in the order in which the pairs are then written. So there is nothing to
 * gather: each input makes a sorted run, and runs are merged as ever.
 *
 * A word that occurred n times gives its value n times over. That is the same as asking every time as long as the word
 * itself is the key, `map` emits no more than one pair, and combining loses nothing, as fractions would. Whatever else
 * turns up, an error of user code included, is for the lane that takes one word after the other.
 */
import type { Counters, MapContext, MapEmit, ParamValues, WordContext } from '../../jobs/types.js';
import { canonicalValue } from '../../jobs/values.js';
import { type Kernel, NotForKernelError, PARTITIONS_MAX } from '../../kernel/kernel.js';
import { FailureMemory } from './attempt.js';
import { countedWords, isForCounting, openForWords } from './counted-words.js';
import { isDataError } from './errors.js';
import { kernelOfThread } from './kernels.js';
import type { MapAttemptOptions } from './map-options.js';
import type { MapOutput, RunContent } from './map-output.js';
import { FAN_IN_DEFAULT } from './runs.js';
import { encodeSegmentValue } from './segments/format.js';
import type { SegmentWriter } from './segments/writer.js';
import { readWords } from './word-lane.js';
import type { WordTotals } from './word-splitter.js';

/** More values of a word are combined in several goes: a word may occur millions of times. */
const COMBINED_AT_ONCE_MAX = 8192;

/** Whether the lane may do. Very many small inputs would make as many runs. */
export function isForWordValues(options: MapAttemptOptions): boolean {
  const { job, ranges, reduces } = options;
  return (
    isForCounting(options) &&
    job.combine !== undefined &&
    job.partition === undefined &&
    job.orderValues === undefined &&
    reduces <= PARTITIONS_MAX &&
    ranges.length <= FAN_IN_DEFAULT
  );
}

export class WordValueLane {
  readonly #options: MapAttemptOptions;
  readonly #output: MapOutput;
  readonly #words: Kernel = kernelOfThread();
  readonly #totals: WordTotals = { lines: 0, words: 0 };
  readonly #memory = new FailureMemory();
  /** The word that `map` is asked about, and what it emits. */
  #word = '';
  #value: unknown;
  #isOpen = false;
  #recordsOut = 0;

  constructor(options: MapAttemptOptions, output: MapOutput) {
    this.#options = options;
    this.#output = output;
  }

  get counters(): Counters {
    return [
      ['map.records.in', this.#totals.lines],
      ['map.records.out', this.#recordsOut],
    ];
  }

  async run(): Promise<RunContent> {
    const { reduces } = this.#options;
    openForWords(this.#words, this.#options, reduces);
    const spill = (input: string): void => {
      if (this.#words.keys === 0) return;
      this.#output.spill(this.#contentOf(input));
      this.#words.clear();
    };
    const last = await readWords(this.#options, this.#words, this.#totals, spill, spill);
    return this.#contentOf(last);
  }

  /** What `map` and `combine` make of the words that were counted. */
  #contentOf(input: string): RunContent {
    const { params } = this.#options.context;
    const context: WordContext<ParamValues> = { params, input: { name: input } };
    return (writer) => {
      try {
        this.#mapWords(context, writer);
      } catch (error) {
        // What goes wrong with user code is told by the general lane.
        throw isDataError(error) ? error : new NotForKernelError(`not in this lane: ${String(error)}`);
      }
    };
  }

  #mapWords(context: WordContext<ParamValues>, writer: SegmentWriter): void {
    const { job, reduces } = this.#options;
    const emit = ((key: string, value: unknown) => this.#emit(key, value)) as MapEmit;
    this.#words.arrange();
    for (let partition = 0; partition < reduces; partition++) {
      for (const [word, times] of countedWords(this.#words, partition)) {
        this.#word = word;
        this.#isOpen = true;
        const result: unknown = job.map(word, emit, context as MapContext<ParamValues>);
        this.#memory.check();
        if (result !== undefined) throw new NotForKernelError('map gave something instead of emitting');
        if (this.#isOpen) continue;
        this.#recordsOut += times;
        writer.write(word, encodeSegmentValue(this.#combined(word, times)));
      }
      writer.endPartition();
    }
    this.#isOpen = false;
  }

  #emit(key: string, value: unknown): void {
    if (!this.#isOpen || key !== this.#word || !isExact(value)) {
      const error = new NotForKernelError('what was emitted is not one value of the word');
      this.#memory.note(error);
      throw error;
    }
    this.#isOpen = false;
    this.#value = value;
  }

  /** The value of a word that occurred so many times. `combine` gets arrays, as in every other lane. */
  #combined(word: string, times: number): unknown {
    const { combine } = this.#options.job;
    const value = canonicalValue(this.#value, word);
    let combined = value;
    for (let left = times - 1; left > 0; ) {
      const others = Math.min(left, COMBINED_AT_ONCE_MAX - 1);
      combined = canonicalValue(combine!(word, followed(combined, value, others)), word);
      left -= others;
    }
    return combined;
  }
}

/** Whether values can be combined in any grouping without losing anything, as far as one can see. */
function isExact(value: unknown): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** The first value and so many others, all the same, in an array of their own. A loop is several times as fast as `fill`. */
function followed(first: unknown, other: unknown, others: number): unknown[] {
  const values = new Array<unknown>(others + 1);
  values[0] = first;
  for (let index = 1; index <= others; index++) values[index] = other;
  return values;
}

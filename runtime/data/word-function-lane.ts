/**
 * The lane of jobs whose `map` makes something of a word: words are counted first, and `map` is asked once for each
 * distinct one of an input; what it emits counts as often as the word occurred.
 *
 * That is the same as asking every time as long as the order of values does not matter: for least and greatest values,
 * and for sums of integers from 0 that stay exact. Whatever else turns up, an error of `map` included, is for the lane
 * that takes one word after the other.
 */
import { knownAs } from '../../jobs/aggregates.js';
import type { Counters, MapContext, MapEmit, ParamValues, WordContext } from '../../jobs/types.js';
import { type Kernel, NotForKernelError } from '../../kernel/kernel.js';
import { FailureMemory } from './attempt.js';
import { countedWords, openForWords } from './counted-words.js';
import { KernelCollector } from './kernel-collector.js';
import { kernelContent } from './kernel-output.js';
import { kernelOfWords } from './kernels.js';
import type { MapAttemptOptions } from './map-options.js';
import type { MapOutput, RunContent } from './map-output.js';
import { readWords } from './word-lane.js';
import type { WordTotals } from './word-splitter.js';

const EXACT_MAX = 2 ** 53;

export class WordFunctionLane {
  readonly #options: MapAttemptOptions;
  readonly #content: RunContent;
  readonly #collector: KernelCollector;
  readonly #memory = new FailureMemory();
  readonly #isSum: boolean;
  readonly #words: Kernel = kernelOfWords();
  readonly #totals: WordTotals = { lines: 0, words: 0 };
  /** How often the word that `map` is asked about occurred; 0 between words. */
  #times = 0;
  /** An upper bound of every sum. */
  #sumMax = 0;
  #recordsOut = 0;

  constructor(options: MapAttemptOptions, output: MapOutput, kernel: Kernel) {
    this.#options = options;
    this.#isSum = knownAs(options.job.combine) === 'sum';
    this.#content = kernelContent(kernel, options.reduces);
    const cut = (): void => {
      output.spill(this.#content);
      kernel.clear();
    };
    this.#collector = new KernelCollector(kernel, cut, this.#memory);
  }

  get counters(): Counters {
    return [
      ['map.records.in', this.#totals.lines],
      ['map.records.out', this.#recordsOut],
    ];
  }

  async run(): Promise<RunContent> {
    const words = this.#words;
    openForWords(words, this.#options);
    const mapWords = (input: string): void => this.#mapWords(input);
    mapWords(await readWords(this.#options, words, this.#totals, mapWords, mapWords));
    this.#collector.finish();
    return this.#content;
  }

  /** Asks `map` about every word that was counted, and forgets them. */
  #mapWords(input: string): void {
    const { job, context } = this.#options;
    const where: WordContext<ParamValues> = { params: context.params, input: { name: input } };
    const emit = ((key: string, value: unknown) => this.#emit(key, value)) as MapEmit;
    this.#words.arrange();
    for (const [word, times] of countedWords(this.#words)) {
      this.#times = times;
      let result: unknown;
      try {
        result = job.map(word, emit, where as MapContext<ParamValues>);
      } catch (error) {
        this.#memory.check();
        throw new NotForKernelError(`map failed: ${String(error)}`);
      }
      this.#memory.check();
      if (result !== undefined) throw new NotForKernelError('map gave something instead of emitting');
    }
    this.#times = 0;
    this.#words.clear();
  }

  #emit(key: string, value: unknown): void {
    const times = this.#times;
    if (times === 0) throw new Error('emit was called outside of map');
    this.#recordsOut += times;
    if (this.#isSum && typeof value === 'number') {
      const product = value * times;
      this.#sumMax += product;
      if (!(Number.isInteger(value) && value >= 0 && this.#sumMax <= EXACT_MAX)) {
        const error = new NotForKernelError('the order of additions matters');
        this.#memory.note(error);
        throw error;
      }
      this.#collector.add(key, product);
    } else {
      this.#collector.add(key, value);
    }
  }
}

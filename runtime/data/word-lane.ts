/**
 * The lane of jobs that count words: no line and no word ever becomes a string. What such a job asks for is in its
 * declaration, so that no user code runs here.
 */
import type { Counters } from '../../jobs/types.js';
import type { Kernel } from '../../kernel/kernel.js';
import { kernelContent } from './kernel-output.js';
import type { MapAttemptOptions } from './map-options.js';
import type { MapOutput, RunContent } from './map-output.js';
import { readSplitThrough } from './split-reader.js';
import { WordSplitter, type WordTotals } from './word-splitter.js';

export class WordLane {
  readonly #options: MapAttemptOptions;
  readonly #output: MapOutput;
  readonly #kernel: Kernel;
  readonly #totals: WordTotals = { lines: 0, words: 0 };

  constructor(options: MapAttemptOptions, output: MapOutput, kernel: Kernel) {
    this.#options = options;
    this.#output = output;
    this.#kernel = kernel;
  }

  get counters(): Counters {
    return [
      ['map.records.in', this.#totals.lines],
      ['map.records.out', this.#totals.words],
    ];
  }

  /** Counts the whole split and gives the last run. */
  async run(): Promise<RunContent> {
    const kernel = this.#kernel;
    const content = kernelContent(kernel, this.#options.reduces);
    await readWords(this.#options, kernel, this.#totals, () => {
      this.#output.spill(content);
      kernel.clear();
    });
    return content;
  }
}

/**
 * Counts the words of a split in a kernel; `onFull` is to empty it. `onInputEnd` is told when all words of an input are in
 * and another follows. Returns the name of the last input.
 */
export async function readWords(
  options: MapAttemptOptions,
  kernel: Kernel,
  totals: WordTotals,
  onFull: (input: string) => void,
  onInputEnd: (input: string) => void = () => {},
): Promise<string> {
  let input = '';
  const how = { kernel, kind: options.job.words!, totals, onFull: () => onFull(input) };
  await readSplitThrough(options, (file, range) => {
    if (input !== '') onInputEnd(input);
    input = file.name;
    return new WordSplitter(input, range, how);
  });
  return input;
}

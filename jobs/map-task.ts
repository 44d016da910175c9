/**
 * One map task without its input and output: it calls the job's `map` and hands what it emits to a collector, which
 * combines and cuts sorted runs (collector.ts).
 */
import { type Collector, Groups, type GroupsOptions } from './collector.js';
import { sortedCounters, taskContext } from './context.js';
import { forEach, isPromise, type MaybePromise } from './maybe-promise.js';
import { lineRecord } from './record-id.js';
import type { Counters, Job, MapContext, MapEmit, ParamValues, TaskSetting, WordContext } from './types.js';
import { showValue, ValueError } from './values.js';
import { wordsOf } from './words.js';

export interface MapTaskOptions extends GroupsOptions {
  readonly context: TaskSetting;
  /** Bad records: records that `map` never sees, by their names (record-id.ts). */
  readonly skip?: readonly string[] | undefined;
  /** Takes the pairs instead of `Groups`, and cuts runs at the same places. */
  readonly collector?: Collector;
}

type Phase = 'new' | 'started' | 'finished';

/** Used in this order: `start`, then `openInput` and `offer` for every record, then `finish`. What user code throws goes through. */
export class MapTask {
  readonly #options: MapTaskOptions;
  readonly #job: Job;
  readonly #collector: Collector;
  readonly #userCounters = new Map<string, number>();
  readonly #input = { name: '', offset: 0 };
  readonly #emit: MapEmit<string, unknown, ParamValues>;
  readonly #bareEmit: MapEmit<string, unknown, ParamValues>;
  readonly #wordContext: MapContext<ParamValues>;
  #phase: Phase = 'new';
  #mapping = false;
  readonly #skip: ReadonlySet<string> | undefined;
  /** Records offered so far. */
  #offered = 0;
  #skipped = 0;
  #recordsIn = 0;
  /** Where the records offered are what a program made of others: how many those were. */
  #programRead: number | undefined;
  #recordsOut = 0;

  constructor(options: MapTaskOptions) {
    this.#options = options;
    this.#job = options.job;
    this.#skip = options.skip && new Set(options.skip);
    this.#collector = options.collector ?? new Groups(options);
    const context = Object.assign(taskContext(options.context, this.#userCounters), { input: this.#input });
    const emit = (key: string, value: unknown): void => this.#add(key, value);
    // Its signal is made when it is asked for, here as well.
    this.#emit = Object.defineProperties(emit, Object.getOwnPropertyDescriptors(context)) as MapEmit<
      string,
      unknown,
      ParamValues
    >;
    this.#bareEmit = ((key: string, value: unknown) => this.#add(key, value)) as MapEmit<
      string,
      unknown,
      ParamValues
    >;
    const wordContext: WordContext<ParamValues> = { params: context.params, input: this.#input };
    this.#wordContext = wordContext as MapContext<ParamValues>;
  }

  /** The name of the record that was offered last; undefined before the first and after `finish`. */
  get record(): string | undefined {
    return this.#phase === 'started' && this.#offered > 0 ? lineRecord(this.#offered - 1) : undefined;
  }

  /** Counts so far: `map.records.in`, `map.records.out`, `map.records.skipped` if there are any, and the user's own. */
  get counters(): Counters {
    return sortedCounters([
      ...this.#userCounters,
      ...(this.#skipped > 0 ? [['map.records.skipped', this.#skipped] as const] : []),
      ['map.records.in', this.#programRead ?? this.#recordsIn],
      ['map.records.out', this.#recordsOut],
    ]);
  }

  /** What the job's functions are given. */
  get context(): MapContext<ParamValues> {
    return this.#emit;
  }

  /** Runs the job's `setup`. */
  start(): MaybePromise<void> {
    this.#expect('new', 'start');
    this.#phase = 'started';
    return this.#job.setup?.(this.#emit);
  }

  /** The records that follow are of this input. */
  openInput(name: string): void {
    this.#input.name = name;
  }

  /** The records offered are lines of a program, which was given so many records more: those are the ones that count. */
  programRead(records: number): void {
    this.#programRead = (this.#programRead ?? 0) + records;
  }

  /** Maps one record; the next may be offered when this is done. `offset` is in bytes. */
  offer(record: unknown, offset = 0): MaybePromise<void> {
    this.#expect('started', 'offer');
    this.#input.offset = offset;
    if (this.#isLeftOut()) return;
    this.#recordsIn++;
    this.#mapping = true;
    let taken: MaybePromise<void>;
    try {
      taken = this.#take(this.#map(record));
    } catch (error) {
      this.#mapping = false;
      throw error;
    }
    if (isPromise(taken)) return this.#settled(taken);
    this.#mapping = false;
  }

  #map(record: unknown): unknown {
    const { words } = this.#job;
    if (words === undefined) return this.#job.map(record, this.#emit, this.#emit);
    return this.#mapWords(wordsOf(words, record as string));
  }

  /** What a `map` that has failed emits late, in a branch that goes on, must not reach what the next attempt collects. */
  async #settled(mapped: Promise<void>): Promise<void> {
    try {
      await mapped;
    } finally {
      this.#mapping = false;
    }
  }

  /** The next record cannot be read: whether it is one to leave out. If not, the task has failed at it. */
  leavesOut(): boolean {
    this.#expect('started', 'leavesOut');
    return this.#isLeftOut();
  }

  /** Counts the next record, and says whether `map` is not to see it. */
  #isLeftOut(): boolean {
    const number = this.#offered++;
    if (this.#skip?.has(lineRecord(number)) !== true) return false;
    this.#skipped++;
    return true;
  }

  /** What is made of a word depends on little else, so there is little context. */
  #mapWords(words: readonly string[]): void {
    for (const word of words) {
      const result: unknown = this.#job.map(word, this.#bareEmit, this.#wordContext);
      if (result !== undefined) throw new ValueError(`map of a word gave ${showValue(result)}: it must emit`);
    }
  }

  /** Cuts the last run, if it holds anything, and runs the job's `teardown`. */
  finish(): MaybePromise<void> {
    this.#expect('started', 'finish');
    this.#phase = 'finished';
    this.#collector.finish();
    return this.#job.teardown?.(this.#emit);
  }

  /** Adds the pairs of a `map` that returned something instead of emitting. */
  #take(result: unknown): MaybePromise<void> {
    if (result === undefined) return;
    if (isPromise(result)) return result.then((settled) => this.#take(settled));
    if (
      typeof result === 'object' &&
      result !== null &&
      (Symbol.iterator in result || Symbol.asyncIterator in result)
    ) {
      return forEach(result as Iterable<unknown> | AsyncIterable<unknown>, (pair) => {
        if (!Array.isArray(pair) || pair.length !== 2)
          throw notPairs(`something that is not a pair: ${showValue(pair)}`);
        this.#add(pair[0], pair[1]);
      });
    }
    throw notPairs(showValue(result));
  }

  #add(key: string, value: unknown): void {
    if (!this.#mapping) throw new Error(lateEmit(this.#phase, this.#options.context.task));
    this.#recordsOut++;
    this.#collector.add(key, value);
  }

  #expect(phase: Phase, call: string): void {
    if (this.#phase === phase) return;
    throw new Error(`MapTask.${call}: the task ${this.#options.context.task} is ${this.#phase}`);
  }
}

function notPairs(what: string): ValueError {
  return new ValueError(`map gave ${what}: it must emit, or yield or return pairs [key, value]`);
}

function lateEmit(phase: Phase, task: string): string {
  return phase === 'finished'
    ? `emit was called after the task ${task} had finished`
    : `emit was called outside of map in task ${task}: is a promise not awaited?`;
}

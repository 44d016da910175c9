/** One reduce task without its input and output: it calls the job's `reduce` for each group and hands on what it returns. */
import { sortedCounters, taskContext } from './context.js';
import { after, forEach, isPromise, type MaybePromise } from './maybe-promise.js';
import { keyRecord } from './record-id.js';
import type { Counters, Job, ParamValues, TaskContext, TaskSetting } from './types.js';

export interface ReduceTaskOptions {
  readonly job: Job;
  readonly context: TaskSetting;
  /** Bad records: keys that `reduce` never sees, by their names (record-id.ts). */
  readonly skip?: readonly string[] | undefined;
  /** Takes one output record over; `value` is never undefined. */
  readonly write: (key: string, value: unknown) => void;
}

/** Used in this order: `start`, `reduceGroup` for every key, `finish`. What user code throws goes through. */
export class ReduceTask {
  readonly #job: Job;
  readonly #reduce: Exclude<Job['reduce'], 'none'>;
  readonly #write: ReduceTaskOptions['write'];
  readonly #userCounters = new Map<string, number>();
  readonly #context: TaskContext<ParamValues>;
  readonly #skip: ReadonlySet<string> | undefined;
  #key: string | undefined;
  #skipped = 0;
  #phase: 'new' | 'started' | 'finished' = 'new';
  #groupsIn = 0;
  /** The key with the most records so far, and how many: what skew is made of. */
  heaviest: { readonly key: string; readonly records: number } | undefined;
  #recordsIn = 0;
  #recordsOut = 0;

  constructor(options: ReduceTaskOptions) {
    this.#job = options.job;
    const { reduce } = options.job;
    if (reduce === 'none') throw new TypeError(`job "${options.job.name}" has no reduce`);
    this.#reduce = reduce;
    this.#write = options.write;
    this.#skip = options.skip && new Set(options.skip);
    this.#context = taskContext(options.context, this.#userCounters);
  }

  /** The name of the key whose group was begun last; undefined before the first and after `finish`. */
  get record(): string | undefined {
    return this.#phase === 'started' && this.#key !== undefined ? keyRecord(this.#key) : undefined;
  }

  /**
   * Counts so far: `reduce.groups.in`, `reduce.records.in`, `reduce.records.out`, `reduce.groups.skipped` if there are
   * any, and the user's own.
   */
  get counters(): Counters {
    return sortedCounters([
      ...this.#userCounters,
      ...(this.#skipped > 0 ? [['reduce.groups.skipped', this.#skipped] as const] : []),
      ['reduce.groups.in', this.#groupsIn],
      ['reduce.records.in', this.#recordsIn],
      ['reduce.records.out', this.#recordsOut],
    ]);
  }

  /** What the job's functions are given. */
  get context(): TaskContext<ParamValues> {
    return this.#context;
  }

  /** Runs the job's `setup`. */
  start(): MaybePromise<void> {
    this.#expect('new', 'start');
    this.#phase = 'started';
    return this.#job.setup?.(this.#context);
  }

  /** Reduces one group; the next may follow when this is done. All values count, also those the job leaves unread. */
  reduceGroup(key: string, values: Iterable<unknown>): MaybePromise<void> {
    this.#expect('started', 'reduceGroup');
    this.#key = key;
    if (this.#skip?.has(keyRecord(key))) {
      this.#skipped++;
      return;
    }
    this.#groupsIn++;
    const before = this.#recordsIn;
    const iterator = values[Symbol.iterator]();
    const once = this.#readOnce(key, iterator);
    return after(this.#take(key, this.#reduce(key, once, this.#context)), () => {
      while (!iterator.next().done) this.#recordsIn++;
      const records = this.#recordsIn - before;
      if (records > (this.heaviest?.records ?? 0)) this.heaviest = { key, records };
    });
  }

  /** Runs the job's `teardown`. */
  finish(): MaybePromise<void> {
    this.#expect('started', 'finish');
    this.#phase = 'finished';
    return this.#job.teardown?.(this.#context);
  }

  /** Values are streamed: reading them twice would silently find none, so that is an error. */
  #readOnce(key: string, iterator: Iterator<unknown>): Iterable<unknown> {
    let begun = false;
    const next = (): IteratorResult<unknown> => {
      const result = iterator.next();
      if (!result.done) this.#recordsIn++;
      return result;
    };
    return {
      [Symbol.iterator]() {
        if (begun) {
          throw new Error(
            `reduce read the values of key ${JSON.stringify(key)} a second time: they are streamed; keep them with [...values]`,
          );
        }
        begun = true;
        return { next };
      },
    };
  }

  #take(key: string, result: unknown): MaybePromise<void> {
    if (result === undefined) return;
    if (isPromise(result)) return result.then((settled) => this.#take(key, settled));
    if (isGenerator(result)) return forEach(result, (value) => this.#put(key, value));
    this.#put(key, result);
  }

  #put(key: string, value: unknown): void {
    if (value === undefined) return;
    this.#recordsOut++;
    this.#write(key, value);
  }

  #expect(phase: 'new' | 'started', call: string): void {
    if (this.#phase === phase) return;
    throw new Error(`ReduceTask.${call}: the task ${this.#context.task} is ${this.#phase}`);
  }
}

/** An array or a Map is one value; only what has `next` as well is a stream of them. */
function isGenerator(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { next?: unknown }).next === 'function' &&
    (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}

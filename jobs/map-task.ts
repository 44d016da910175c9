/**
 * One map task without its input and output: it calls the job's `map`, combines, and cuts sorted runs.
 *
 * When runs are cut and what is combined with what depends on the emitted pairs and the budget alone, never on memory
 * or time, so that every attempt of a task, and the sequential path, give the same bytes even where `combine` is not
 * quite associative (sums of floating-point numbers).
 *
 * The plan: the values of a key are combined as soon as there are 32; a run is cut as soon as the counted bytes reach
 * the budget, and when the task ends; before a cut each key's values are combined to one. Counted bytes are
 *
 *   96 + 2 × length       for each key of the run, its length in UTF-16 units
 *   8                     for each number, boolean and null
 *   16 + 2 × length       for each string
 *   32 + 2 × length       for each object or array, the length being that of its JSON text
 */
import { sortedCounters, taskContext } from './context.js';
import { after, forEach, isPromise, type MaybePromise } from './maybe-promise.js';
import { partitionOf } from './murmur3.js';
import { lineRecord } from './record-id.js';
import type { Counters, Job, KeyedValues, MapEmit, TaskSetting } from './types.js';
import { compareUtf8, wellFormed } from './utf8.js';
import { canonicalValue, encodeValue, objectText, showKey, ValueError } from './values.js';

const COMBINE_AT = 32;
const KEY_BYTES = 96;
const SCALAR_BYTES = 8;
const STRING_BYTES = 16;
const OBJECT_BYTES = 32;

/** What was buffered between two cuts: for each partition its keys in the order of their UTF-8 bytes, each once. */
export interface MapRun {
  readonly partitions: readonly (readonly KeyedValues[])[];
}

export interface MapTaskOptions {
  readonly job: Job;
  /** Number of partitions. */
  readonly reduces: number;
  readonly budgetBytes: number;
  readonly context: TaskSetting;
  /** Bad records: lines that `map` never sees, by their names (record-id.ts). */
  readonly skip?: readonly string[] | undefined;
  /** Takes a run over. Called from within `offer` and `finish`, even in the middle of a call of the user's `map`. */
  readonly onRun: (run: MapRun) => void;
}

interface Group {
  readonly key: string;
  readonly partition: number;
  readonly values: unknown[];
  valueBytes: number;
}

type Phase = 'new' | 'started' | 'finished';

/** Used in this order: `start`, then `openInput` and `offer` for every line, then `finish`. What user code throws goes through. */
export class MapTask {
  readonly #options: MapTaskOptions;
  readonly #job: Job;
  readonly #budgetBytes: number;
  readonly #userCounters = new Map<string, number>();
  readonly #input = { name: '', offset: 0 };
  readonly #emit: MapEmit<string, unknown>;
  readonly #groups = new Map<string, Group>();
  #phase: Phase = 'new';
  #mapping = false;
  #countedBytes = 0;
  readonly #skip: ReadonlySet<string> | undefined;
  #lines = 0;
  #skipped = 0;
  #recordsIn = 0;
  #recordsOut = 0;

  constructor(options: MapTaskOptions) {
    this.#options = options;
    this.#job = options.job;
    this.#budgetBytes = options.budgetBytes;
    this.#skip = options.skip && new Set(options.skip);
    const context = { ...taskContext(options.context, this.#userCounters), input: this.#input };
    this.#emit = Object.assign((key: string, value: unknown) => this.#add(key, value), context);
  }

  /** The name of the line that was offered last; undefined before the first and after `finish`. */
  get record(): string | undefined {
    return this.#phase === 'started' && this.#lines > 0 ? lineRecord(this.#lines - 1) : undefined;
  }

  /** Counts so far: `map.records.in`, `map.records.out`, `map.records.skipped` if there are any, and the user's own. */
  get counters(): Counters {
    return sortedCounters([
      ...this.#userCounters,
      ...(this.#skipped > 0 ? [['map.records.skipped', this.#skipped] as const] : []),
      ['map.records.in', this.#recordsIn],
      ['map.records.out', this.#recordsOut],
    ]);
  }

  /** Runs the job's `setup`. */
  start(): MaybePromise<void> {
    this.#expect('new', 'start');
    this.#phase = 'started';
    return this.#job.setup?.(this.#emit);
  }

  /** The lines that follow are of this input. */
  openInput(name: string): void {
    this.#input.name = name;
  }

  /** Maps one line; the next may be offered when this is done. `offset` is in bytes. */
  offer(line: string, offset = 0): MaybePromise<void> {
    this.#expect('started', 'offer');
    this.#input.offset = offset;
    const number = this.#lines++;
    if (this.#skip?.has(lineRecord(number))) {
      this.#skipped++;
      return;
    }
    this.#recordsIn++;
    this.#mapping = true;
    // A task whose `map` failed is abandoned, so `#mapping` needs no reset then.
    const result: unknown = this.#job.map(line, this.#emit, this.#emit);
    if (result === undefined) {
      this.#mapping = false;
      return;
    }
    return after(this.#take(result), () => {
      this.#mapping = false;
    });
  }

  /** Cuts the last run, if it holds anything, and runs the job's `teardown`. */
  finish(): MaybePromise<void> {
    this.#expect('started', 'finish');
    this.#phase = 'finished';
    if (this.#groups.size > 0) this.#cut();
    return this.#job.teardown?.(this.#emit);
  }

  /** Adds the pairs of a `map` that returned something instead of emitting. */
  #take(result: unknown): MaybePromise<void> {
    if (isPromise(result)) return result.then((settled) => this.#take(settled));
    if (result === undefined) return;
    if (
      typeof result === 'object' &&
      result !== null &&
      (Symbol.iterator in result || Symbol.asyncIterator in result)
    ) {
      return forEach(result as Iterable<unknown> | AsyncIterable<unknown>, (pair) => {
        if (!Array.isArray(pair) || pair.length !== 2)
          throw notPairs(`something that is not a pair: ${show(pair)}`);
        this.#add(pair[0], pair[1]);
      });
    }
    throw notPairs(show(result));
  }

  #add(key: string, value: unknown): void {
    if (!this.#mapping) throw new Error(lateEmit(this.#phase, this.#options.context.task));
    this.#recordsOut++;
    const group = this.#groups.get(key) ?? this.#groupOf(key);
    this.#append(group, value);
    if (group.values.length >= COMBINE_AT && this.#job.combine !== undefined) this.#combine(group);
    if (this.#countedBytes >= this.#budgetBytes) this.#cut();
  }

  /** The group of a key that is not known in this spelling. */
  #groupOf(spelling: string): Group {
    if (typeof spelling !== 'string') {
      throw new ValueError(`a key must be a string, but ${show(spelling)} was emitted: use String(key)`);
    }
    const key = wellFormed(spelling);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group: Group = { key, partition: this.#partition(key), values: [], valueBytes: 0 };
    this.#groups.set(key, group);
    this.#countedBytes += KEY_BYTES + 2 * key.length;
    return group;
  }

  #partition(key: string): number {
    const { reduces } = this.#options;
    if (this.#job.partition === undefined) return partitionOf(key, reduces);
    const partition = this.#job.partition(key, reduces);
    if (Number.isInteger(partition) && partition >= 0 && partition < reduces) return partition;
    throw new ValueError(
      `partition(${showKey(key)}, ${reduces}) returned ${show(partition)}: it must be an integer from 0 to ${reduces - 1}`,
      key,
    );
  }

  #append(group: Group, value: unknown): void {
    let canonical = value;
    let bytes = SCALAR_BYTES;
    if (typeof value === 'object' && value !== null) {
      const text = objectText(value, group.key);
      canonical = JSON.parse(text);
      bytes = OBJECT_BYTES + 2 * text.length;
    } else {
      canonical = canonicalValue(value, group.key);
      if (typeof canonical === 'string') bytes = STRING_BYTES + 2 * canonical.length;
    }
    group.values.push(canonical);
    group.valueBytes += bytes;
    this.#countedBytes += bytes;
  }

  #combine(group: Group): void {
    const combined = this.#job.combine!(group.key, group.values);
    this.#countedBytes -= group.valueBytes;
    group.values.length = 0;
    group.valueBytes = 0;
    this.#append(group, combined);
  }

  #cut(): void {
    const partitions: Group[][] = Array.from({ length: this.#options.reduces }, () => []);
    for (const group of this.#groups.values()) {
      if (group.values.length > 1 && this.#job.combine !== undefined) this.#combine(group);
      partitions[group.partition]!.push(group);
    }
    for (const groups of partitions) groups.sort((a, b) => compareUtf8(a.key, b.key));
    this.#groups.clear();
    this.#countedBytes = 0;
    this.#options.onRun({ partitions });
  }

  #expect(phase: Phase, call: string): void {
    if (this.#phase === phase) return;
    throw new Error(`MapTask.${call}: the task ${this.#options.context.task} is ${this.#phase}`);
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return showKey(value);
  try {
    return encodeValue(value) ?? String(value);
  } catch {
    return typeof value;
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

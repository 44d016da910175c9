/**
 * Where the pairs of a map task go: collected by key, combined, and cut into sorted runs.
 *
 * When runs are cut and what is combined with what depends on the emitted pairs and the budget alone, never on memory
 * or time, so that every attempt of a task, and the sequential path, give the same bytes even where `combine` is not
 * quite associative (sums of floating-point numbers).
 *
 * The plan: the values of a key are combined as soon as there are 8, or two where `combine` is one of the known
 * functions; a run is cut as soon as the counted bytes reach a third of the budget, and when the task ends; before a cut each
 * key's values are combined to one. The rest is for what the engine needs beside what is collected: young objects,
 * the garbage it has not found yet, arrays that are sorted. Counted bytes are
 *
 *   240 + 2 × length      for each key of the run, its length in bytes of UTF-8
 *   8                     for each number, boolean and null
 *   16 + 2 × length       for each string, its length in UTF-16 units
 *   32 + 2 × length       for each object or array, the length being that of its JSON text
 *   8                     for each number of a row (grouping.ts)
 *
 * Jobs whose pairs a kernel may take (kernel/kernel.ts) are counted as the kernel counts, which needs less: 160 for a key, and
 * all of the budget.
 */
import { knownAs } from './aggregates.js';
import { type Partitioner, partitionerOf } from './partition.js';
import type { Job, KeyedValues } from './types.js';
import { compareUtf8, utf8Length } from './utf8.js';
import { canonicalKey, canonicalValue, lengthInJson, numbersOf, objectText } from './values.js';

const COMBINE_AT = 8;
/** A known function gives the same however few values it is given at a time, and the kernel takes one after the other. */
const COMBINE_KNOWN_AT = 2;
/** A group, the array of its values, their places in the map and in what is sorted, and the head of the key itself. */
const KEY_BYTES = 240;
const KERNEL_KEY_BYTES = 160;
const SCALAR_BYTES = 8;
const STRING_BYTES = 16;
const OBJECT_BYTES = 32;
/** Of a group that is new: most groups of most jobs have one value only, and an array that was pushed to has room for more. */
const NO_VALUES: unknown[] = [];

export interface Collector {
  /** Takes one pair, and may cut a run. Throws ValueError for what cannot be used. */
  add(key: string, value: unknown): void;
  /** Cuts the last run, if it holds anything. */
  finish(): void;
}

/** What was collected between two cuts: for each partition its keys in the order of their UTF-8 bytes, each once. */
export interface MapRun {
  readonly partitions: readonly (readonly KeyedValues[])[];
}

export interface GroupsOptions {
  readonly job: Job;
  /** Number of partitions. */
  readonly reduces: number;
  readonly budgetBytes: number;
  /** For a job that partitions by range (partition.ts). */
  readonly boundaries?: readonly string[] | undefined;
  /** Takes a run over. Called from within `add` and `finish`, even in the middle of a call of the user's `map`. */
  readonly onRun: (run: MapRun) => void;
}

interface Group {
  readonly key: string;
  readonly partition: number;
  values: unknown[];
  valueBytes: number;
}

/** Any keys and values, in memory. */
export class Groups implements Collector {
  readonly #options: GroupsOptions;
  readonly #job: Job;
  /** How many counted bytes make a run. */
  readonly #runBytes: number;
  readonly #keyBytes: number;
  readonly #partition: Partitioner;
  readonly #combineAt: number;
  readonly #areRows: boolean;
  readonly #groups = new Map<string, Group>();
  #countedBytes = 0;

  constructor(options: GroupsOptions) {
    this.#options = options;
    this.#job = options.job;
    const isAsInKernel = isCountedAsInKernel(options.job);
    this.#runBytes = isAsInKernel ? options.budgetBytes : options.budgetBytes / 3;
    this.#keyBytes = isAsInKernel ? KERNEL_KEY_BYTES : KEY_BYTES;
    this.#partition = partitionerOf(options.job, options.reduces, options.boundaries);
    const combine = knownAs(options.job.combine);
    this.#combineAt = combine === undefined ? COMBINE_AT : COMBINE_KNOWN_AT;
    this.#areRows = combine === 'rows';
  }

  add(key: string, value: unknown): void {
    const group = this.#groups.get(key) ?? this.#groupOf(key);
    this.#append(group, value);
    if (group.values.length >= this.#combineAt && this.#job.combine !== undefined) this.#combine(group);
    if (this.#countedBytes >= this.#runBytes) this.#cut();
  }

  finish(): void {
    if (this.#groups.size > 0) this.#cut();
  }

  /** The group of a key that is not known in this spelling. */
  #groupOf(spelling: string): Group {
    const key = canonicalKey(spelling);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group: Group = { key, partition: this.#partition(key), values: NO_VALUES, valueBytes: 0 };
    this.#groups.set(key, group);
    this.#countedBytes += this.#keyBytes + 2 * utf8Length(key);
    return group;
  }

  #append(group: Group, value: unknown): void {
    let canonical = value;
    let bytes = SCALAR_BYTES;
    const numbers = Array.isArray(value) ? numbersOf(value) : undefined;
    if (numbers !== undefined) {
      canonical = numbers;
      bytes = this.#areRows ? SCALAR_BYTES * numbers.length : OBJECT_BYTES + 2 * lengthInJson(numbers);
    } else if (typeof value === 'object' && value !== null) {
      const text = objectText(value, group.key);
      canonical = JSON.parse(text);
      bytes = OBJECT_BYTES + 2 * text.length;
    } else {
      canonical = canonicalValue(value, group.key);
      if (typeof canonical === 'string') bytes = STRING_BYTES + 2 * canonical.length;
    }
    if (group.values === NO_VALUES) group.values = [canonical];
    else group.values.push(canonical);
    group.valueBytes += bytes;
    this.#countedBytes += bytes;
  }

  #combine(group: Group): void {
    const combined = this.#job.combine!(group.key, group.values);
    this.#countedBytes -= group.valueBytes;
    group.valueBytes = 0;
    this.#append(group, combined);
    // Not emptied and filled again: that would allocate anew each time.
    group.values[0] = group.values.pop();
    group.values.length = 1;
  }

  #cut(): void {
    const partitions: Group[][] = Array.from({ length: this.#options.reduces }, () => []);
    for (const group of this.#groups.values()) {
      if (group.values.length > 1) {
        if (this.#job.combine !== undefined) this.#combine(group);
        else if (this.#job.orderValues !== undefined) group.values.sort(this.#job.orderValues);
      }
      partitions[group.partition]!.push(group);
    }
    for (const groups of partitions) groups.sort((a, b) => compareUtf8(a.key, b.key));
    this.#groups.clear();
    this.#countedBytes = 0;
    this.#options.onRun({ partitions });
  }
}

/** Whether a kernel might take the pairs of the job: where a run is cut must not depend on who collects them. */
function isCountedAsInKernel({ combine, partition, orderValues }: Job): boolean {
  return knownAs(combine) !== undefined && partition === undefined && orderValues === undefined;
}

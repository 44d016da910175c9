/**
 * The whole job in memory: the path that the simulator, its oracle and `check` share, and that runs, distributed or not,
 * must match byte for byte. It follows the same plan: the same cuts and combining in each map task, the runs of a
 * task combined once more, values to `reduce` in (map, emission) order.
 *
 * Everything is synchronous as long as the user's code and the splits are.
 */

import type { MapRun } from './collector.js';
import { sortedCounters } from './context.js';
import { MapTask } from './map-task.js';
import { after, forEach, type MaybePromise } from './maybe-promise.js';
import { combineRuns, groups, mergeRecords } from './merge.js';
import { formatterOf } from './output-format.js';
import { ReduceTask } from './reduce-task.js';
import type { Counters, Job, KeyedValues, KeyValue, ParamValues, TaskSetting } from './types.js';

export interface PlainRecord {
  /** What `map` gets: a line, unless the job has another input format. */
  readonly record: unknown;
  /** Byte offset of the record in its input. */
  readonly offset: number;
  /** Name of the input. */
  readonly input: string;
}

/** The records of one map task; asynchronous ones come in batches. */
export type PlainSplit = Iterable<PlainRecord> | AsyncIterable<Iterable<PlainRecord>>;

/** Where user code is, for whoever catches what it throws. */
export interface RecordSite {
  /** The name of the record that is worked on (record-id.ts); undefined between records. */
  record?: () => string | undefined;
}

export interface PlainMapOptions {
  readonly job: Job;
  readonly records: PlainSplit;
  readonly reduces: number;
  readonly budgetBytes: number;
  /** For a job that partitions by range (partition.ts). */
  readonly boundaries?: readonly string[] | undefined;
  readonly context: TaskSetting;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
  /** Filled in. */
  readonly site?: RecordSite;
}

export interface PlainMapOutput {
  /** The sorted records of each partition. */
  readonly partitions: readonly (readonly KeyValue[])[];
  readonly counters: Counters;
}

/** One map task. */
export function runPlainMap(options: PlainMapOptions): MaybePromise<PlainMapOutput> {
  const { job, records, reduces } = options;
  const runs: MapRun[] = [];
  const task = new MapTask({ ...options, onRun: (run) => runs.push(run) });
  if (options.site) options.site.record = () => task.record;
  let input: string | undefined;
  const offer = (one: PlainRecord): MaybePromise<void> => {
    if (one.input !== input) task.openInput((input = one.input));
    return task.offer(one.record, one.offset);
  };
  const offerAll = (): MaybePromise<void> =>
    Symbol.asyncIterator in records
      ? forEach(records, (batch) => forEach(batch, offer))
      : forEach(records, offer);
  const mapped = after(after(task.start(), offerAll), () => task.finish());
  return after(mapped, () => ({
    partitions: Array.from({ length: reduces }, (_, partition) => [
      ...combineRuns(
        runs.map((run) => recordsOf(run.partitions[partition]!)),
        job.combine,
        job.orderValues,
      ),
    ]),
    counters: task.counters,
  }));
}

export interface PlainReduceOptions {
  readonly job: Job;
  /** The partition's sorted records of every map task, in map order. */
  readonly sources: readonly Iterable<KeyValue>[];
  readonly context: TaskSetting;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
  /** Filled in. */
  readonly site?: RecordSite;
}

export interface PlainReduceOutput {
  /** The lines of the output file. */
  readonly text: string;
  readonly counters: Counters;
}

/** One reduce task. */
export function runPlainReduce(options: PlainReduceOptions): MaybePromise<PlainReduceOutput> {
  const { job, sources, context, skip, site } = options;
  const lines: string[] = [];
  const format = formatterOf(job.outputFormat);
  const write = (key: string, value: unknown): void => void lines.push(format(key, value));
  const task = new ReduceTask({ job, context, skip, write });
  if (site) site.record = () => task.record;
  const merged = mergeRecords(
    sources.map((source) => source[Symbol.iterator]()),
    job.orderValues,
  );
  const reduceAll = () => forEach(groups(merged), ({ key, values }) => task.reduceGroup(key, values));
  const reduced = after(after(task.start(), reduceAll), () => task.finish());
  return after(reduced, () => ({ text: lines.join(''), counters: task.counters }));
}

export interface PlainOptions {
  readonly job: Job;
  /** One for each map task. */
  readonly splits: Iterable<PlainSplit> | AsyncIterable<PlainSplit>;
  readonly reduces: number;
  readonly budgetBytes: number;
  readonly boundaries?: readonly string[] | undefined;
  readonly params: ParamValues;
  readonly seed: string;
}

export interface PlainOutput {
  /** The text of each partition. */
  readonly parts: readonly string[];
  readonly counters: Counters;
}

/** The whole job, task after task. */
export function runPlain(options: PlainOptions): MaybePromise<PlainOutput> {
  const { job, reduces, budgetBytes, boundaries, params, seed } = options;
  const maps: PlainMapOutput[] = [];
  const mapAll = forEach(options.splits, (records) => {
    const context = { task: `map-${maps.length}`, params, seed };
    return after(runPlainMap({ job, records, reduces, budgetBytes, boundaries, context }), (output) => {
      maps.push(output);
    });
  });
  const reduced: PlainReduceOutput[] = [];
  const reduceAll = (): MaybePromise<void> =>
    forEach(Array(reduces).keys(), (partition) => {
      const sources = maps.map((map) => map.partitions[partition]!);
      const context = { task: `reduce-${partition}`, params, seed };
      return after(runPlainReduce({ job, sources, context }), (output) => {
        reduced.push(output);
      });
    });
  return after(after(mapAll, reduceAll), () => ({
    parts: reduced.map((output) => output.text),
    counters: addCounters([...maps, ...reduced].map((output) => output.counters)),
  }));
}

/** The sum of the counters of several tasks, name by name. */
export function addCounters(all: Iterable<Counters>): Counters {
  const sums = new Map<string, number>();
  for (const counters of all) {
    for (const [name, value] of counters) sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return sortedCounters(sums);
}

/** The records of one partition of a run, in order. */
export function* recordsOf(partition: Iterable<KeyedValues>): Generator<KeyValue, void, undefined> {
  for (const { key, values } of partition) {
    for (const value of values) yield [key, value];
  }
}

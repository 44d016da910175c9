/**
 * The whole job in this process, one task after the other and without intermediate files: what `--sequential` runs,
 * and what a distributed run is held against. It follows the same plan through the same reader, combines at the same
 * places, and publishes the same way, so its output is the same byte for byte.
 */
import { join } from 'node:path';
import { skipsMax } from '../../core/durable/skips.js';
import {
  addCounters,
  type PlainMapOutput,
  type PlainRecord,
  type RecordSite,
  runPlainMap,
  runPlainReduce,
} from '../../jobs/plain.js';
import type { Counters, Job, Params, TaskSetting, TaskSignal } from '../../jobs/types.js';
import { blame, breathe, type Progress } from './attempt.js';
import { UserCodeError, type UserCodeSite } from './errors.js';
import type { InputFile } from './inputs.js';
import { runMapOnlyAttempt } from './map-only-attempt.js';
import type { SplitPlan, SplitRange } from './plan.js';
import { attemptsPath, type Part } from './publish.js';
import { type DataRecord, readRecords } from './records.js';
import { splitBytes } from './split-reader.js';
import { TextFile } from './text-file.js';

export interface SequentialOptions {
  readonly job: Job;
  readonly plan: SplitPlan<InputFile>;
  readonly reduces: number;
  readonly budgetBytes: number;
  /** For a job that partitions by range. */
  readonly boundaries?: readonly string[] | undefined;
  readonly params: Params;
  readonly seed: string;
  /** Where to publish; its workspace must have been prepared under `runId`. */
  readonly output: string;
  readonly runId: string;
  /** A record at which user code fails twice is left out, as a distributed run would. */
  readonly skipBadRecords?: boolean;
  readonly signal?: TaskSignal;
  readonly progress?: Progress;
}

export interface SequentialPart extends Part {
  /** sha256 of the text, in lowercase hex. */
  readonly digest: string;
  readonly bytes: number;
}

export interface SequentialResult {
  /** The part files, ready for `publishOutput`. */
  readonly parts: readonly SequentialPart[];
  readonly counters: Counters;
}

/** Makes the part files of a job in its workspace. Throws what the attempts throw. */
export async function runSequential(options: SequentialOptions): Promise<SequentialResult> {
  if (options.job.reduce === 'none') return await mapOnly(options);
  const bytesTotal = options.plan.splits.reduce((sum, ranges) => sum + splitBytes(ranges), 0);
  const maps: PlainMapOutput[] = [];
  let bytesDone = 0;
  for (const [index, ranges] of options.plan.splits.entries()) {
    maps.push(await withoutBadRecords(options, (skip) => mapSplit(options, index, ranges, skip)));
    options.progress?.((bytesDone += splitBytes(ranges)), bytesTotal);
  }
  const parts: SequentialPart[] = [];
  const counters: Counters[] = maps.map((map) => map.counters);
  for (let partition = 0; partition < options.reduces; partition++) {
    const reduced = await withoutBadRecords(options, (skip) =>
      reducePartition(options, partition, maps, skip),
    );
    parts.push(reduced.part);
    counters.push(reduced.counters);
  }
  return { parts, counters: addCounters(counters) };
}

/** A job without reduce: each split makes a part. */
async function mapOnly(options: SequentialOptions): Promise<SequentialResult> {
  const { job, plan, output, runId } = options;
  const parts: SequentialPart[] = [];
  const counters: Counters[] = [];
  for (const [partition, ranges] of plan.splits.entries()) {
    const path = join(attemptsPath(output, runId), `sequential-${partition}`);
    const context = { ...settingOf(options), task: `map-${partition}` };
    const made = await withoutBadRecords(options, (skip) =>
      runMapOnlyAttempt({ job, files: plan.files, ranges, context, skip, target: path }),
    );
    parts.push({ partition, path, digest: made.digest, bytes: made.bytes });
    counters.push(made.counters);
  }
  return { parts, counters: addCounters(counters) };
}

/** Runs a task again and again, each time without the records at which it has failed twice. */
async function withoutBadRecords<T>(
  { skipBadRecords = false }: SequentialOptions,
  run: (skip: readonly string[]) => Promise<T>,
): Promise<T> {
  const failures = new Map<string, number>();
  for (;;) {
    const skip = [...failures].filter(([, times]) => times > 1).map(([record]) => record);
    try {
      return await run(skip);
    } catch (error) {
      const record = error instanceof UserCodeError ? error.site.record : undefined;
      if (!skipBadRecords || record === undefined || skip.length >= skipsMax) throw error;
      failures.set(record, (failures.get(record) ?? 0) + 1);
    }
  }
}

async function mapSplit(
  options: SequentialOptions,
  index: number,
  ranges: readonly SplitRange[],
  skip: readonly string[],
): Promise<PlainMapOutput> {
  const { job, plan, reduces, budgetBytes, boundaries } = options;
  let site: UserCodeSite = {};
  const at: RecordSite = {};
  async function* batches(): AsyncGenerator<Iterable<PlainRecord>> {
    for await (const { file, records } of readRecords(plan.files, ranges, job.inputFormat ?? 'lines')) {
      yield recordsOf(file.name, records);
      await breathe(options.signal);
    }
    site = {};
  }
  function* recordsOf(input: string, records: Iterable<DataRecord>): Generator<PlainRecord> {
    for (const { record, offset } of records) {
      site = { input, offset };
      yield { record, offset, input };
    }
  }
  try {
    const context = { ...settingOf(options), task: `map-${index}` };
    return await runPlainMap({
      job,
      records: batches(),
      reduces,
      budgetBytes,
      boundaries,
      context,
      skip,
      site: at,
    });
  } catch (error) {
    throw blame(error, withRecord(site, at), options.signal);
  }
}

async function reducePartition(
  options: SequentialOptions,
  partition: number,
  maps: readonly PlainMapOutput[],
  skip: readonly string[],
): Promise<{ part: SequentialPart; counters: Counters }> {
  const { job } = options;
  const { reduce } = job;
  const site: { key?: string } = {};
  const at: RecordSite = {};
  const watched: Job = Object.assign(Object.create(job) as Job, {
    reduce:
      reduce === 'none'
        ? reduce
        : (((key, values, ctx) => reduce((site.key = key), values, ctx)) satisfies Job['reduce']),
  });
  const sources = maps.map((map) => map.partitions[partition]!);
  const context = { ...settingOf(options), task: `reduce-${partition}` };
  await breathe(options.signal);
  const reduced = await Promise.resolve()
    .then(() => runPlainReduce({ job: watched, sources, context, skip, site: at }))
    .catch((error: unknown) => {
      throw blame(error, withRecord(site, at), options.signal);
    });
  const path = join(attemptsPath(options.output, options.runId), `sequential-${partition}`);
  const file = new TextFile(path);
  try {
    file.write(reduced.text);
    const { digest, bytes } = file.finish();
    return { part: { partition, path, digest, bytes }, counters: reduced.counters };
  } catch (error) {
    file.abandon();
    throw error;
  }
}

function withRecord(site: UserCodeSite, at: RecordSite): UserCodeSite {
  const record = at.record?.();
  return record === undefined ? site : { ...site, record };
}

function settingOf({ params, seed, signal }: SequentialOptions): Omit<TaskSetting, 'task'> {
  return { params, seed, signal };
}

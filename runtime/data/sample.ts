/**
 * A look at the keys that a job will make, before it runs: what a partition by range needs to spread them evenly (as in
 * Hadoop's TotalOrderPartitioner and the sort of Dean and Ghemawat, OSDI 2004, section 5.3).
 *
 * The places looked at depend on the sizes of the inputs alone, so that the same inputs give the same boundaries.
 */

import { isSplittable } from '../../jobs/input-format.js';
import { MapTask } from '../../jobs/map-task.js';
import type { MaybePromise } from '../../jobs/maybe-promise.js';
import { boundariesOf } from '../../jobs/partition.js';
import type { Job, ParamValues } from '../../jobs/types.js';
import { blame } from './attempt.js';
import { isDataError } from './errors.js';
import type { InputFile } from './input-file.js';
import { BrokenRecord } from './json-records.js';
import type { SplitRange } from './plan.js';
import { readRecords } from './records.js';

export interface SampleOptions {
  readonly job: Job;
  readonly files: readonly InputFile[];
  readonly reduces: number;
  readonly params: ParamValues;
  readonly seed: string;
  /** Told before each call of a function of the job, and for which record. */
  readonly calling?: (what: 'setup' | 'map' | 'teardown', file: number, offset: number) => void;
}

const placesMax = 64;
const placeBytes = 32 * 1024;
const recordsPerPlaceMax = 200;

/** The boundaries of a job that partitions by range; undefined for any other. What cannot be read or mapped is passed over. */
export async function sampleBoundaries(options: SampleOptions): Promise<string[] | undefined> {
  const { job, reduces } = options;
  if (job.partition !== 'range') return undefined;
  if (reduces === 1) return [];
  const keys: string[] = [];
  for (const range of places(options.files, job)) await lookAt(options, range, keys);
  return boundariesOf(keys, reduces);
}

/** Evenly spread over the bytes of all files; a file that cannot be entered half way is looked at from its beginning. */
function places(files: readonly InputFile[], job: Job): SplitRange[] {
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const ranges = new Map<string, SplitRange>();
  let fileStart = 0;
  let file = 0;
  for (let place = 0; place < placesMax; place++) {
    const at = Math.floor((place * totalBytes) / placesMax);
    while (file < files.length && at >= fileStart + files[file]!.sizeBytes)
      fileStart += files[file++]!.sizeBytes;
    const chosen = files[file];
    if (!chosen) break;
    const enters = chosen.compression === 'none' && isSplittable(job.inputFormat ?? 'lines');
    const start = enters ? at - fileStart : 0;
    // Up to where the next place begins, at most: what were looked at twice would count twice.
    const bytes = Math.min(placeBytes, Math.floor(((place + 1) * totalBytes) / placesMax) - at);
    const end = enters ? Math.min(start + bytes, chosen.sizeBytes) : chosen.sizeBytes;
    if (start === end && enters) continue;
    ranges.set(`${file} ${start}`, { file, start, end });
  }
  return [...ranges.values()];
}

/** The keys of the first records of a place. What cannot be read, or taken by the job, is left to the task that will meet it. */
async function lookAt(options: SampleOptions, range: SplitRange, keys: string[]): Promise<void> {
  const { params, seed, files, calling } = options;
  const job: Job = { ...options.job, combine: undefined, partition: undefined };
  const task = new MapTask({
    job,
    reduces: 1,
    budgetBytes: Number.POSITIVE_INFINITY,
    context: { task: 'sample', params, seed },
    onRun: ({ partitions }) => {
      for (const { key, values } of partitions[0]!) for (const _ of values) keys.push(key);
    },
  });
  let records = 0;
  try {
    calling?.('setup', range.file, range.start);
    await asked(() => task.start());
    for await (const batch of readRecords(files, [range], job, {
      chunkBytes: placeBytes,
    })) {
      task.openInput(batch.file.name);
      for (const one of batch.records) {
        if (one instanceof BrokenRecord) continue;
        calling?.('map', range.file, one.offset);
        await asked(() => task.offer(one.record, one.offset));
        if (++records >= recordsPerPlaceMax) break;
      }
      if (records >= recordsPerPlaceMax) break;
    }
    calling?.('teardown', range.file, range.start);
    await asked(() => task.finish());
  } catch (error) {
    if (!isDataError(error)) throw error; // a bug of ours
  }
}

/** What the job throws comes out as the doing of user code, which is a data error as well. */
async function asked(call: () => MaybePromise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    throw blame(error, {});
  }
}

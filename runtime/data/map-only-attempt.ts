/**
 * One attempt at a task of a job without reduce: maps its split and writes what is emitted, as it is emitted, to a part of
 * the output. Nothing is sorted, and nothing lies between.
 *
 * For the rest of the machinery it is a reduce without inputs: it makes a part, and its commit publishes it.
 */
import { MapTask } from '../../jobs/map-task.js';
import { formatterOf } from '../../jobs/output-format.js';
import { canonicalKey, canonicalValue } from '../../jobs/values.js';
import { type AttemptResult, FailureMemory } from './attempt.js';
import { type MapRecordsOptions, mapRecords } from './map-records.js';
import { TextFile } from './text-file.js';

export interface MapOnlyAttemptOptions extends MapRecordsOptions {
  /** The file to be made, in a directory that exists on the output's file system. */
  readonly target: string;
}

/** Runs the attempt. Throws as a map attempt does. */
export async function runMapOnlyAttempt(options: MapOnlyAttemptOptions): Promise<AttemptResult> {
  const { job, context, skip } = options;
  const memory = new FailureMemory();
  const format = formatterOf(job.outputFormat);
  const file = new TextFile(options.target);
  const collector = {
    add: (key: string, value: unknown): void => {
      const line = format(canonicalKey(key), canonicalValue(value, key));
      memory.keep(() => file.write(line));
    },
    finish: (): void => {},
  };
  const task = new MapTask({ job, reduces: 1, budgetBytes: 0, context, skip, collector, onRun: () => {} });
  try {
    await mapRecords(task, options, memory);
    const { counters } = task;
    const records = counters.find(([name]) => name === 'map.records.out')?.[1] ?? 0;
    return { ...file.finish(), records, counters, spills: 0 };
  } catch (error) {
    file.abandon();
    throw error;
  }
}

/** A user's mapper and combiner between the records of a split and the runs that are made of them. */
import { Groups, type MapRun } from '../../jobs/collector.js';
import { recordsOf } from '../../jobs/plain.js';
import type { Job, TaskContext } from '../../jobs/types.js';
import type { RecordBatch } from '../data/json-records.js';
import { type Commands, formatPair, parsePair } from './command-job.js';
import { environmentOf } from './environment.js';
import { Program, runOnText } from './process.js';

export interface MapProgramOptions {
  readonly commands: Commands;
  readonly context: TaskContext;
  /** Names of the inputs of the split. */
  readonly inputs: readonly string[];
  /** Told how far the program's input was read: it may say nothing until the end. */
  readonly fed: (bytesDone: number) => void;
}

/** What the mapper prints for the records, as records: each line one. */
export async function* throughMapper(
  batches: AsyncIterable<RecordBatch>,
  options: MapProgramOptions,
): AsyncGenerator<RecordBatch> {
  const { commands, context, inputs, fed } = options;
  const environment = environmentOf(context.task, inputs);
  const program = new Program({ command: commands.mapper, role: 'mapper', environment, context });
  let read: RecordBatch | undefined;
  async function* lines(): AsyncGenerator<string> {
    for await (const batch of batches) {
      read = batch;
      let text = '';
      for (const { record } of batch.records) text += `${record}\n`;
      fed(batch.bytesDone);
      yield text;
    }
  }
  program.feed(lines());
  for await (const printed of program.lines()) {
    if (!read) continue;
    const records = printed.map((record) => ({ record, offset: 0 }));
    yield { file: read.file, records, bytesDone: read.bytesDone };
  }
}

/** What the combiner makes of a run. It reads the run as the reducer would, and may print any pairs. */
export function throughCombiner(
  run: MapRun,
  combiner: string,
  options: { job: Job; commands: Commands; reduces: number; context: TaskContext },
): MapRun {
  const { job, commands, reduces, context } = options;
  const { io } = commands;
  let text = '';
  for (const partition of run.partitions) {
    for (const [key, value] of recordsOf(partition)) text += `${formatPair(io, key, value)}\n`;
  }
  const environment = environmentOf(context.task, []);
  const printed = runOnText({ command: combiner, role: 'combiner', environment, context }, text);
  let combined: MapRun = { partitions: [] };
  const groups = new Groups({
    job,
    reduces,
    budgetBytes: Number.POSITIVE_INFINITY,
    onRun: (made) => {
      combined = made;
    },
  });
  for (const line of printed.split('\n')) if (line !== '') groups.add(...parsePair(io, line));
  groups.finish();
  return combined;
}

/** A user's mapper and combiner between the records of a split and the runs that are made of them. */
import { Groups, type MapRun } from '../../jobs/collector.js';
import { recordsOf } from '../../jobs/plain.js';
import type { Job, KeyValue, ParamValues, TaskContext, TaskSetting } from '../../jobs/types.js';
import type { DataRecord, RecordBatch } from '../data/json-records.js';
import { type Commands, isNoPair, parsePair, textsOf } from './command-job.js';
import { environmentOf } from './environment.js';
import { Program } from './process.js';

export interface MapProgramOptions {
  readonly commands: Commands;
  readonly setting: TaskSetting;
  readonly context: TaskContext<ParamValues>;
  /** Names of the inputs of the split. */
  readonly inputs: readonly string[];
  /** Told what the program is given: so many records more, and how far the split was read for them. */
  readonly fed: (records: number, bytesDone: number) => void;
}

/** What a program printed. It is of no input in particular, and there may be some before anything was read, or without. */
export interface PrintedBatch {
  readonly file?: undefined;
  readonly records: readonly DataRecord[];
  readonly bytesDone: number;
}

/** What the mapper prints for the records, as records: each line one. */
export async function* throughMapper(
  batches: AsyncIterable<RecordBatch>,
  options: MapProgramOptions,
): AsyncGenerator<PrintedBatch> {
  const { commands, setting, context, inputs, fed } = options;
  const environment = environmentOf(setting, inputs);
  const program = new Program({ command: commands.mapper, role: 'mapper', environment, context });
  let read = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const batch of batches) {
      let text = '';
      let records = 0;
      for (const { record } of batch.records) {
        text += `${record}\n`;
        records++;
      }
      read = batch.bytesDone;
      fed(records, read);
      yield text;
    }
  }
  program.feed(lines());
  for await (const printed of program.lines()) {
    yield { records: printed.map((record) => ({ record, offset: 0 })), bytesDone: read };
  }
}

interface CombinerOptions {
  readonly job: Job;
  readonly commands: Commands;
  readonly reduces: number;
  readonly setting: TaskSetting;
  readonly context: TaskContext<ParamValues>;
}

/** What the combiner makes of a run. It reads the run as the reducer would, and may print any pairs. */
export async function throughCombiner(
  run: MapRun,
  combiner: string,
  options: CombinerOptions,
): Promise<MapRun> {
  const { job, commands, reduces, setting, context } = options;
  const { io } = commands;
  function* records(): Generator<KeyValue> {
    for (const partition of run.partitions) yield* recordsOf(partition);
  }
  let combined: MapRun = { partitions: [] };
  const groups = new Groups({
    job,
    reduces,
    budgetBytes: Number.POSITIVE_INFINITY,
    onRun: (made) => {
      combined = made;
    },
  });
  const environment = environmentOf(setting, []);
  const program = new Program({ command: combiner, role: 'combiner', environment, context });
  program.feed(textsOf(io, records()));
  for await (const printed of program.lines()) {
    for (const line of printed) if (!isNoPair(io, line)) groups.add(...parsePair(io, line));
  }
  groups.finish();
  return combined;
}

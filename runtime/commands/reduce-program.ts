/** A user's reducer between the sorted records of a partition and its part of the output. */
import { sortedCounters, taskContext } from '../../jobs/context.js';
import type { Counters, KeyValue, TaskSetting } from '../../jobs/types.js';
import { type Commands, textsOf } from './command-job.js';
import { environmentOf } from './environment.js';
import { Program } from './process.js';

export interface ReduceProgramOptions {
  readonly reducer: string;
  readonly commands: Commands;
  readonly context: TaskSetting;
  readonly records: Iterable<KeyValue>;
  /** Takes one line with its end. */
  readonly write: (line: string) => void;
}

/** Writes what the reducer prints, line for line. */
export async function reduceThrough(options: ReduceProgramOptions): Promise<Counters> {
  const { reducer, commands, records, write } = options;
  const userCounters = new Map<string, number>();
  const context = taskContext(options.context, userCounters);
  let recordsIn = 0;
  let linesOut = 0;
  const program = new Program({
    command: reducer,
    role: 'reducer',
    environment: environmentOf(options.context, []),
    context,
  });
  const given = (more: number): void => {
    recordsIn += more;
  };
  program.feed(textsOf(commands.io, records, given));
  for await (const printed of program.lines()) {
    for (const line of printed) write(`${line}\n`);
    linesOut += printed.length;
  }
  return sortedCounters([
    ...userCounters,
    ['reduce.records.in', recordsIn],
    ['reduce.records.out', linesOut],
  ]);
}

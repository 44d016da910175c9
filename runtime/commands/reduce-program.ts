/** A user's reducer between the sorted records of a partition and its part of the output. */
import { sortedCounters, taskContext } from '../../jobs/context.js';
import type { Counters, KeyValue, TaskSetting } from '../../jobs/types.js';
import { type Commands, formatPair } from './command-job.js';
import { environmentOf } from './environment.js';
import { Program } from './process.js';

export interface ReduceProgramOptions {
  readonly reducer: string;
  readonly commands: Commands;
  readonly context: TaskSetting;
  readonly records: Iterator<KeyValue>;
  /** Takes one line with its end. */
  readonly write: (line: string) => void;
}

/** Lines given to the program at once. */
const batchLines = 1000;

/** Writes what the reducer prints, line for line. */
export async function reduceThrough(options: ReduceProgramOptions): Promise<Counters> {
  const { reducer, commands, records, write } = options;
  const userCounters = new Map<string, number>();
  const context = taskContext(options.context, userCounters);
  let recordsIn = 0;
  let linesOut = 0;
  function* lines(): Generator<string> {
    for (let next = records.next(); !next.done; ) {
      let text = '';
      for (let line = 0; line < batchLines && !next.done; line++) {
        text += `${formatPair(commands.io, ...next.value)}\n`;
        recordsIn++;
        next = records.next();
      }
      yield text;
    }
  }
  const program = new Program({
    command: reducer,
    role: 'reducer',
    environment: environmentOf(context.task, []),
    context,
  });
  program.feed(lines());
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

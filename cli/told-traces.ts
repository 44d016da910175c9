/** Traces that are read to be told, by readers that take their lines as they are: what breaks a reader is looked up here. */
import type { NodeTrace } from '../sim/explain/merge.js';
import { traceSchema } from './schema.js';
import { traceForm } from './trace-form.js';
import { linesOf, readTraces, traceError } from './traces.js';
import { begunTraces } from './unbegun-traces.js';
import { UserError } from './user-error.js';

/** An error of `tell` is one of the traces where one of their lines is not as it should be: then that is said. */
export async function tellTraces<Result>(
  all: readonly string[],
  tell: (traces: NodeTrace[]) => Result | Promise<Result>,
): Promise<Result> {
  const files = begunTraces(all);
  const traces = await readTraces(files);
  try {
    return await tell(traces);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw (await damageIn(files)) ?? error;
  }
}

/** Looked for only then: a trace may be long, and that of another version may be readable and have another form. */
async function damageIn(files: readonly string[]): Promise<UserError | undefined> {
  const { header, step } = traceForm(traceSchema);
  for (const file of files) {
    let number = 0;
    for await (const { text, torn } of linesOf(file)) {
      number++;
      if (torn || (number === 1 ? header : step)(JSON.parse(text))) continue;
      return traceError(
        file,
        number,
        'this is no line of a trace',
        'rehearse schema trace prints their form',
      );
    }
  }
  return undefined;
}

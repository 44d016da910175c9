/** What the properties of a job are tried on, and what its `map` emits for that. */
import { type PlainOutput, type PlainRecord, runPlain } from '../../jobs/plain.js';
import type { Counters, Job, MapEmit, ParamValues } from '../../jobs/types.js';

export interface Subject {
  readonly job: Job;
  readonly records: readonly PlainRecord[];
  readonly params: ParamValues;
  readonly seed: string;
  /** Where the job's code was loaded from. */
  readonly directory: string;
  /** How many cases of each property are tried. */
  readonly cases: number;
}

/** Thrown by a property that is broken. */
export class Broken extends Error {}

export type Emitted = readonly [key: string, value: unknown];

/** What `map` emits for one record, as it emitted it. */
export function emittedBy(subject: Subject, one: PlainRecord): Promise<Emitted[]> {
  return emittedInTasks(subject, [[one]]);
}

/** What it emits for all of them, with a map task for each split. */
export async function emittedInTasks(
  subject: Subject,
  splits: readonly (readonly PlainRecord[])[],
): Promise<Emitted[]> {
  return (await mapped(subject, splits)).emitted;
}

/** The same, and what was counted. */
export async function mapped(
  { job, params, seed }: Subject,
  splits: readonly (readonly PlainRecord[])[],
): Promise<{ readonly emitted: Emitted[]; readonly counters: Counters }> {
  const emitted: Emitted[] = [];
  const watched: Job = {
    ...job,
    combine: undefined,
    reduce: () => undefined,
    map(record, emit, context) {
      const spy = Object.assign((key: string, value: unknown) => {
        emitted.push([key, value]);
        emit(key, value);
      }, context) as MapEmit<string, unknown>;
      return job.map(record, spy, { ...context });
    },
  };
  const { counters } = (await runPlain({
    job: { ...watched, partition: undefined },
    splits,
    reduces: 1,
    budgetBytes: 1e9,
    params,
    seed,
  })) as PlainOutput;
  return { emitted, counters };
}

export function placeOf({ input, offset }: PlainRecord): string {
  return `${input}, byte ${offset}`;
}

export function bounded(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

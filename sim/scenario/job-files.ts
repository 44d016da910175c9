/** Jobs that a scenario names by a file. Nothing here reads files: whoever can do that hands the jobs in. */
import type { Program } from '../../jobs/pipeline.js';
import type { OwnJob, Scenario } from './types.js';

/** What a file holds, or why that is not known. */
export type JobFile =
  | { readonly program: Program; readonly module: OwnJob['module'] }
  | { readonly problem: string; readonly label?: string };

/** By what the scenario says: paths relative to its own file. */
export type JobFiles = ReadonlyMap<string, JobFile>;

export const noJobFiles: JobFiles = new Map();

/** A path, or a name with the ending of a module; every other name is that of a built-in job. */
export function isJobFile(run: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(run);
}

/** The files of a scenario that was read before. */
export function jobFilesOf({ jobs }: Scenario): JobFiles {
  return new Map(
    jobs.flatMap(({ run, own }) => (own ? [[run, { program: own.job, module: own.module }]] : [])),
  );
}

/** From the params of a command to what a program and its tasks are given: every schema is asked before anything is started. */
import { frozen, valuesOf, Watch } from './params.js';
import { isPipeline, jobOf, type Program, stagesOf } from './pipeline.js';
import type { Job, Params, ParamValues } from './types.js';

export interface Accepted {
  /** The job, or of a pipeline the stage that is to be run. */
  readonly job: Job;
  /** What the program is called with: the params given, or what a pipeline's own schema makes of them. */
  readonly params: ParamValues;
  /** What the functions of the job find as `ctx.params`, where it has a schema of its own. */
  readonly jobParams: ParamValues | undefined;
}

/**
 * Looks at all stages of a pipeline, so that no mistake waits for a later one. With `known`, what its own schema has made of
 * the params for an earlier stage, that is not asked again. Throws ParamsRefused, JobDefinitionError, and what a function
 * of the params throws.
 */
export async function acceptParams(
  program: Program,
  texts: Params,
  { stage = 0, known }: { stage?: number; known?: ParamValues | undefined } = {},
): Promise<Accepted> {
  const given = frozen({ ...texts }); // as tasks find them
  const watch = new Watch(given);
  if (!isPipeline(program)) {
    const job = jobOf(program, given);
    const [jobParams] = await ofJobs([job], given, watch);
    if (job.params && typeof program !== 'function') watch.expectAllSeen(titleOf(job));
    return { job, params: given, jobParams };
  }
  const title = `pipeline "${program.name}"`;
  const own = program.params && (known ?? (await valuesOf(program.params, { given, title, watch })));
  if (own && !known) watch.expectAllSeen(title);
  const params = own ? frozen(own) : given;
  const jobs = stagesOf(program, params);
  const values = await ofJobs(jobs, params, own ? undefined : watch);
  // A stage without a schema may look at any of them later, and so may what makes the stages.
  const isWatched = !own && Array.isArray(program.stages) && jobs.every((job) => job.params);
  if (isWatched) watch.expectAllSeen(title);
  return { job: jobOf(program, params, stage), params, jobParams: values[stage] };
}

async function ofJobs(
  jobs: readonly Job[],
  given: ParamValues,
  watch: Watch | undefined,
): Promise<(ParamValues | undefined)[]> {
  const all: (ParamValues | undefined)[] = [];
  for (const job of jobs) {
    all.push(job.params && (await valuesOf(job.params, { given, title: titleOf(job), watch })));
  }
  return all;
}

function titleOf({ name }: Job): string {
  return `job "${name}"`;
}

/** From the params of a command to what a program and its tasks are given: every schema is asked before anything is started. */
import { frozen, ParamsRefused, valuesOf, Watch } from './params.js';
import { isPipeline, jobOf, type Pipeline, type Program, stagesOf } from './pipeline.js';
import type { StandardSchema } from './standard-schema.js';
import type { Job, Params, ParamValues } from './types.js';

export interface Accepted {
  /** The job, or of a pipeline the stage that is to be run. */
  readonly job: Job;
  /** What the program is called with: the params given, or what a pipeline's own schema makes of them. */
  readonly params: ParamValues;
  /** What the functions of the job find as `ctx.params`, where it has a schema of its own. */
  readonly jobParams: ParamValues | undefined;
  /** The same for each stage of a pipeline, `null` where it has no schema. */
  readonly stageParams?: StageParams;
}

export type StageParams = readonly (ParamValues | null)[];

/** What the schemas of a pipeline were asked for an earlier stage. */
export interface Known {
  /** By its own schema, where it has one. */
  readonly params?: ParamValues | undefined;
  readonly stageParams?: StageParams | undefined;
}

/**
 * Looks at all stages of a pipeline, so that no mistake waits for a later one. What is known is not asked again: a schema
 * may answer otherwise the next time. Throws ParamsRefused, JobDefinitionError, and what a function of the params throws.
 */
export async function acceptParams(
  program: Program,
  texts: Params,
  { stage = 0, known = {} }: { stage?: number; known?: Known } = {},
): Promise<Accepted> {
  const given = frozen({ ...texts }); // as tasks find them
  if (isPipeline(program)) return await acceptStage(program, given, { stage, known });
  const job = jobOf(program, given);
  const title = titleOf(job);
  const watch = new Watch(given, title);
  const [jobParams] = await askAll([{ schema: job.params, title }], given, watch);
  if (job.params && typeof program !== 'function') watch.expectAllSeen();
  return { job, params: given, jobParams: jobParams ?? undefined };
}

async function acceptStage(
  pipeline: Pipeline<ParamValues>,
  given: Params,
  { stage, known }: { stage: number; known: Known },
): Promise<Accepted> {
  const { params: schema, name } = pipeline;
  const title = `pipeline "${name}"`;
  const watch = new Watch(given, title);
  let params: ParamValues = given;
  if (schema && known.params) params = frozen(known.params);
  else if (schema) {
    const [own] = await askAll([{ schema, title }], given, watch);
    watch.expectAllSeen();
    params = own!;
  }
  const jobs = stagesOf(pipeline, params);
  const asked = jobs.map((job) => ({ schema: job.params, title: titleOf(job) }));
  // A stage without a schema may look at any of them later, and so may what makes the stages.
  const isWatched = !schema && Array.isArray(pipeline.stages) && jobs.every((job) => job.params);
  const stageParams =
    known.stageParams?.map((made) => made && frozen(made)) ??
    (await askAll(asked, params, isWatched ? watch : undefined));
  if (isWatched && !known.stageParams) watch.expectAllSeen();
  return {
    job: jobOf(pipeline, params, stage),
    params,
    jobParams: stageParams[stage] ?? undefined,
    stageParams,
  };
}

/** All are asked, whatever the first ones say: whether a param is misspelt shows when all have looked. */
async function askAll(
  asked: readonly { schema: StandardSchema | undefined; title: string }[],
  given: ParamValues,
  watch: Watch | undefined,
): Promise<StageParams> {
  const all: (ParamValues | null)[] = [];
  let refused: ParamsRefused | undefined;
  for (const { schema, title } of asked) {
    try {
      all.push(schema ? await valuesOf(schema, { given, title, watch }) : null);
    } catch (error) {
      if (!(error instanceof ParamsRefused && error.reason === 'wrong')) throw error;
      refused ??= error;
    }
  }
  if (refused) throw watch?.misspelt() ?? refused;
  return all;
}

function titleOf({ name }: Job): string {
  return `job "${name}"`;
}

/**
 * Several jobs, one after the other, each reading what the one before wrote. Between two stages lies NDJSON: every stage
 * but the first gets `{ key, value }` as its record, exactly as the stage before returned them.
 */
import { checkSchema, JobDefinitionError, jobTitle, validateJob } from './define.js';
import type { StandardSchema } from './standard-schema.js';
import type { Job, Params, ParamValues } from './types.js';

/** One record between two stages. */
export interface StageRecord<V = unknown> {
  readonly key: string;
  readonly value: V;
}

export interface Pipeline<P = Params> {
  readonly name: string;
  /** What `--param name=value` may be; what it gives is for `stages`, and for the functions of every stage. */
  readonly params?: StandardSchema<P> | undefined;
  /** In their order; with a function, as many as the params ask for (rounds of an iteration, say). */
  readonly stages: readonly Job[] | ((params: P) => readonly Job[]);
}

// biome-ignore lint/suspicious/noExplicitAny: what the machinery runs, whatever its params are
type AnyPipeline = Pipeline<any>;

/** What a module may export: a job, a function of the params that gives one, or several jobs in a row. */
export type Program = Job | ((params: Params) => Job) | AnyPipeline;

/** Most stages of one pipeline. */
const STAGES_MAX = 1000;

/** Throws JobDefinitionError if a field is missing or of the wrong kind. */
export function definePipeline<P = Params>(pipeline: Pipeline<P>): Pipeline<P> {
  const title = jobTitle(pipeline.name);
  checkSchema(title, pipeline.params);
  if (!isPipeline(pipeline)) {
    throw new JobDefinitionError(
      `${title}: stages is a list of jobs, or a function of the params that gives one`,
    );
  }
  return pipeline;
}

export function isPipeline(value: unknown): value is AnyPipeline {
  const stages = (value as { stages?: unknown } | null)?.stages;
  return Array.isArray(stages) || typeof stages === 'function';
}

/**
 * A job, or one stage of a pipeline, counted from 0. `params` are those given, or what the pipeline's own schema made of them.
 * Throws JobDefinitionError, and what a function of the params throws.
 */
export function jobOf(program: Program, params: ParamValues, stage = 0): Job {
  if (typeof program === 'function') return validateJob(program(params as Params));
  if (!isPipeline(program)) return program;
  const stages = stagesOf(program, params);
  const job = stages[stage];
  if (!job)
    throw new JobDefinitionError(
      `pipeline "${program.name}" has ${stages.length} stages, and no number ${stage + 1}`,
    );
  return job;
}

/** The jobs to run, with the formats between them filled in. Throws JobDefinitionError. */
export function stagesOf(pipeline: AnyPipeline, params: ParamValues): readonly Job[] {
  const title = jobTitle(pipeline.name);
  const stages: unknown = typeof pipeline.stages === 'function' ? pipeline.stages(params) : pipeline.stages;
  if (!Array.isArray(stages) || stages.length === 0 || stages.length > STAGES_MAX) {
    throw new JobDefinitionError(`${title}: a pipeline has 1 to ${STAGES_MAX} stages`);
  }
  return stages.map((stage, index) => {
    const job = validateJob(stage);
    const first = index === 0;
    const last = index === stages.length - 1;
    if (!first && job.inputFormat !== undefined && job.inputFormat !== 'ndjson') {
      throw new JobDefinitionError(
        `${title}: stage ${index + 1}, "${job.name}", reads what the stage before wrote, which is ndjson`,
      );
    }
    if (!last && job.outputFormat !== undefined && job.outputFormat !== 'ndjson') {
      throw new JobDefinitionError(
        `${title}: stage ${index + 1}, "${job.name}", must write ndjson for the next`,
      );
    }
    return validateJob({
      ...job,
      ...(first ? {} : { inputFormat: 'ndjson' }),
      ...(last ? {} : { outputFormat: 'ndjson' }),
    });
  });
}

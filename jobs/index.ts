/** The package's entry: what a job's author imports from 'mapreduce-rehearsal'. */
export { count, max, min, sum } from './aggregates.js';
export { defineJob, JobDefinitionError } from './define.js';
export type { CsvRow, InputFormat } from './input-format.js';
export type { OutputFormat } from './output-format.js';
export { definePipeline, type Pipeline, type StageRecord } from './pipeline.js';
export type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js';
export type {
  Aggregate,
  Aggregates,
  BytesContext,
  Emit,
  EmitBytes,
  GroupJobDefinition,
  JobDefinition,
  MapContext,
  MapEmit,
  MapInput,
  Pairs,
  Params,
  ParamValues,
  ReduceContext,
  ReduceResult,
  TaskContext,
  TaskSignal,
  WordContext,
  WordJobDefinition,
} from './types.js';
export { ValueError } from './values.js';

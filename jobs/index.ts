/** The package's entry: what a job's author imports from 'mapreduce-rehearsal'. */
export { count, max, min, sum } from './aggregates.js';
export { defineJob, JobDefinitionError } from './define.js';
export type {
  Emit,
  JobDefinition,
  MapContext,
  MapEmit,
  MapInput,
  Pairs,
  Params,
  ReduceContext,
  ReduceResult,
  TaskContext,
  TaskSignal,
} from './types.js';
export { ValueError } from './values.js';

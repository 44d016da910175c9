/** The built-in jobs and pipelines by name. */
import type { Builtin, BuiltinPipeline } from './builtin.js';
import { distinct } from './distinct.js';
import { grep } from './grep.js';
import { invertedIndex } from './inverted-index.js';
import { join } from './join.js';
import { logStatistics } from './log-statistics.js';
import { modelled } from './modelled.js';
import { pageRank } from './page-rank.js';
import { sort } from './sort.js';
import { topK } from './top-k.js';
import { wordCount } from './word-count.js';

export const builtinJobs: ReadonlyMap<string, Builtin> = new Map(
  [wordCount, grep, invertedIndex, sort, distinct, join, logStatistics, modelled].map((builtin) => [
    builtin.job.name,
    builtin,
  ]),
);

export const builtinPipelines: ReadonlyMap<string, BuiltinPipeline> = new Map(
  [topK, pageRank].map((builtin) => [builtin.pipeline.name, builtin]),
);

/** What users can run, by name: all but the job of scenarios, whose tasks take modelled time. */
export const offeredBuiltins: ReadonlyMap<string, Builtin | BuiltinPipeline> = new Map<
  string,
  Builtin | BuiltinPipeline
>([...[...builtinJobs].filter(([, builtin]) => builtin !== modelled), ...builtinPipelines]);

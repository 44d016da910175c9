/** The most frequent words, or lines, as `12 word`: those that occur equally often in the order of keys. */
import { sum } from '../aggregates.js';
import { defineJob } from '../define.js';
import { definePipeline, type StageRecord } from '../pipeline.js';
import type { Emit, Params } from '../types.js';
import { compareUtf8 } from '../utf8.js';
import { type BuiltinPipeline, choiceParam, countParam } from './builtin.js';
import { wordCount } from './word-count.js';

type Counted = readonly [key: string, times: number];

const K_DEFAULT = 10;

function kOf(params: Params): number {
  return countParam('top-k', params, 'k', 1, K_DEFAULT);
}

/** The `k` largest of several lists. */
function largest(lists: Iterable<readonly Counted[]>, k: number): Counted[] {
  return [...lists]
    .flat()
    .sort((a, b) => b[1] - a[1] || compareUtf8(a[0], b[0]))
    .slice(0, k);
}

const countLines = defineJob({
  name: 'count-lines',
  map(line, emit) {
    emit(line, 1);
  },
  combine: sum,
  reduce: sum,
});

function select(k: number) {
  return defineJob({
    name: 'select',
    inputFormat: 'ndjson',
    outputFormat: 'lines',
    map({ key, value }: StageRecord<number>, emit: Emit<string, readonly Counted[]>) {
      emit('', [[key, value]]);
    },
    combine: (_key, lists) => largest(lists, k),
    *reduce(_key, lists) {
      for (const [key, times] of largest(lists, k)) yield `${times} ${key}`;
    },
  });
}

export const topK: BuiltinPipeline = {
  pipeline: definePipeline({
    name: 'top-k',
    stages: (params) => [params.of === 'lines' ? countLines : wordCount.job, select(kOf(params))],
  }),
  summary: 'the most frequent words, or lines',
  params: [
    { name: 'k', summary: `how many; ${K_DEFAULT} unless given`, required: false },
    { name: 'of', summary: 'words or lines; words unless given', required: false },
  ],
  check(params) {
    kOf(params);
    choiceParam('top-k', params, 'of', ['words', 'lines']);
  },
};

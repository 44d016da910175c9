/** Compiled, never run: what TypeScript infers of a job, and where it complains. */
import { z } from 'zod';
import {
  count,
  defineJob,
  definePipeline,
  type Emit,
  type JobDefinition,
  max,
  min,
  type Params,
  sum,
} from '../../jobs/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<_T extends true>(): void {}

interface Visit {
  readonly page: string;
  readonly bytes: number;
}

// Without annotations, keys are strings and values numbers.
const defaults = defineJob({
  name: 'defaults',
  map(line, emit, ctx) {
    expectType<Equal<typeof line, string>>();
    expectType<Equal<typeof ctx.input.offset, number>>();
    emit(line, 1);
  },
  combine: sum,
  reduce: sum,
});
expectType<Equal<typeof defaults, JobDefinition<string, number, number>>>();

// An annotated emit decides the type of the values.
const annotated = defineJob({
  name: 'annotated',
  map(line, emit: Emit<string, Visit>, ctx) {
    ctx.count('lines');
    emit(line, { page: line, bytes: 1 });
  },
  reduce(key, values) {
    expectType<Equal<typeof key, string>>();
    expectType<Equal<typeof values, Iterable<Visit>>>();
    return [...values].map((visit) => visit.page);
  },
});
expectType<Equal<typeof annotated, JobDefinition<string, Visit, string[]>>>();

// A job of words is asked for numbers unless it says otherwise, and knows of its input no more than the name.
const words = defineJob({
  name: 'words',
  words: 'letters',
  map(word, emit) {
    expectType<Equal<typeof word, string>>();
    emit(word, 1);
  },
  combine: sum,
  reduce: sum,
});
expectType<Equal<typeof words, JobDefinition<string, number, number>>>();

const wordsOfInputs = defineJob({
  name: 'words of inputs',
  words: 'letters',
  map(word, emit: Emit<string, string>, { input }) {
    // @ts-expect-error: where a word lies is not known
    input.offset;
    emit(word, input.name);
  },
  reduce(_word, values) {
    expectType<Equal<typeof values, Iterable<string>>>();
    return [...values].length;
  },
});
expectType<Equal<typeof wordsOfInputs, JobDefinition<string, string, number>>>();

// A generator's pairs decide both, with the context as second parameter.
const generator = defineJob({
  name: 'generator',
  *map(line, ctx) {
    ctx.status(ctx.input.name);
    for (const word of line.split(' ')) yield [word, word.length > 3];
  },
  combine(_key, values) {
    expectType<Equal<typeof values, Iterable<boolean>>>();
    return [...values].includes(true);
  },
  reduce: (_key, values) => ([...values].includes(true) ? 'long' : undefined),
});
expectType<Equal<typeof generator, JobDefinition<string, boolean, 'long'>>>();

// Asynchronous forms infer the same.
const asynchronous = defineJob({
  name: 'asynchronous',
  async *map(line, ctx) {
    yield [line, { at: ctx.input.offset }];
  },
  reduce: async (_key, values) => [...values].length,
});
expectType<Equal<typeof asynchronous, JobDefinition<string, { at: number }, number>>>();

// A generator reduce gives a line for each value it yields.
const lines = defineJob({
  name: 'lines',
  map: (line, emit) => emit(line, 1),
  *reduce(key, values) {
    for (const value of values) yield `${key} ${value}`;
  },
});
expectType<Equal<typeof lines, JobDefinition<string, number, string>>>();

defineJob({ name: 'extremes', map: (line, emit) => emit(line, line.length), combine: min, reduce: max });
defineJob({ name: 'counted', map: (line, emit: Emit<string, string>) => emit(line, line), reduce: count });
defineJob({
  name: 'signal',
  map: (_line, _emit, ctx) => void fetch('file:', { signal: ctx.signal }),
  reduce: sum,
});

defineJob({
  name: 'wrong value',
  map(line, emit) {
    // @ts-expect-error: values are numbers unless emit is annotated
    emit(line, 'one');
  },
  reduce: sum,
});

defineJob({
  name: 'wrong key',
  map(_line, emit) {
    // @ts-expect-error: keys are strings
    emit(1, 1);
  },
  reduce: sum,
});

defineJob({
  name: 'wrong annotated value',
  map(line, emit: Emit<string, Visit>) {
    // @ts-expect-error: bytes is missing
    emit(line, { page: line });
  },
  reduce: count,
});

defineJob({
  name: 'wrong reduce',
  map: (line, emit) => emit(line, 1),
  // @ts-expect-error: the values are numbers
  reduce: (_key, values: Iterable<string>) => [...values].join(),
});

defineJob({
  name: 'wrong aggregate',
  *map(line) {
    yield [line, 'text'];
  },
  // @ts-expect-error: strings have no sum
  reduce: sum,
});

defineJob({
  name: 'wrong combine',
  map: (line, emit) => emit(line, 1),
  // @ts-expect-error: a combined value is of the same type
  combine: (_key, values) => [...values].join(),
  reduce: count,
});

defineJob({
  name: 'count as combine',
  map: (line, emit) => emit(line, 1),
  // @ts-expect-error: a count of counts is not a count
  combine: count,
  reduce: sum,
});

defineJob({
  name: 'not pairs',
  // @ts-expect-error: what is yielded must be pairs
  *map(line) {
    yield line;
  },
  reduce: count,
});

defineJob({
  name: 'misspelt',
  map: (line, emit) => emit(line, 1),
  // @ts-expect-error: no such field
  reducer: sum,
});

// @ts-expect-error: a job has a map
defineJob({ name: 'no map', reduce: sum });

// A job that groups has no functions, and a result as it names it.
const grouped = defineJob({
  name: 'grouped',
  groupBy: 'host',
  aggregates: { visits: 'count', most: { max: 'bytes' } },
});
expectType<
  Equal<
    typeof grouped,
    JobDefinition<string, readonly number[], { readonly visits: number; readonly most: number }>
  >
>();
// @ts-expect-error: nobody would call it
defineJob({ name: 'grouped', groupBy: 'host', aggregates: ['count'], map() {} });
// @ts-expect-error: there is no mean
defineJob({ name: 'grouped', groupBy: 'host', aggregates: { all: { mean: 'bytes' } } });

// A schema decides the type of the params, wherever they are seen.
const schema = z.object({ limit: z.coerce.number().default(10), by: z.enum(['host', 'path']) });
type Made = { limit: number; by: 'host' | 'path' };
defineJob({
  name: 'params',
  params: schema,
  setup: ({ params }) => expectType<Equal<typeof params, Made>>(),
  map(line, emit, ctx) {
    expectType<Equal<typeof ctx.params, Made>>();
    expectType<Equal<typeof emit.params, Made>>();
    emit(line, ctx.params.limit);
  },
  combine: sum,
  reduce(_key, values, { params }) {
    expectType<Equal<typeof params, Made>>();
    expectType<Equal<typeof values, Iterable<number>>>();
    return [...values].slice(0, params.limit);
  },
});
const visits = defineJob({
  name: 'params of a generator',
  params: schema,
  *map(line, ctx) {
    expectType<Equal<typeof ctx.params, Made>>();
    yield [line, { page: ctx.params.by, bytes: ctx.params.limit }];
  },
  reduce: count,
});
defineJob({
  name: 'params and an annotated emit',
  params: schema,
  map(line, emit: Emit<string, Visit>, { params }) {
    emit(line, { page: params.by, bytes: params.limit });
  },
  reduce(_key, values) {
    expectType<Equal<typeof values, Iterable<Visit>>>();
    return 1;
  },
});
defineJob({
  name: 'params of words',
  words: 'letters',
  params: schema,
  map: (word, emit, { params }) => emit(word.slice(0, params.limit), 1),
  reduce: sum,
});
defineJob({
  name: 'without a schema',
  map: (line, emit, { params }) => {
    expectType<Equal<typeof params, Params>>();
    emit(line, 1);
  },
  reduce: sum,
});
defineJob({ name: 'grouped', params: schema, groupBy: 'host', aggregates: ['count'] });
defineJob({
  name: 'wrong param',
  params: schema,
  map(line, emit, { params }) {
    // @ts-expect-error: the schema knows none of this name
    emit(line, params.limits);
  },
  reduce: sum,
});
// @ts-expect-error: no schema
defineJob({ name: 'no schema', params: { limit: 10 }, map: (line, emit) => emit(line, 1), reduce: sum });
definePipeline({
  name: 'pipeline',
  params: schema,
  stages: (params) => {
    expectType<Equal<typeof params, Made>>();
    return [visits];
  },
});

// A map of bytes beside that of lines has the same params.
defineJob({
  name: 'bytes',
  params: schema,
  map: (line, emit) => emit(line, 1),
  mapBytes(lines, emit, { params, count }) {
    expectType<Equal<typeof lines, Uint8Array>>();
    expectType<Equal<typeof params, Made>>();
    count('lines');
    emit(0, lines.indexOf(10), params.limit);
  },
  combine: sum,
  reduce: sum,
});
defineJob({
  name: 'wrong key of bytes',
  map: (line, emit) => emit(line, 1),
  mapBytes(lines, emit) {
    // @ts-expect-error: a key is where it lies
    emit(String(lines[0]), 1, 1);
  },
  combine: sum,
  reduce: sum,
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { acceptParams } from '../../jobs/accept-params.js';

import { validateJob } from '../../jobs/define.js';
import type { ParamsRefused } from '../../jobs/params.js';
import { definePipeline } from '../../jobs/pipeline.js';
import type { StandardSchema } from '../../jobs/standard-schema.js';
import type { Job } from '../../jobs/types.js';

function jobWith(params: StandardSchema | undefined): Job {
  return validateJob({ name: 'j', map: () => {}, reduce: () => 1, params });
}

/** A schema without a library. */
function schemaOf<T>(validate: StandardSchema<T>['~standard']['validate']): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'by hand', validate } };
}

const limits = z.object({ limit: z.coerce.number().max(9).default(3), by: z.string().optional() });

async function refusedBy(schema: StandardSchema, given: Record<string, string>): Promise<ParamsRefused> {
  return await acceptParams(jobWith(schema), given).then(
    ({ jobParams }) => expect.fail(`was taken: ${JSON.stringify(jobParams)}`),
    (error: ParamsRefused) => error,
  );
}

const circle: { a: { b?: object } } = { a: {} };
circle.a.b = circle.a;

describe('a schema of params', () => {
  it('gives values of any kind, and defaults', async () => {
    expect((await acceptParams(jobWith(limits), { limit: '7' })).jobParams).toEqual({ limit: 7 });
    expect((await acceptParams(jobWith(limits), {})).jobParams).toEqual({ limit: 3 });
  });

  it('or none: nobody can change them, whoever is given them first', async () => {
    const { params } = await acceptParams(jobWith(undefined), { limit: '7' });
    expect(params).toEqual({ limit: '7' });
    expect(Object.isFrozen(params)).toBe(true);
    const normalising = (given: Record<string, unknown>): Job => {
      given.limit = 8;
      return jobWith(undefined);
    };
    await expect(acceptParams(normalising, { limit: '7' })).rejects.toThrow(/read only/);
  });

  it('may take its time', async () => {
    const slow = schemaOf(async () => ({ value: { seen: await Promise.resolve([1]) } }));
    expect((await acceptParams(jobWith(slow), {})).jobParams).toEqual({ seen: [1] });
  });

  it('is not needed: params are then the texts that were given', async () => {
    expect(await acceptParams(jobWith(undefined), { any: '1' })).toMatchObject({ params: { any: '1' } });
    expect((await acceptParams(jobWith(undefined), { any: '1' })).jobParams).toBeUndefined();
  });

  it('says of each param what is wrong', async () => {
    const refused = await refusedBy(limits, { limit: '12' });
    expect(refused).toMatchObject({ reason: 'wrong', param: 'limit', hint: undefined });
    expect(refused.lines).toEqual(['limit: Too big: expected number to be <=9']);
    const path = [{ key: 'a' }, 0];
    const nested = schemaOf<object>(() => ({ issues: [{ message: 'odd', path }, { message: 'all of it' }] }));
    expect((await refusedBy(nested, {})).lines).toEqual(['a.0: odd', 'all of it']);
  });

  it('is told apart from one that takes the param as a number or a boolean', async () => {
    const typed = z.object({ n: z.number().optional(), yes: z.boolean().optional() });
    expect((await refusedBy(typed, { n: '12' })).hint).toContain('z.coerce.number()');
    expect((await refusedBy(typed, { yes: 'false' })).hint).toContain('z.stringbool()');
    expect((await refusedBy(typed, { n: 'twelve' })).hint).toBeUndefined();
  });

  it('refuses a param at which it never looks, and knows which one was meant', async () => {
    expect(await refusedBy(limits, { limt: '1' })).toMatchObject({
      reason: 'unknown',
      message: 'job "j" has no param "limt"',
      hint: 'did you mean "limit"?',
    });
    expect((await refusedBy(limits, { zebra: '1' })).hint).toBe('it takes by, limit');
    const required = z.object({ limit: z.string() });
    expect(await refusedBy(required, { limt: '1' })).toMatchObject({ reason: 'unknown', param: 'limt' });
  });

  it('may look at all of them', async () => {
    const any = z.record(z.string(), z.string());
    expect((await acceptParams(jobWith(any), { a: '1' })).jobParams).toEqual({ a: '1' });
    const same = schemaOf((value) => ({ value }));
    expect((await acceptParams(jobWith(same), { a: '1' })).jobParams).toEqual({ a: '1' });
  });

  it.each([
    ['a Date', { at: new Date(0) }, 'at is a Date'],
    ['a Map', { all: new Map() }, 'all is a Map'],
    ['a number that is none', { part: { n: [Number.NaN] } }, 'part.n.0 is NaN'],
    ['nothing in a list', { list: [undefined] }, 'list.0 is undefined'],
    // biome-ignore lint/suspicious/noSparseArray: what JSON has null for
    ['a hole', { deep: { list: [1, , 3] } }, 'deep.list.1 is undefined'],
    ['a function', { by: () => 1 }, 'by is a function'],
    ['a bigint', { n: 1n }, 'n is a bigint'],
    ['a circle', circle, 'a.b is a part of itself'],
    ['text alone', 'x', 'it is a string'],
    ['a list', ['x'], 'it is an array'],
  ])('must give what survives JSON: %s', async (_what, value, line) => {
    const refused = await refusedBy(
      schemaOf(() => ({ value })),
      {},
    );
    expect(refused.reason).toBe('no JSON');
    expect(refused.lines[0]).toContain(line);
  });

  it('may have params that are called as what every object has', async () => {
    const schema = z.object({ toString: z.string(), constructor: z.coerce.number() });
    const { jobParams } = await acceptParams(jobWith(schema), { toString: 'x', constructor: '1' });
    expect(jobParams).toEqual({ toString: 'x', constructor: 1 });
    expect(await refusedBy(limits, { constructor: '1' })).toMatchObject({ hint: 'it takes by, limit' });
  });

  it('gives what no task can change for another', async () => {
    const { jobParams } = await acceptParams(
      jobWith(schemaOf(() => ({ value: { deep: { list: [1] } } }))),
      {},
    );
    expect(() => (jobParams as { deep: { list: number[] } }).deep.list.push(2)).toThrow(TypeError);
  });

  it('that throws where it is asked for a hint only has said before what is wrong', async () => {
    const picky = schemaOf<object>(async (given) => {
      if (typeof (given as { n: unknown }).n !== 'string') throw new RangeError('oh');
      return { issues: [{ message: 'odd', path: ['n'] }] };
    });
    expect(await refusedBy(picky, { n: '1' })).toMatchObject({ reason: 'wrong', hint: undefined });
  });

  it('that throws is told as what it is', async () => {
    const broken = schemaOf<object>(() => {
      throw new RangeError('oh');
    });
    expect(await refusedBy(broken, {})).toMatchObject({ reason: 'threw', cause: new RangeError('oh') });
  });
});

describe('the schemas of a pipeline', () => {
  const [first, second] = [jobWith(z.object({ a: z.string().default('-') })), jobWith(limits)];

  it('are those of its stages: each gives its own stage what it makes of all', async () => {
    const two = definePipeline({ name: 'two', stages: [first, second] });
    const given = { a: 'x', limit: '5' };
    expect((await acceptParams(two, given)).jobParams).toEqual({ a: 'x' });
    expect((await acceptParams(two, given, { stage: 1 })).jobParams).toEqual({ limit: 5 });
  });

  it('are all asked before the first stage', async () => {
    const two = definePipeline({ name: 'two', stages: [first, second] });
    await expect(acceptParams(two, { limit: 'x' })).rejects.toMatchObject({ param: 'limit' });
    await expect(acceptParams(two, { limits: '1' })).rejects.toMatchObject({ reason: 'unknown' });
  });

  it('are asked once: later stages are given what each has made then', async () => {
    let asked = 0;
    const counting = jobWith(schemaOf(() => ({ value: { asked: ++asked } })));
    const four = definePipeline({ name: 'four', stages: [counting, first, jobWith(undefined), counting] });
    const { stageParams, jobParams } = await acceptParams(four, { a: 'x' });
    expect([jobParams, stageParams]).toEqual([{ asked: 1 }, [{ asked: 1 }, { a: 'x' }, null, { asked: 2 }]]);
    const known = JSON.parse(JSON.stringify({ stageParams }));
    const last = await acceptParams(four, { a: 'x' }, { stage: 3, known });
    expect([last.jobParams, asked]).toEqual([{ asked: 2 }, 2]);
    expect(Object.isFrozen(last.jobParams)).toBe(true);
    expect((await acceptParams(four, { a: 'x' }, { stage: 2, known })).jobParams).toBeUndefined();
  });

  it('know all params between them: a misspelt one is none of the pipeline, whichever refuses', async () => {
    const needsN = jobWith(z.object({ n: z.string() }));
    const two = definePipeline({ name: 'two', stages: [second, needsN] });
    const message = 'pipeline "two" has no param "limt"';
    await expect(acceptParams(two, { limt: '1' })).rejects.toMatchObject({ message });
    await expect(acceptParams(two, { limt: '1', n: '1' })).rejects.toMatchObject({ message });
    // Nearly one that the first stage looks at, but the second knows it.
    const needsLimit = jobWith(z.object({ limit: z.string() }));
    const other = definePipeline({
      name: 'other',
      stages: [needsLimit, jobWith(z.object({ limits: z.string() }))],
    });
    await expect(acceptParams(other, { limits: '1' })).rejects.toMatchObject({
      reason: 'wrong',
      param: 'limit',
    });
    const free = definePipeline({ name: 'free', stages: [needsLimit, jobWith(undefined)] });
    await expect(acceptParams(free, { limits: '1' })).rejects.toMatchObject({
      reason: 'wrong',
      param: 'limit',
    });
  });

  it('or its own: what that gives is for the stages, and asked once for all of them', async () => {
    let asked = 0;
    const params = schemaOf(() => ({ value: { rounds: 2, asked: ++asked } }));
    const seen: unknown[] = [];
    const own = definePipeline({
      name: 'own',
      params,
      stages: (made) => {
        seen.push(made);
        return [jobWith(undefined), jobWith(undefined)];
      },
    });
    const { params: made } = await acceptParams(own, {});
    expect(made).toEqual({ rounds: 2, asked: 1 });
    expect((await acceptParams(own, {}, { stage: 1, known: { params: made } })).params).toEqual(made);
    expect(seen).toEqual(seen.map(() => ({ rounds: 2, asked: 1 })));
  });
});

describe('params that are no schema', () => {
  it.each([[{ limit: 1 }], [null], ['text'], [{ '~standard': { version: 2 } }]])(
    'are refused: %j',
    (params) => {
      const job = { name: 'j', params, map() {}, reduce: () => 1 };
      expect(() => validateJob(job)).toThrow('job "j": params is a schema');
    },
  );
});

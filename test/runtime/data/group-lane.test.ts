import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { validateJob } from '../../../jobs/define.js';
import type { Job } from '../../../jobs/types.js';
import { RowKernel } from '../../../kernel/row-kernel.js';
import { runReduceAttempt } from '../../../runtime/data/reduce-attempt.js';
import { jsonLine } from '../../jobs/json-lines.js';
import { filesOf, inAttempts, plainly, shapes } from './both-ways.js';
import { temporaryDirectory } from './temporary.js';

const jobs: readonly Job[] = [
  {
    name: 'statistics',
    groupBy: 'host',
    aggregates: ['count', { sum: 'bytes' }, { min: 'bytes' }, { max: 'bytes' }],
    outputFormat: 'tsv',
  },
  { name: 'named', groupBy: 'bytes', aggregates: { times: 'count', most: { max: 'b' } } },
  { name: 'of all', groupBy: 'host', aggregates: ['count'] },
].map((job) => validateJob(job));
const strict = validateJob({ ...jobs[0]!, inputFormat: 'ndjson' });

const content = fc
  .tuple(
    fc.constantFrom('', '\ufeff'),
    fc.array(fc.tuple(jsonLine, fc.constantFrom('\n', '\n', '\n', '\r\n')), { maxLength: 60 }),
    fc.oneof(fc.constant(Buffer.from('')), jsonLine),
  )
  .map(([mark, lines, last]) =>
    Buffer.concat([Buffer.from(mark), ...lines.flatMap(([line, end]) => [line, Buffer.from(end)]), last]),
  );

/** Fails unless attempts give what the plain path gives. */
async function expectSame(job: Job, contents: readonly Buffer[], shape: Parameters<typeof plainly>[2]) {
  const directory = temporaryDirectory();
  const files = await filesOf(directory, contents);
  const { parts, counters } = await plainly(job, files, shape);
  expect(await inAttempts(directory, job, files, shape)).toEqual({ parts, counters });
  rmSync(directory, { recursive: true });
  return { parts, counters };
}

const simple = { targetMaps: 1, reduces: 1, budgetBytes: 1 << 20, fanIn: 64 };
const line = (host: string, bytes: number): string => `${JSON.stringify({ host, bytes })}\n`;

afterEach(() => vi.restoreAllMocks());

describe('the lane of groups', () => {
  it.each(jobs)('gives the bytes and the counters of the plain path: $name', async (job) => {
    const groupLines = vi.spyOn(RowKernel.prototype, 'groupLines');
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 3 }), shapes, async (contents, shape) => {
        await expectSame(job, contents, shape);
      }),
      { numRuns: 150 },
    );
    expect(groupLines).toHaveBeenCalled();
  });

  it('takes NDJSON, where blank lines are no records', async () => {
    const rest = vi.spyOn(strict, 'map');
    const { parts, counters } = await expectSame(
      strict,
      [Buffer.from(`${line('b', 1)}\n  \n${line('a', 2)}\u00a0\n"text"\n${line('b', 0.5)}`)],
      simple,
    );
    expect(parts).toEqual(['a\t1\t2\t2\t2\nb\t2\t1.5\t0.5\t1\n']);
    expect(Object.fromEntries(counters)).toMatchObject({ 'lines not understood': 1, 'map.records.in': 4 });
    // By the plain path, and not once in the attempt.
    expect(rest).toHaveBeenCalledTimes(4);
  });

  it('says where a line of NDJSON is no JSON, as the plain path does', async () => {
    const directory = temporaryDirectory();
    const files = await filesOf(directory, [Buffer.from(`${line('a', 1)}nonsense\n`)]);
    const failure = {
      name: 'InputDataError',
      message: expect.stringMatching(/^in\/0.txt, byte 23: not a JSON value/),
    };
    await expect(plainly(strict, files, simple)).rejects.toMatchObject(failure);
    await expect(inAttempts(directory, strict, files, simple)).rejects.toMatchObject(failure);
  });

  it('leaves lines that are longer than its memory, and sums beyond all numbers, to the general lane', async () => {
    const long = `{"host":"a","text":"${'x'.repeat(2_000_000)}","bytes":1}\n`;
    await expectSame(jobs[0]!, [Buffer.from(line('b', 2) + long + line('b', 3))], simple);
    const directory = temporaryDirectory();
    const files = await filesOf(directory, [Buffer.from(line('a', 1e308).repeat(2))]);
    await expect(inAttempts(directory, jobs[0]!, files, simple)).rejects.toMatchObject({
      message: 'a sum of key "a" is not a finite number',
    });
  });

  it('adds fractions in the order of the lines, whatever the budget', async () => {
    const text = Array.from({ length: 3000 }, (_, index) => line(`h${index % 7}`, 1 / (index + 1))).join('');
    for (const budgetBytes of [1, 700, 1 << 20]) {
      await expectSame(jobs[0]!, [Buffer.from(text)], { ...simple, targetMaps: 3, budgetBytes, fanIn: 2 });
    }
  });

  it('takes lines that no chunk ends at', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) =>
      line(`host-${index % 999}`, index).replace('{', `{"pad":"${'.'.repeat(index % 97)}",`),
    ).join('');
    await expectSame(jobs[0]!, [Buffer.from(text), Buffer.from(text)], {
      ...simple,
      targetMaps: 5,
      reduces: 3,
    });
  });

  it('reduces in the kernel to what the general lane gives, the heaviest key included', async () => {
    const directory = temporaryDirectory();
    // In the first of the maps there is only a, in all others b and c.
    const text = Array.from({ length: 200 }, (_, index) =>
      line(index < 20 ? 'a' : 'cb'[index % 2]!, index / 3),
    ).join('');
    const files = await filesOf(directory, [Buffer.from(text)]);
    await inAttempts(directory, jobs[0]!, files, { ...simple, targetMaps: 12 });
    const maps = readdirSync(join(directory, 'maps')).length;
    const sources = Array.from({ length: maps }, (_, task) => ({
      task,
      path: join(directory, `maps/map-${task}`),
    }));
    const attempt = (budgetBytes: number, skip: readonly string[]) =>
      runReduceAttempt({
        job: jobs[0]!,
        partition: 0,
        sources,
        budgetBytes,
        skip,
        context: { task: 'reduce-0', params: {}, seed: '' },
        privateDirectory: join(directory, 'private'),
        target: join(directory, 'part'),
      });
    const readRecords = vi.spyOn(RowKernel.prototype, 'readRecords');
    const fast = await attempt(1 << 20, []);
    expect(readRecords).toHaveBeenCalled();
    expect(fast.heaviest).toEqual({ key: 'b', records: maps - 1 });
    expect(fast).toEqual(await attempt(1 << 20, ['=skipped']));
    // More keys than the budget allows.
    expect(fast).toEqual(await attempt(200, []));
  });

  it('takes a damaged map output for the fault of the map', async () => {
    const directory = temporaryDirectory();
    const text = Array.from({ length: 3000 }, (_, index) => line(`h${index}`, index)).join('');
    const files = await filesOf(directory, [Buffer.from(text)]);
    await inAttempts(directory, jobs[0]!, files, simple);
    const path = join(directory, 'maps/map-0');
    for (const at of [100, 5000, 30_000]) {
      const damaged = readFileSync(path);
      damaged[at]! ^= 0x55;
      writeFileSync(join(directory, 'damaged'), damaged);
      const attempt = runReduceAttempt({
        job: jobs[0]!,
        partition: 0,
        sources: [{ task: 0, path: join(directory, 'damaged') }],
        budgetBytes: 1 << 20,
        context: { task: 'reduce-0', params: {}, seed: '' },
        privateDirectory: join(directory, 'private'),
        target: join(directory, 'part'),
      });
      await expect(attempt).rejects.toMatchObject({ name: 'SourceError' });
    }
  });
});

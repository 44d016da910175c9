import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sum } from '../../../jobs/aggregates.js';
import { defineJob } from '../../../jobs/define.js';
import { keyRecord } from '../../../jobs/record-id.js';
import type { Job } from '../../../jobs/types.js';
import { commandJob } from '../../../runtime/commands/command-job.js';
import { UserCodeError } from '../../../runtime/data/errors.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import { runMapAttempt } from '../../../runtime/data/map-attempt.js';
import { planSplits } from '../../../runtime/data/plan.js';
import { prepareWorkspace } from '../../../runtime/data/publish.js';
import { runReduceAttempt } from '../../../runtime/data/reduce-attempt.js';
import { runSequential } from '../../../runtime/data/sequential.js';
import { resultOfError } from '../../../runtime/executor/failure.js';
import { temporaryDirectory } from './temporary.js';

const long = `long-${'x'.repeat(500)}`;
const input = `a b\npoison c\nb\n\npoison d\nb ${long}\n`;

/** Counts words; throws in the middle of lines with `poison`, and at some keys. */
function counting(badKeys: readonly string[] = []): Job {
  return {
    name: 'counting',
    map(line: string, emit) {
      for (const word of line.split(' ')) {
        emit(word, 1);
        if (word === 'poison') throw new Error('bad line');
      }
    },
    combine: sum,
    reduce(key, values) {
      if (badKeys.includes(key)) throw new Error('bad key');
      return sum(key, values);
    },
  };
}

async function planned() {
  const directory = temporaryDirectory();
  for (const name of ['maps', 'reduces', 'in']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'in', 'text'), input);
  const files = await resolveInputs(['in'], { cwd: directory });
  return { directory, plan: planSplits(files, { targetMaps: 1, slots: 1 }) };
}
type Planned = Awaited<ReturnType<typeof planned>>;

function mapping({ directory, plan }: Planned, job: Job, skip?: readonly string[], budgetBytes = 1 << 20) {
  return runMapAttempt({
    job,
    files: plan.files,
    ranges: plan.splits[0]!,
    reduces: 1,
    budgetBytes,
    context: { task: 'map-0', params: {}, seed: 'seed' },
    privateDirectory: join(directory, 'private'),
    target: join(directory, 'maps', 'map-0'),
    skip,
  });
}

function reducing({ directory }: Planned, job: Job, skip?: readonly string[]) {
  return runReduceAttempt({
    job,
    partition: 0,
    sources: [{ task: 0, path: join(directory, 'maps', 'map-0') }],
    budgetBytes: 1 << 20,
    context: { task: 'reduce-0', params: {}, seed: 'seed' },
    privateDirectory: join(directory, 'private'),
    target: join(directory, 'reduces', 'reduce-0'),
    skip,
  });
}

async function siteOf(attempt: Promise<unknown>) {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserCodeError);
  return (error as UserCodeError).site;
}

async function sequentially({ directory, plan }: Planned, job: Job) {
  const output = join(directory, 'out');
  await prepareWorkspace(output, 'run');
  const shape = { reduces: 1, budgetBytes: 1 << 20 };
  return { job, plan, ...shape, params: {}, seed: 'seed', output, runId: 'run' };
}

describe('a bad record', () => {
  it('is none where a combiner that is a program failed, of which every record of a run is part', async () => {
    const one = await planned();
    const job = commandJob({ mapper: 'cat', combiner: 'exit 3', io: 'tsv' });
    const failure = await mapping(one, job, [], 1).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: 'the combiner (exit 3) ended with exit code 3' });
    expect((failure as UserCodeError).site).toEqual({});
  });

  it('of a map is named by its line, and left out when the attempt is told to', async () => {
    const made = await planned();
    const job = counting();
    expect(await siteOf(mapping(made, job))).toMatchObject({ offset: 4, record: '1' });
    expect(await siteOf(mapping(made, job, ['1']))).toMatchObject({ offset: 16, record: '4' });
    const { counters } = await mapping(made, job, ['1', '4']);
    expect(Object.fromEntries(counters)).toMatchObject({ 'map.records.in': 4, 'map.records.skipped': 2 });
    await reducing(made, job);
    const text = readFileSync(join(made.directory, 'reduces', 'reduce-0'), 'utf8');
    expect(text).not.toMatch(/poison|[cd]/);
    expect(text.split('\n')).toContain('b 3');
  });

  it.each([
    ['parsed', undefined],
    ['read by its fields', ['n']],
    ['grouped', 'aggregates'],
  ])('of NDJSON is a line that is no JSON, as well: %s', async (_, how) => {
    const made = await planned();
    writeFileSync(join(made.directory, 'in', 'text'), '{"n":1}\n\n{bad\n{"n":3}\nworse}\n');
    const files = await resolveInputs(['in'], { cwd: made.directory });
    const plan = planSplits(files, { targetMaps: 1, slots: 1 });
    const job: Job =
      how === 'aggregates'
        ? (defineJob({ name: 'n', inputFormat: 'ndjson', groupBy: 'n', aggregates: ['count'] }) as Job)
        : {
            name: 'n',
            inputFormat: 'ndjson',
            fields: how as string[] | undefined,
            map: (record: { n: number }, emit) => emit(String(record.n), 1),
            combine: sum,
            reduce: sum,
          };
    const failure = async (skip?: readonly string[]) =>
      await mapping({ ...made, plan }, job, skip).catch((error: unknown) => error);
    expect(await failure()).toMatchObject({
      name: 'InputDataError',
      message: expect.stringMatching(/^in\/text, byte 9: not a JSON value: ./),
      record: '1',
    });
    expect(resultOfError(await failure(['1']), [], made.directory)).toMatchObject({
      type: 'broke',
      failure: { kind: 'data', message: expect.stringContaining('byte 22: not a JSON value'), record: '3' },
    });
    const { counters } = await mapping({ ...made, plan }, job, ['1', '3']);
    expect(Object.fromEntries(counters)).toMatchObject({ 'map.records.in': 2, 'map.records.skipped': 2 });
    const output = join(made.directory, 'out');
    await prepareWorkspace(output, 'run');
    const shared = { job, plan, reduces: 1, budgetBytes: 1 << 20, params: {}, seed: 'seed' };
    const options = { ...shared, output, runId: 'run', skipBadRecords: true };
    const { parts } = await runSequential(options);
    expect(readFileSync(parts[0]!.path, 'utf8')).toMatch(/^1 .*\n3 .*\n$/);
  });

  it('of a reduce is named by its key, however long that is', async () => {
    const made = await planned();
    const job = counting(['b', long]);
    await mapping(made, job, ['1', '4']);
    const first = await siteOf(reducing(made, job));
    expect(first).toMatchObject({ key: 'b', record: keyRecord('b') });
    const second = await siteOf(reducing(made, job, [first.record!]));
    expect(second.record).toBe(keyRecord(long));
    expect(second.record!.length).toBeLessThan(120);
    const { counters } = await reducing(made, job, [first.record!, second.record!]);
    expect(Object.fromEntries(counters)).toMatchObject({ 'reduce.groups.in': 2, 'reduce.groups.skipped': 2 });
  });

  it('is left out by the sequential path as well, when that is asked for', async () => {
    const made = await planned();
    const job = counting(['b', long]);
    const options = await sequentially(made, job);
    expect(await siteOf(runSequential(options))).toMatchObject({ record: '1' });
    const { parts, counters } = await runSequential({ ...options, skipBadRecords: true });
    const skip = [keyRecord('b'), keyRecord(long)];
    await mapping(made, job, ['1', '4']);
    await reducing(made, job, skip);
    const distributed = readFileSync(join(made.directory, 'reduces', 'reduce-0'), 'utf8');
    expect(readFileSync(parts[0]!.path, 'utf8')).toBe(distributed);
    expect(Object.fromEntries(counters)).toMatchObject({
      'map.records.skipped': 2,
      'reduce.groups.skipped': 2,
    });
  });

  it('makes the sequential path try again, under the name of another attempt', async () => {
    const made = await planned();
    const names = join(made.directory, 'names');
    const mapper = `echo $REHEARSE_ATTEMPT >> ${names}; echo null`;
    const options = await sequentially(made, commandJob({ mapper, io: 'ndjson' }));
    await runSequential({ ...options, skipBadRecords: true });
    expect(readFileSync(names, 'utf8')).toBe('run.map-0.n1\nrun.map-0.n2\nrun.map-0.n3\n');
  });
});

describe('the name of a key', () => {
  it('tells keys apart that begin alike, and short keys from the names of long ones', () => {
    const keys = [long, `${long}y`, long.slice(1), 'x', '=x', keyRecord(long).slice(0, 100)];
    expect(new Set(keys.map(keyRecord)).size).toBe(keys.length);
  });
});

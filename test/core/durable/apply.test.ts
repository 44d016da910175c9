import { describe, expect, test } from 'vitest';
import { applyEntry, applyRecord } from '../../../core/durable/apply.js';
import {
  type DurableState,
  emptyDurable,
  failuresKept,
  findJob,
  isDead,
  sumCounters,
  validCommit,
} from '../../../core/durable/state.js';
import { generationText, mixGeneration, newGeneration } from '../../../core/generation.js';
import { InvariantError } from '../../../core/invariant-error.js';
import type { AttemptFailed, Counters, JournalRecord, TaskCommitted } from '../../../core/records.js';
import { specOf } from '../bench.js';

const holder = { node: 'worker-1', incarnation: 1 };
const began: JournalRecord = {
  type: 'leader.began',
  epoch: 1,
  leader: { node: 'master-1', incarnation: 1 },
};
const accepted: JournalRecord = { type: 'job.accepted', job: 1, requestId: 'request-1', spec: specOf() };

function attempt(task: number, n = 1) {
  return { job: 1, task, epoch: 1, n };
}

function mapCommit(task: number, n = 1, digest = `map-${task}`, counters: Counters = []): TaskCommitted {
  const output = { digest, bytes: 1, records: 1, inputs: '' };
  return { type: 'task.committed', attempt: attempt(task, n), holder, output, counters };
}

/** The reduce of a job whose maps gave these digests. */
function reduceCommit(digests = ['map-0', 'map-1']): TaskCommitted {
  const generation = newGeneration();
  for (const [task, digest] of digests.entries()) mixGeneration(generation, task, digest, 1);
  const output = { digest: 'reduced', bytes: 1, records: 1, inputs: generationText(generation) };
  return { type: 'task.committed', attempt: attempt(2), holder, output, counters: [] };
}

function failed(task: number, n: number, change: Partial<AttemptFailed> = {}): AttemptFailed {
  const failure = { kind: 'user', message: 'boom' } as const;
  return {
    type: 'attempt.failed',
    attempt: attempt(task, n),
    node: 'worker-1',
    failure,
    counted: true,
    ...change,
  };
}

function invalidated(task: number, n = 1): JournalRecord {
  return { type: 'task.invalidated', attempt: attempt(task, n), reason: 'missing' };
}

const publishing: JournalRecord = { type: 'job.publishing', job: 1 };
const published: JournalRecord = { type: 'job.published', job: 1 };
const jobFailed: JournalRecord = {
  type: 'job.failed',
  job: 1,
  failure: { reason: 'disk', message: 'full' },
};

function fold(...records: JournalRecord[]): DurableState {
  const state = emptyDurable();
  for (const record of records) applyRecord(state, record);
  return state;
}

const open = [began, accepted];
const complete = [...open, mapCommit(0), mapCommit(1), reduceCommit()];

describe('folding the journal', () => {
  test('follows a job from acceptance to its published output', () => {
    const state = fold(...open);
    const job = findJob(state, 1)!;
    expect(state).toMatchObject({ epoch: 1, leader: { node: 'master-1' } });
    expect(job).toMatchObject({ phase: 'open', mapsCommitted: 0, reducesCommitted: 0 });
    expect(state.jobByRequest.get('request-1')).toBe(1);
    for (const record of complete.slice(2)) applyRecord(state, record);
    expect(job).toMatchObject({ phase: 'open', mapsCommitted: 2, reducesCommitted: 1 });
    applyRecord(state, publishing);
    expect(job.phase).toBe('publishing');
    applyRecord(state, published);
    expect(job.phase).toBe('published');
  });

  test('takes entries in order, and only then moves to their slot', () => {
    const state = emptyDurable();
    applyEntry(state, { slot: 1, nonce: 'a', after: '', records: [began] });
    applyEntry(state, { slot: 2, nonce: 'b', after: 'a', records: [accepted, mapCommit(0)] });
    expect(state.slot).toBe(2);
    expect(findJob(state, 1)!.mapsCommitted).toBe(1);
  });

  test('a job that failed says why', () => {
    expect(findJob(fold(...open, jobFailed), 1)).toMatchObject({
      phase: 'failed',
      failure: { reason: 'disk' },
    });
    expect(findJob(fold(...complete, publishing, jobFailed), 1)!.phase).toBe('failed');
  });

  test('a lost output keeps its digest and its place in the generation until another takes over', () => {
    const state = fold(...open, mapCommit(0), mapCommit(1), invalidated(0));
    const job = findJob(state, 1)!;
    expect(job.mapsCommitted).toBe(1);
    expect(validCommit(job, 0)).toBeUndefined();
    expect(job.commits[0]!.output.digest).toBe('map-0');
    expect(isDead(job, attempt(0))).toBe(true);
    expect(generationText(job.generation)).toBe(reduceCommit().output.inputs);
    applyRecord(state, mapCommit(0, 2, 'other'));
    expect(job.mapsCommitted).toBe(2);
    expect(generationText(job.generation)).toBe(reduceCommit(['other', 'map-1']).output.inputs);
  });

  test('counters are those of valid commits only, sorted by name', () => {
    const state = fold(
      ...open,
      mapCommit(0, 1, 'a', [['z', 1]]),
      mapCommit(1, 1, 'b', [
        ['a', 2],
        ['z', 3],
      ]),
      invalidated(0),
    );
    const job = findJob(state, 1)!;
    expect(sumCounters(job)).toEqual([
      ['a', 2],
      ['z', 3],
    ]);
    applyRecord(state, mapCommit(0, 2, 'a', [['z', 1]]));
    expect(sumCounters(job)).toEqual([
      ['a', 2],
      ['z', 4],
    ]);
  });

  test('counts failures, time-outs and deaths apart, and remembers where they were', () => {
    const timeout = { kind: 'timeout', message: 'no progress' } as const;
    const died = { kind: 'worker-died', message: 'gone' } as const;
    const state = fold(
      ...open,
      failed(0, 1),
      failed(0, 2, { node: 'worker-2', failure: timeout }),
      failed(0, 3, { node: 'worker-3', failure: died, counted: false }),
      failed(0, 4, { node: 'worker-2', failure: died }),
    );
    const trouble = findJob(state, 1)!.troubles.get(0)!;
    expect(trouble).toMatchObject({ failed: 3, timedOut: 1, deaths: 2, invalidated: 0 });
    expect(trouble.nodes).toEqual(['worker-1', 'worker-2']);
    expect(trouble.dead.map((one) => one.n)).toEqual([1, 2, 3, 4]);
  });

  test('keeps the last few failures for people', () => {
    const failures = Array.from({ length: failuresKept + 3 }, (_, index) => failed(0, index + 1));
    const job = findJob(fold(...open, ...failures), 1)!;
    expect(job.failures.map((one) => one.attempt.n)).toEqual(failures.slice(3).map((one) => one.attempt.n));
  });
});

describe('a record that contradicts the state', () => {
  const contradictions: [sentence: string, rule: string, before: JournalRecord[], record: JournalRecord][] = [
    ['an epoch that is not later', 'M2', open, { ...began, epoch: 1 }],
    ['a job out of turn', 'M2', open, { ...accepted, job: 3, requestId: 'request-2' }],
    ['a request accepted twice', 'M2', open, { ...accepted, job: 2 }],
    ['a commit for an unknown job', 'M2', [began], mapCommit(0)],
    ['a commit for a job that has ended', 'M2', [...open, jobFailed], mapCommit(0)],
    ['a commit after the point of no return', 'M2', [...complete, publishing], mapCommit(0, 2)],
    ['a commit of a task that the job does not have', 'M2', open, mapCommit(7)],
    ['a second commit of a task', 'M1', [...open, mapCommit(0)], mapCommit(0, 2)],
    ['the same commit again', 'M1', [...open, mapCommit(0)], mapCommit(0)],
    ['a commit of an attempt that failed', 'M1', [...open, failed(0, 1)], mapCommit(0, 1)],
    ['a commit of an invalidated attempt', 'M1', [...open, mapCommit(0), invalidated(0)], mapCommit(0, 1)],
    [
      'a reduce that read another generation',
      'M6',
      [...open, mapCommit(0), mapCommit(1)],
      reduceCommit(['map-0', 'other']),
    ],
    ['a reduce before its maps', 'M6', [...open, mapCommit(0)], reduceCommit()],
    ['invalidating what is not committed', 'M2', open, invalidated(0)],
    ['invalidating another attempt than the committed one', 'M2', [...open, mapCommit(0)], invalidated(0, 2)],
    ['invalidating twice', 'M2', [...open, mapCommit(0), invalidated(0)], invalidated(0)],
    ['invalidating after the end', 'M2', [...open, mapCommit(0), jobFailed], invalidated(0)],
    ['failing twice', 'M2', [...open, failed(0, 1)], failed(0, 1)],
    ['failing after the end', 'M2', [...open, jobFailed], failed(0, 1)],
    ['publishing with a map missing', 'M2', [...open, mapCommit(0)], publishing],
    ['publishing with a lost output', 'M2', [...complete, invalidated(1)], publishing],
    ['publishing twice', 'M2', [...complete, publishing], publishing],
    ['published without publishing', 'M2', complete, published],
    ['published twice', 'M2', [...complete, publishing, published], published],
    ['a failure after the output was published', 'M2', [...complete, publishing, published], jobFailed],
    ['a second end of a failed job', 'M2', [...open, jobFailed], jobFailed],
    ['the end of an unknown job', 'M2', [began], jobFailed],
  ];

  test.each(contradictions)('is never tolerated: %s (%s)', (_, rule, before, record) => {
    const state = fold(...before);
    let thrown: unknown;
    try {
      applyRecord(state, record);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvariantError);
    expect((thrown as InvariantError).rule).toBe(rule);
    expect((thrown as InvariantError).message).toContain(rule);
  });

  test('is never tolerated: an entry out of order (M2)', () => {
    const state = emptyDurable();
    applyEntry(state, { slot: 1, nonce: 'a', after: '', records: [began] });
    for (const slot of [1, 3]) {
      expect(() => applyEntry(state, { slot, nonce: 'b', after: 'a', records: [] })).toThrow(/^M2/);
    }
  });
});

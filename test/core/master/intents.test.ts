import { describe, expect, test } from 'vitest';
import { defaultClusterConfig } from '../../../core/config.js';
import { applyRecord } from '../../../core/durable/apply.js';
import { type DurableState, emptyDurable, findJob } from '../../../core/durable/state.js';
import { generationText } from '../../../core/generation.js';
import { type Intent, judge, scopeOf } from '../../../core/master/intents.js';
import type { JournalRecord } from '../../../core/records.js';
import { specOf } from '../bench.js';

const life = { node: 'worker-1', incarnation: 1 };
const failure = { kind: 'user', message: 'boom' } as const;

function attempt(task: number, n = 1, job = 1) {
  return { job, task, epoch: 1, n };
}

function commit(state: DurableState, task: number, n = 1, digest = `content-${task}`): Intent {
  const { spec, generation } = findJob(state, 1)!;
  const inputs = task < spec.maps ? '' : generationText(generation);
  const output = { digest, bytes: 1, records: 1, inputs };
  return { type: 'commit', attempt: attempt(task, n), holder: life, output, counters: [], skipped: [] };
}

/** The record an intent becomes, or why it does not. */
function judged(state: DurableState, intent: Intent, limits = defaultClusterConfig): JournalRecord | string {
  const judgement = judge(state, intent, limits);
  return 'record' in judgement ? judgement.record : judgement.dropped;
}

/** Two maps and two reduces, with these intents already durable. */
function jobWith(...intents: ((state: DurableState) => Intent)[]): DurableState {
  const state = emptyDurable();
  applyRecord(state, { type: 'leader.began', epoch: 1, leader: life });
  applyRecord(state, { type: 'job.accepted', job: 1, requestId: 'request-1', spec: specOf({ reduces: 2 }) });
  for (const intent of intents) {
    const record = judged(state, intent(state));
    if (typeof record === 'string') throw new Error(`dropped: ${record}`);
    applyRecord(state, record);
  }
  return state;
}

const done = (task: number, n?: number, digest?: string) => (state: DurableState) =>
  commit(state, task, n, digest);
const lost =
  (task: number, n = 1) =>
  (): Intent => ({ type: 'invalidate', attempt: attempt(task, n), reason: 'missing' });
const broken =
  (task: number, n = 1) =>
  (): Intent => ({ type: 'fail', attempt: attempt(task, n), node: 'worker-1', failure, counted: true });
const publishing = (): Intent => ({ type: 'publishing', job: 1 });
const published = (): Intent => ({ type: 'published', job: 1 });
const ended =
  (reason: 'workers-died' | 'publish-refused' = 'workers-died') =>
  (): Intent => ({
    type: 'fail-job',
    job: 1,
    failure: { reason, message: 'over' },
  });
const everything = [done(0), done(1), done(2), done(3)];

describe('a leader', () => {
  test('begins one epoch above the last', () => {
    const began = (above: number) => judged(jobWith(), { type: 'begin', leader: life, above });
    expect(began(0)).toEqual({ type: 'leader.began', epoch: 2, leader: life });
    expect(began(1)).toMatchObject({ epoch: 2 });
    expect(began(7)).toMatchObject({ epoch: 8 });
  });
});

describe('a submit', () => {
  const submit = (change: Parameters<typeof specOf>[0] = {}, requestId = 'request-2'): Intent => ({
    type: 'accept',
    confirmed: false,
    requestId,
    spec: specOf({ output: '/other', ...change }),
  });

  test('becomes the next job', () => {
    expect(judged(jobWith(), submit())).toMatchObject({
      type: 'job.accepted',
      job: 2,
      requestId: 'request-2',
    });
  });

  test('is known when its request was accepted before, even after the job has ended', () => {
    expect(judged(jobWith(), submit({}, 'request-1'))).toBe('known');
    expect(judged(jobWith(ended()), submit({}, 'request-1'))).toBe('known');
  });

  test.each(['/out', '/out/below'])('is refused when its output overlaps: %s', (output) => {
    expect(judged(jobWith(), submit({ output }))).toBe('output-overlaps');
  });

  test('is refused when its output holds that of an unfinished job', () => {
    const state = emptyDurable();
    applyRecord(state, { type: 'job.accepted', job: 1, requestId: 'a', spec: specOf({ output: '/a/b' }) });
    expect(judged(state, submit({ output: '/a' }))).toBe('output-overlaps');
    expect(judged(state, submit({ output: '/a/bc' }))).toMatchObject({ type: 'job.accepted' });
  });

  test('may use the output of a job that has ended', () => {
    expect(judged(jobWith(ended()), submit({ output: '/out' }))).toMatchObject({ job: 2 });
  });

  test('is refused when there are too many jobs or tasks', () => {
    expect(judged(jobWith(), submit(), { ...defaultClusterConfig, jobsMax: 1 })).toBe('limit');
    expect(judged(jobWith(ended()), submit(), { ...defaultClusterConfig, jobsMax: 1 })).toMatchObject({
      job: 2,
    });
    const limits = { ...defaultClusterConfig, tasksMax: 10 };
    expect(judged(jobWith(), submit({ maps: 9, reduces: 1 }), limits)).toMatchObject({ job: 2 });
    expect(judged(jobWith(), submit({ maps: 9, reduces: 2 }), limits)).toBe('limit');
  });
});

describe('a completion', () => {
  test('becomes the commit of its task', () => {
    const state = jobWith();
    const intent = commit(state, 0);
    expect(judged(state, intent)).toMatchObject({
      type: 'task.committed',
      attempt: attempt(0),
      holder: life,
      output: { digest: 'content-0' },
    });
  });

  test('is superseded when another attempt was first, and committed when it was itself', () => {
    const state = jobWith(done(0));
    expect(judged(state, commit(state, 0, 2))).toBe('superseded');
    expect(judged(state, commit(state, 0, 1))).toBe('committed');
  });

  test('of an attempt that failed or was invalidated is dead', () => {
    const failed = jobWith(broken(0));
    expect(judged(failed, commit(failed, 0, 1))).toBe('dead');
    expect(judged(failed, commit(failed, 0, 2))).toMatchObject({ type: 'task.committed' });
    const gone = jobWith(done(0), lost(0));
    expect(judged(gone, commit(gone, 0, 1))).toBe('dead');
  });

  test('comes too late for a job that has ended or publishes', () => {
    const failed = jobWith(ended());
    expect(judged(failed, commit(failed, 0))).toBe('job-ended');
    const late = jobWith(...everything, publishing);
    expect(judged(late, commit(late, 0, 2))).toBe('job-ended');
    expect(judged(late, { ...commit(late, 0), attempt: attempt(0, 1, 7) } as Intent)).toBe('job-ended');
  });

  test('of a reduce that read a generation that is gone asks for a new attempt', () => {
    const state = jobWith(done(0), done(1));
    const before = commit(state, 2);
    for (const intent of [lost(0), done(0, 2, 'other')]) {
      const record = judged(state, intent(state));
      applyRecord(state, record as JournalRecord);
    }
    expect(judged(state, before)).toBe('inputs-changed');
    expect(judged(state, commit(state, 2))).toMatchObject({ type: 'task.committed' });
  });

  test('of a map made again with the same content is a commit like any other', () => {
    const state = jobWith(done(0), done(1), done(2), lost(0));
    expect(judged(state, commit(state, 0, 2))).toMatchObject({ type: 'task.committed' });
  });

  test('of a map made again with other content goes on while no reduce has committed', () => {
    const state = jobWith(done(0), done(1), lost(0));
    expect(judged(state, commit(state, 0, 2, 'other'))).toMatchObject({ type: 'task.committed' });
  });

  test('of a map made again with other content fails the job once a reduce has committed', () => {
    const state = jobWith(done(0), done(1), done(2), lost(0));
    expect(judged(state, commit(state, 0, 2, 'other'))).toMatchObject({
      type: 'job.failed',
      failure: { reason: 'nondeterministic', task: 0, attempts: [attempt(0, 1), attempt(0, 2)] },
    });
  });
});

describe('every other intent', () => {
  test('invalidates only the attempt that is committed, while the job is open', () => {
    const state = jobWith(done(0));
    expect(judged(state, lost(0)())).toMatchObject({ type: 'task.invalidated', attempt: attempt(0) });
    expect(judged(state, lost(0, 2)())).toBe('stale');
    expect(judged(state, lost(1)())).toBe('stale');
    expect(judged(jobWith(done(0), lost(0)), lost(0)())).toBe('stale');
    expect(judged(jobWith(...everything, publishing), lost(0)())).toBe('stale');
  });

  test('counts a failure once, and never against a task that has its result', () => {
    expect(judged(jobWith(), broken(0)())).toMatchObject({ type: 'attempt.failed', counted: true });
    expect(judged(jobWith(broken(0)), broken(0)())).toBe('stale');
    expect(judged(jobWith(broken(0)), broken(0, 2)())).toMatchObject({ type: 'attempt.failed' });
    expect(judged(jobWith(done(0)), broken(0)())).toBe('stale');
    expect(judged(jobWith(done(0)), broken(0, 2)())).toBe('stale');
    expect(judged(jobWith(ended()), broken(0)())).toBe('stale');
  });

  test('publishes what is complete and nothing else', () => {
    expect(judged(jobWith(...everything), publishing())).toEqual({ type: 'job.publishing', job: 1 });
    expect(judged(jobWith(done(0)), publishing())).toBe('stale');
    expect(judged(jobWith(...everything, lost(1)), publishing())).toBe('stale');
    expect(judged(jobWith(...everything, publishing), publishing())).toBe('stale');
  });

  test('is published only once, and only after the point of no return', () => {
    expect(judged(jobWith(...everything, publishing), published())).toEqual({
      type: 'job.published',
      job: 1,
    });
    expect(judged(jobWith(...everything), published())).toBe('stale');
    expect(judged(jobWith(...everything, publishing, published), published())).toBe('stale');
  });

  test('fails a job that runs; one that publishes only when its output was refused for good', () => {
    expect(judged(jobWith(), ended()())).toMatchObject({ type: 'job.failed' });
    expect(judged(jobWith(ended()), ended()())).toBe('stale');
    const late = jobWith(...everything, publishing);
    expect(judged(late, ended()())).toBe('stale');
    expect(judged(late, ended('publish-refused')())).toMatchObject({ type: 'job.failed' });
    expect(judged(jobWith(...everything, publishing, published), ended('publish-refused')())).toBe('stale');
  });
});

describe('the scope of an intent', () => {
  test('is its task: whatever concerns one task never shares a batch', () => {
    const state = jobWith(done(0));
    const things = [done(0, 2)(state), lost(0)(), broken(0)()].map((intent) => scopeOf(state, intent).thing);
    expect(new Set(things).size).toBe(1);
    expect(scopeOf(state, broken(1)()).thing).not.toBe(things[0]);
  });

  test('is the whole job for its end, and for a map that came out different', () => {
    const state = jobWith(done(0), done(1), lost(0));
    const alone = [publishing(), published(), ended()(), done(0, 2, 'other')(state)];
    for (const intent of alone) expect(scopeOf(state, intent)).toMatchObject({ job: 1, alone: true });
    for (const intent of [done(0, 2)(state), lost(1)(), broken(1)()]) {
      expect(scopeOf(state, intent)).toMatchObject({ job: 1, alone: false });
    }
  });
});

/** Arbitrary messages of every kind, within the limits of the protocol. */
import fc from 'fast-check';
import type { AttemptId } from '../../../core/ids.js';
import type {
  ClientMessage,
  MasterToClient,
  MasterToWorker,
  PhaseStatus,
  WorkerMessage,
} from '../../../core/messages.js';
import type { Counters, Failure, JobFailure, JobSpec, Output } from '../../../core/records.js';
import type { Cause } from '../../../runtime/transport/codec.js';

/** For each kind of message, an arbitrary of exactly that kind. */
type Kinds<M extends { readonly type: string }> = {
  readonly [K in M['type']]: fc.Arbitrary<Extract<M, { readonly type: K }>>;
};

const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const positive = count.map((value) => Math.max(1, value));
const text = fc.string({ unit: 'binary', maxLength: 40 });
const path = text.filter((value) => value !== '' && !value.includes('\0'));
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$/);
const digest = fc.stringMatching(/^[0-9a-f]{1,64}$/);

const attempt: fc.Arbitrary<AttemptId> = fc.record({
  job: positive,
  task: count,
  epoch: positive,
  n: positive,
});
const output: fc.Arbitrary<Output> = fc.record({
  digest,
  bytes: count,
  records: count,
  inputs: fc.oneof(fc.constant(''), digest),
});
const counters: fc.Arbitrary<Counters> = fc.array(
  fc.tuple(path, fc.double({ noNaN: true, noDefaultInfinity: true })),
);

const failure: fc.Arbitrary<Failure> = fc.record(
  {
    kind: fc.constantFrom(
      'user',
      'data',
      'timeout',
      'memory',
      'exit',
      'disk',
      'input-changed',
      'worker-died',
    ),
    message: text,
    frame: text,
    input: text,
    offset: count,
    key: text,
    record: text,
  },
  { requiredKeys: ['kind', 'message'] },
);

/** Absent rather than empty. */
const skipped = fc.array(text, { minLength: 1 });
const unreadable = fc.constantFrom('missing', 'corrupt', 'unreachable', 'holder-lost');

const jobFailure: fc.Arbitrary<JobFailure> = fc.record(
  {
    reason: fc.constantFrom(
      'task-failed',
      'workers-died',
      'nondeterministic',
      'input-changed',
      'disk',
      'publish-refused',
    ),
    message: text,
    task: count,
    failure,
    attempts: fc.tuple(attempt, attempt),
  },
  { requiredKeys: ['reason', 'message'] },
);

const spec: fc.Arbitrary<JobSpec> = fc.record({
  name: path,
  work: digest,
  maps: count,
  reduces: count,
  output: path,
  policy: fc.record({
    lateReports: fc.constantFrom('first-commit', 'owner-only'),
    maxAttempts: positive,
    taskTimeoutUs: count,
    speculation: fc.boolean(),
    speculationAgeMinUs: count,
    skipBadRecords: fc.boolean(),
    slowstartPermille: count,
  }),
});

const phaseStatus: fc.Arbitrary<PhaseStatus> = fc.record({
  total: count,
  done: count,
  running: count,
  attempts: count,
  failed: count,
  stale: count,
  speculative: count,
  invalidated: count,
});

export const cause: fc.Arbitrary<Cause> = fc.record({ node: name, index: count });
export const node = name;

export const workerMessages: Kinds<WorkerMessage> = {
  'worker.hello': fc.record(
    {
      type: fc.constant('worker.hello'),
      incarnation: count,
      slots: count,
      credit: count,
      epochSeen: count,
      slotSeen: count,
      running: fc.array(attempt),
      finished: fc.array(
        fc.record(
          { attempt, output, counters, skipped },
          { requiredKeys: ['attempt', 'output', 'counters'] },
        ),
      ),
      starved: fc.array(fc.record({ attempt, source: attempt, reason: unreadable })),
      broken: fc.array(fc.record({ attempt, failure })),
      jobs: fc.array(count),
      previous: fc.record({ incarnation: count, end: fc.constantFrom('crashed', 'killed') }),
    },
    {
      requiredKeys: [
        'type',
        'incarnation',
        'slots',
        'credit',
        'epochSeen',
        'slotSeen',
        'running',
        'finished',
        'starved',
        'broken',
        'jobs',
      ],
    },
  ),
  'worker.beat': fc.record({
    type: fc.constant('worker.beat'),
    incarnation: count,
    credit: count,
    progress: fc.array(fc.record({ attempt, done: count, total: count, waiting: fc.boolean() })),
  }),
  'attempt.completed': fc.record(
    {
      type: fc.constant('attempt.completed'),
      incarnation: count,
      credit: count,
      attempt,
      output,
      counters,
      skipped,
    },
    { requiredKeys: ['type', 'incarnation', 'credit', 'attempt', 'output', 'counters'] },
  ),
  'attempt.ended': fc.record(
    { type: fc.constant('attempt.ended'), incarnation: count, credit: count, attempt, failure },
    { requiredKeys: ['type', 'incarnation', 'credit', 'attempt'] },
  ),
  'input.unreadable': fc.record({
    type: fc.constant('input.unreadable'),
    incarnation: count,
    credit: count,
    attempt,
    source: attempt,
    reason: unreadable,
  }),
};

const notLeading = fc.record(
  { type: fc.constant('master.notLeading' as const), epoch: count, leader: name },
  { requiredKeys: ['type', 'epoch'] },
);

export const masterMessages: Kinds<MasterToWorker> = {
  'master.welcome': fc.record({
    type: fc.constant('master.welcome'),
    epoch: count,
    slot: count,
    incarnation: count,
  }),
  'master.notLeading': notLeading,
  'master.beat': fc.record({
    type: fc.constant('master.beat'),
    epoch: count,
    slot: count,
    incarnation: count,
  }),
  'attempt.assign': fc.record(
    {
      type: fc.constant('attempt.assign'),
      epoch: count,
      incarnation: count,
      attempt,
      work: digest,
      maps: count,
      reduces: count,
      output: path,
      outputsVersion: count,
      skip: skipped,
    },
    {
      requiredKeys: [
        'type',
        'epoch',
        'incarnation',
        'attempt',
        'work',
        'maps',
        'reduces',
        'output',
        'outputsVersion',
      ],
    },
  ),
  'attempt.revoke': fc.record({
    type: fc.constant('attempt.revoke'),
    epoch: count,
    incarnation: count,
    attempt,
    reason: fc.constantFrom(
      'superseded',
      'timeout',
      'inputs-changed',
      'job-ended',
      'not-owner',
      'preempted',
      'draining',
    ),
  }),
  'attempt.answer': fc.record({
    type: fc.constant('attempt.answer'),
    epoch: count,
    incarnation: count,
    attempt,
    verdict: fc.constantFrom(
      'committed',
      'superseded',
      'dead',
      'not-owner',
      'inputs-changed',
      'job-ended',
      'given-back',
    ),
  }),
  'outputs.changed': fc.record({
    type: fc.constant('outputs.changed'),
    epoch: count,
    incarnation: count,
    job: positive,
    from: count,
    changes: fc.array(fc.record({ attempt, digest, holder: name }, { requiredKeys: ['attempt', 'digest'] })),
  }),
  'job.ended': fc.record({
    type: fc.constant('job.ended'),
    epoch: count,
    incarnation: count,
    job: positive,
  }),
};

export const clientMessages: Kinds<ClientMessage> = {
  'job.submit': fc.record({ type: fc.constant('job.submit'), requestId: name, spec, acceptedSlot: count }),
  'drain.request': fc.record({ type: fc.constant('drain.request'), requestId: name }),
};

export const answerMessages: Kinds<MasterToClient> = {
  'master.notLeading': notLeading,
  'job.status': fc.record(
    {
      type: fc.constant('job.status'),
      epoch: count,
      requestId: name,
      slot: count,
      job: positive,
      phase: fc.constantFrom('map', 'reduce', 'publishing', 'published', 'failed'),
      maps: phaseStatus,
      reduces: phaseStatus,
      workers: count,
      failures: fc.array(fc.record({ attempt, node: name, failure }), { maxLength: 8 }),
      draining: fc.boolean(),
      counters,
      failure: jobFailure,
    },
    {
      requiredKeys: [
        'type',
        'epoch',
        'requestId',
        'slot',
        'job',
        'phase',
        'maps',
        'reduces',
        'workers',
        'failures',
        'draining',
        'counters',
      ],
    },
  ),
  'job.refused': fc.record({
    type: fc.constant('job.refused'),
    epoch: count,
    requestId: name,
    slot: count,
    reason: fc.constantFrom('output-overlaps', 'limit', 'gone'),
    message: text,
  }),
};

/** Codecs of what several messages speak of; proto/rehearse/v1/records.proto. */
import type { AttemptId } from '../../core/ids.js';
import type { BrokenAttempt, FinishedAttempt, Progress, StarvedAttempt } from '../../core/messages.js';
import type {
  Counters,
  Failure,
  FailureKind,
  InvalidationReason,
  JobFailure,
  JobPolicy,
  JobSpec,
  Output,
} from '../../core/records.js';
import type { AttemptId__Output as WireAttemptId } from '../../proto/generated/rehearse/v1/AttemptId.js';
import type { AttemptPair__Output as WireAttemptPair } from '../../proto/generated/rehearse/v1/AttemptPair.js';
import type { BrokenAttempt__Output as WireBrokenAttempt } from '../../proto/generated/rehearse/v1/BrokenAttempt.js';
import type { Counter__Output as WireCounter } from '../../proto/generated/rehearse/v1/Counter.js';
import type { Failure__Output as WireFailure } from '../../proto/generated/rehearse/v1/Failure.js';
import type { FailureKind__Output as WireFailureKind } from '../../proto/generated/rehearse/v1/FailureKind.js';
import type { FinishedAttempt__Output as WireFinishedAttempt } from '../../proto/generated/rehearse/v1/FinishedAttempt.js';
import type { InvalidationReason__Output as WireInvalidationReason } from '../../proto/generated/rehearse/v1/InvalidationReason.js';
import type { JobFailure__Output as WireJobFailure } from '../../proto/generated/rehearse/v1/JobFailure.js';
import type { JobFailureReason__Output as WireJobFailureReason } from '../../proto/generated/rehearse/v1/JobFailureReason.js';
import type { JobPolicy__Output as WireJobPolicy } from '../../proto/generated/rehearse/v1/JobPolicy.js';
import type { JobSpec__Output as WireJobSpec } from '../../proto/generated/rehearse/v1/JobSpec.js';
import type { LateReports__Output as WireLateReports } from '../../proto/generated/rehearse/v1/LateReports.js';
import type { Output__Output as WireOutput } from '../../proto/generated/rehearse/v1/Output.js';
import type { Progress__Output as WireProgress } from '../../proto/generated/rehearse/v1/Progress.js';
import type { StarvedAttempt__Output as WireStarvedAttempt } from '../../proto/generated/rehearse/v1/StarvedAttempt.js';
import { count, digest, finite, list, path, required, text } from './check.js';
import { type Codec, checked, given, optional, words } from './codec-parts.js';

export const attempts: Codec<AttemptId, WireAttemptId> = {
  encode: ({ job, task, epoch, n }) => ({ job, task, epoch, n }),
  decode: (wire, field) => ({
    job: count(wire.job, `${field}.job`, 1),
    task: count(wire.task, `${field}.task`),
    epoch: count(wire.epoch, `${field}.epoch`, 1),
    n: count(wire.n, `${field}.n`, 1),
  }),
};

export function attempt(wire: WireAttemptId | null | undefined, field: string): AttemptId {
  return attempts.decode(required(wire, field), field);
}

export const outputs: Codec<Output, WireOutput> = {
  encode: ({ digest, bytes, records, inputs }) => ({ digest, bytes, records, inputs }),
  decode: (wire, field) => ({
    digest: digest(wire.digest, `${field}.digest`),
    bytes: count(wire.bytes, `${field}.bytes`),
    records: count(wire.records, `${field}.records`),
    inputs: wire.inputs === '' ? '' : digest(wire.inputs, `${field}.inputs`),
  }),
};

export const counters: Codec<Counters, WireCounter[]> = {
  encode: (values) => values.map(([name, value]) => ({ name, value })),
  decode: (wire, field) =>
    list(wire, field, (counter, at) => [
      path(counter.name, `${at}.name`),
      finite(counter.value, `${at}.value`),
    ]),
};

/** Records to leave out; a list without any is absent in the core. */
export const skips: Codec<readonly string[] | undefined, string[]> = {
  encode: (records) => [...(records ?? [])],
  decode: (wire, field) => {
    const records = list(wire, field, text);
    return records.length === 0 ? undefined : records;
  },
};

export const finishedAttempts: Codec<FinishedAttempt, WireFinishedAttempt> = {
  encode: (finished) => ({
    attempt: attempts.encode(finished.attempt),
    output: outputs.encode(finished.output),
    counters: counters.encode(finished.counters),
    skipped: skips.encode(finished.skipped),
  }),
  decode: (wire, field) => ({
    attempt: attempt(wire.attempt, `${field}.attempt`),
    output: outputs.decode(required(wire.output, `${field}.output`), `${field}.output`),
    counters: counters.decode(wire.counters, `${field}.counters`),
    ...optional('skipped', skips.decode(wire.skipped, `${field}.skipped`)),
  }),
};

export const starvedAttempts: Codec<StarvedAttempt, WireStarvedAttempt> = {
  encode: ({ attempt, source, reason }) => ({
    attempt: attempts.encode(attempt),
    source: attempts.encode(source),
    reason: invalidationReasons.encode(reason),
  }),
  decode: (wire, field) => ({
    attempt: attempt(wire.attempt, `${field}.attempt`),
    source: attempt(wire.source, `${field}.source`),
    reason: invalidationReasons.decode(wire.reason, `${field}.reason`),
  }),
};

export const brokenAttempts: Codec<BrokenAttempt, WireBrokenAttempt> = {
  encode: ({ attempt, failure }) => ({
    attempt: attempts.encode(attempt),
    failure: failures.encode(failure),
  }),
  decode: (wire, field) => ({
    attempt: attempt(wire.attempt, `${field}.attempt`),
    failure: failures.decode(required(wire.failure, `${field}.failure`), `${field}.failure`),
  }),
};

export const progresses: Codec<Progress, WireProgress> = {
  encode: ({ attempt, done, total, waiting }) => ({
    attempt: attempts.encode(attempt),
    done,
    total,
    waiting,
  }),
  decode: (wire, field) => ({
    attempt: attempt(wire.attempt, `${field}.attempt`),
    done: count(wire.done, `${field}.done`),
    total: count(wire.total, `${field}.total`),
    waiting: wire.waiting,
  }),
};

const failureKinds = words<FailureKind, WireFailureKind>({
  user: 'FAILURE_KIND_USER',
  data: 'FAILURE_KIND_DATA',
  timeout: 'FAILURE_KIND_TIMEOUT',
  memory: 'FAILURE_KIND_MEMORY',
  exit: 'FAILURE_KIND_EXIT',
  disk: 'FAILURE_KIND_DISK',
  'input-changed': 'FAILURE_KIND_INPUT_CHANGED',
  'worker-died': 'FAILURE_KIND_WORKER_DIED',
});

export const failures: Codec<Failure, WireFailure> = {
  encode: ({ kind, message, frame, input, offset, key, record }) => ({
    kind: failureKinds.encode(kind),
    message,
    ...optional('frame', frame),
    ...optional('input', input),
    ...optional('offset', offset),
    ...optional('key', key),
    ...optional('record', record),
  }),
  decode: (wire, field) => ({
    kind: failureKinds.decode(wire.kind, `${field}.kind`),
    message: text(wire.message, `${field}.message`),
    ...checked(wire, 'frame', text, field),
    ...checked(wire, 'input', text, field),
    ...checked(wire, 'offset', count, field),
    ...checked(wire, 'key', text, field),
    ...checked(wire, 'record', text, field),
  }),
};

export const invalidationReasons = words<InvalidationReason, WireInvalidationReason>({
  missing: 'INVALIDATION_REASON_MISSING',
  corrupt: 'INVALIDATION_REASON_CORRUPT',
  unreachable: 'INVALIDATION_REASON_UNREACHABLE',
  'holder-lost': 'INVALIDATION_REASON_HOLDER_LOST',
});

const lateReports = words<JobPolicy['lateReports'], WireLateReports>({
  'first-commit': 'LATE_REPORTS_FIRST_COMMIT',
  'owner-only': 'LATE_REPORTS_OWNER_ONLY',
});

const policies: Codec<JobPolicy, WireJobPolicy> = {
  encode: (policy) => ({
    lateReports: lateReports.encode(policy.lateReports),
    maxAttempts: policy.maxAttempts,
    taskTimeoutUs: policy.taskTimeoutUs,
    speculation: policy.speculation,
    speculationAgeMinUs: policy.speculationAgeMinUs,
    skipBadRecords: policy.skipBadRecords,
    slowstartPermille: policy.slowstartPermille,
  }),
  decode: (wire, field) => ({
    lateReports: lateReports.decode(wire.lateReports, `${field}.lateReports`),
    maxAttempts: count(wire.maxAttempts, `${field}.maxAttempts`, 1),
    taskTimeoutUs: count(wire.taskTimeoutUs, `${field}.taskTimeoutUs`),
    speculation: wire.speculation,
    speculationAgeMinUs: count(wire.speculationAgeMinUs, `${field}.speculationAgeMinUs`),
    skipBadRecords: wire.skipBadRecords,
    slowstartPermille: count(wire.slowstartPermille, `${field}.slowstartPermille`),
  }),
};

export const jobSpecs: Codec<JobSpec, WireJobSpec> = {
  encode: ({ name, work, maps, reduces, output, policy }) => ({
    name,
    work,
    maps,
    reduces,
    output,
    policy: policies.encode(policy),
  }),
  decode: (wire, field) => ({
    name: path(wire.name, `${field}.name`),
    work: digest(wire.work, `${field}.work`),
    maps: count(wire.maps, `${field}.maps`),
    reduces: count(wire.reduces, `${field}.reduces`),
    output: path(wire.output, `${field}.output`),
    policy: policies.decode(required(wire.policy, `${field}.policy`), `${field}.policy`),
  }),
};

const jobFailureReasons = words<JobFailure['reason'], WireJobFailureReason>({
  'task-failed': 'JOB_FAILURE_REASON_TASK_FAILED',
  'workers-died': 'JOB_FAILURE_REASON_WORKERS_DIED',
  nondeterministic: 'JOB_FAILURE_REASON_NONDETERMINISTIC',
  'input-changed': 'JOB_FAILURE_REASON_INPUT_CHANGED',
  disk: 'JOB_FAILURE_REASON_DISK',
  'publish-refused': 'JOB_FAILURE_REASON_PUBLISH_REFUSED',
});

const attemptPairs: Codec<readonly [AttemptId, AttemptId], WireAttemptPair> = {
  encode: ([first, second]) => ({ first: attempts.encode(first), second: attempts.encode(second) }),
  decode: (wire, field) => [attempt(wire.first, `${field}.first`), attempt(wire.second, `${field}.second`)],
};

export const jobFailures: Codec<JobFailure, WireJobFailure> = {
  encode: ({ reason, message, task, failure, attempts }) => ({
    reason: jobFailureReasons.encode(reason),
    message,
    ...optional('task', task),
    ...optional('failure', given(failure, failures.encode)),
    ...optional('attempts', given(attempts, attemptPairs.encode)),
  }),
  decode: (wire, field) => ({
    reason: jobFailureReasons.decode(wire.reason, `${field}.reason`),
    message: text(wire.message, `${field}.message`),
    ...checked(wire, 'task', count, field),
    ...checked(wire, 'failure', failures.decode, field),
    ...checked(wire, 'attempts', attemptPairs.decode, field),
  }),
};

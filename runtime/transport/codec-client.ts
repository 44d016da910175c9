/** Codecs of what clients and masters say to each other; proto/rehearse/v1/jobs.proto. */
import type {
  DrainRequest,
  JobPhase,
  JobRefused,
  JobStatus,
  JobSubmit,
  PhaseStatus,
} from '../../core/messages.js';
import type { AttemptFailure__Output as WireAttemptFailure } from '../../proto/generated/rehearse/v1/AttemptFailure.js';
import type { DrainRequest__Output as WireDrainRequest } from '../../proto/generated/rehearse/v1/DrainRequest.js';
import type { JobPhase__Output as WireJobPhase } from '../../proto/generated/rehearse/v1/JobPhase.js';
import type { JobRefused__Output as WireJobRefused } from '../../proto/generated/rehearse/v1/JobRefused.js';
import type { JobStatus__Output as WireJobStatus } from '../../proto/generated/rehearse/v1/JobStatus.js';
import type { JobSubmit__Output as WireJobSubmit } from '../../proto/generated/rehearse/v1/JobSubmit.js';
import type { PhaseStatus__Output as WirePhaseStatus } from '../../proto/generated/rehearse/v1/PhaseStatus.js';
import type { RefusalReason__Output as WireRefusalReason } from '../../proto/generated/rehearse/v1/RefusalReason.js';
import { count, list, name, required, text } from './check.js';
import { type Codec, checked, given, optional, words } from './codec-parts.js';
import { attempt, attempts, counters, failures, jobFailures, jobSpecs } from './codec-records.js';
import { jobCountersMax } from './limits.js';

export const jobSubmit: Codec<JobSubmit, WireJobSubmit> = {
  encode: ({ requestId, spec, acceptedSlot }) => ({ requestId, spec: jobSpecs.encode(spec), acceptedSlot }),
  decode: (wire, field) => ({
    type: 'job.submit',
    requestId: name(wire.requestId, `${field}.requestId`),
    spec: jobSpecs.decode(required(wire.spec, `${field}.spec`), `${field}.spec`),
    acceptedSlot: count(wire.acceptedSlot, `${field}.acceptedSlot`),
  }),
};

export const drainRequest: Codec<DrainRequest, WireDrainRequest> = {
  encode: ({ requestId }) => ({ requestId }),
  decode: (wire, field) => ({
    type: 'drain.request',
    requestId: name(wire.requestId, `${field}.requestId`),
  }),
};

const phases = words<JobPhase, WireJobPhase>({
  map: 'JOB_PHASE_MAP',
  reduce: 'JOB_PHASE_REDUCE',
  publishing: 'JOB_PHASE_PUBLISHING',
  published: 'JOB_PHASE_PUBLISHED',
  failed: 'JOB_PHASE_FAILED',
});

const phaseStatuses: Codec<PhaseStatus, WirePhaseStatus> = {
  encode: ({ total, done, running, attempts, failed, stale, speculative, invalidated }) => ({
    total,
    done,
    running,
    attempts,
    failed,
    stale,
    speculative,
    invalidated,
  }),
  decode: (wire, field) => ({
    total: count(wire.total, `${field}.total`),
    done: count(wire.done, `${field}.done`),
    running: count(wire.running, `${field}.running`),
    attempts: count(wire.attempts, `${field}.attempts`),
    failed: count(wire.failed, `${field}.failed`),
    stale: count(wire.stale, `${field}.stale`),
    speculative: count(wire.speculative, `${field}.speculative`),
    invalidated: count(wire.invalidated, `${field}.invalidated`),
  }),
};

type AttemptFailure = JobStatus['failures'][number];

const attemptFailures: Codec<AttemptFailure, WireAttemptFailure> = {
  encode: ({ attempt, node, failure }) => ({
    attempt: attempts.encode(attempt),
    node,
    failure: failures.encode(failure),
  }),
  decode: (wire, field) => ({
    attempt: attempt(wire.attempt, `${field}.attempt`),
    node: name(wire.node, `${field}.node`),
    failure: failures.decode(required(wire.failure, `${field}.failure`), `${field}.failure`),
  }),
};

export const jobStatus: Codec<JobStatus, WireJobStatus> = {
  encode: (message) => ({
    epoch: message.epoch,
    requestId: message.requestId,
    slot: message.slot,
    job: message.job,
    phase: phases.encode(message.phase),
    maps: phaseStatuses.encode(message.maps),
    reduces: phaseStatuses.encode(message.reduces),
    workers: message.workers,
    failures: message.failures.map(attemptFailures.encode),
    draining: message.draining,
    // A job with more is not published, and is told why instead.
    counters: message.counters.length > jobCountersMax ? [] : counters.encode(message.counters),
    ...optional('failure', given(message.failure, jobFailures.encode)),
  }),
  decode: (wire, field) => ({
    type: 'job.status',
    epoch: count(wire.epoch, `${field}.epoch`),
    requestId: name(wire.requestId, `${field}.requestId`),
    slot: count(wire.slot, `${field}.slot`),
    job: count(wire.job, `${field}.job`, 1),
    phase: phases.decode(wire.phase, `${field}.phase`),
    maps: phaseStatuses.decode(required(wire.maps, `${field}.maps`), `${field}.maps`),
    reduces: phaseStatuses.decode(required(wire.reduces, `${field}.reduces`), `${field}.reduces`),
    workers: count(wire.workers, `${field}.workers`),
    failures: list(wire.failures, `${field}.failures`, attemptFailures.decode),
    draining: wire.draining,
    counters: counters.decode(wire.counters, `${field}.counters`),
    ...checked(wire, 'failure', jobFailures.decode, field),
  }),
};

const refusalReasons = words<JobRefused['reason'], WireRefusalReason>({
  'output-overlaps': 'REFUSAL_REASON_OUTPUT_OVERLAPS',
  limit: 'REFUSAL_REASON_LIMIT',
  gone: 'REFUSAL_REASON_GONE',
});

export const jobRefused: Codec<JobRefused, WireJobRefused> = {
  encode: ({ epoch, requestId, slot, reason, message }) => ({
    epoch,
    requestId,
    slot,
    reason: refusalReasons.encode(reason),
    message,
  }),
  decode: (wire, field) => ({
    type: 'job.refused',
    epoch: count(wire.epoch, `${field}.epoch`),
    requestId: name(wire.requestId, `${field}.requestId`),
    slot: count(wire.slot, `${field}.slot`),
    reason: refusalReasons.decode(wire.reason, `${field}.reason`),
    message: text(wire.message, `${field}.message`),
  }),
};

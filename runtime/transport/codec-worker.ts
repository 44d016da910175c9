/** Codecs of what workers and masters say to each other; proto/rehearse/v1/cluster.proto. */
import type {
  AttemptAnswer,
  AttemptAssign,
  AttemptCompleted,
  AttemptEnded,
  AttemptRevoke,
  InputUnreadable,
  JobEnded,
  MasterBeat,
  MasterNotLeading,
  MasterWelcome,
  OutputChange,
  OutputsChanged,
  RevokeReason,
  Verdict,
  WorkerBeat,
  WorkerHello,
} from '../../core/messages.js';
import type { AttemptAnswer__Output as WireAttemptAnswer } from '../../proto/generated/rehearse/v1/AttemptAnswer.js';
import type { AttemptAssign__Output as WireAttemptAssign } from '../../proto/generated/rehearse/v1/AttemptAssign.js';
import type { AttemptCompleted__Output as WireAttemptCompleted } from '../../proto/generated/rehearse/v1/AttemptCompleted.js';
import type { AttemptEnded__Output as WireAttemptEnded } from '../../proto/generated/rehearse/v1/AttemptEnded.js';
import type { AttemptRevoke__Output as WireAttemptRevoke } from '../../proto/generated/rehearse/v1/AttemptRevoke.js';
import type { InputUnreadable__Output as WireInputUnreadable } from '../../proto/generated/rehearse/v1/InputUnreadable.js';
import type { JobEnded__Output as WireJobEnded } from '../../proto/generated/rehearse/v1/JobEnded.js';
import type { LifeEnd__Output as WireLifeEnd } from '../../proto/generated/rehearse/v1/LifeEnd.js';
import type { MasterBeat__Output as WireMasterBeat } from '../../proto/generated/rehearse/v1/MasterBeat.js';
import type { MasterNotLeading__Output as WireMasterNotLeading } from '../../proto/generated/rehearse/v1/MasterNotLeading.js';
import type { MasterWelcome__Output as WireMasterWelcome } from '../../proto/generated/rehearse/v1/MasterWelcome.js';
import type { OutputChange__Output as WireOutputChange } from '../../proto/generated/rehearse/v1/OutputChange.js';
import type { OutputsChanged__Output as WireOutputsChanged } from '../../proto/generated/rehearse/v1/OutputsChanged.js';
import type { PreviousLife__Output as WirePreviousLife } from '../../proto/generated/rehearse/v1/PreviousLife.js';
import type { RevokeReason__Output as WireRevokeReason } from '../../proto/generated/rehearse/v1/RevokeReason.js';
import type { Verdict__Output as WireVerdict } from '../../proto/generated/rehearse/v1/Verdict.js';
import type { WorkerBeat__Output as WireWorkerBeat } from '../../proto/generated/rehearse/v1/WorkerBeat.js';
import type { WorkerHello__Output as WireWorkerHello } from '../../proto/generated/rehearse/v1/WorkerHello.js';
import { count, digest, list, name, path, required } from './check.js';
import { type Codec, checked, given, optional, words } from './codec-parts.js';
import {
  attempt,
  attempts,
  brokenAttempts,
  counters,
  failures,
  finishedAttempts,
  invalidationReasons,
  outputs,
  progresses,
  skips,
  starvedAttempts,
} from './codec-records.js';

type PreviousLife = NonNullable<WorkerHello['previous']>;

const lifeEnds = words<PreviousLife['end'], WireLifeEnd>({
  crashed: 'LIFE_END_CRASHED',
  killed: 'LIFE_END_KILLED',
});

const previousLives: Codec<PreviousLife, WirePreviousLife> = {
  encode: ({ incarnation, end }) => ({ incarnation, end: lifeEnds.encode(end) }),
  decode: (wire, field) => ({
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    end: lifeEnds.decode(wire.end, `${field}.end`),
  }),
};

export const workerHello: Codec<WorkerHello, WireWorkerHello> = {
  encode: (message) => ({
    incarnation: message.incarnation,
    slots: message.slots,
    credit: message.credit,
    epochSeen: message.epochSeen,
    slotSeen: message.slotSeen,
    running: message.running.map(attempts.encode),
    finished: message.finished.map(finishedAttempts.encode),
    starved: message.starved.map(starvedAttempts.encode),
    broken: message.broken.map(brokenAttempts.encode),
    jobs: message.jobs.map((job) => ({ job })),
    ...optional('previous', given(message.previous, previousLives.encode)),
  }),
  decode: (wire, field) => ({
    type: 'worker.hello',
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    slots: count(wire.slots, `${field}.slots`),
    credit: count(wire.credit, `${field}.credit`),
    epochSeen: count(wire.epochSeen, `${field}.epochSeen`),
    slotSeen: count(wire.slotSeen, `${field}.slotSeen`),
    running: list(wire.running, `${field}.running`, attempts.decode),
    finished: list(wire.finished, `${field}.finished`, finishedAttempts.decode),
    starved: list(wire.starved, `${field}.starved`, starvedAttempts.decode),
    broken: list(wire.broken, `${field}.broken`, brokenAttempts.decode),
    jobs: list(wire.jobs, `${field}.jobs`, ({ job }, place) => count(job, `${place}.job`)),
    ...checked(wire, 'previous', previousLives.decode, field),
  }),
};

export const workerBeat: Codec<WorkerBeat, WireWorkerBeat> = {
  encode: ({ incarnation, credit, progress }) => ({
    incarnation,
    credit,
    progress: progress.map(progresses.encode),
  }),
  decode: (wire, field) => ({
    type: 'worker.beat',
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    credit: count(wire.credit, `${field}.credit`),
    progress: list(wire.progress, `${field}.progress`, progresses.decode),
  }),
};

export const attemptCompleted: Codec<AttemptCompleted, WireAttemptCompleted> = {
  encode: (message) => ({
    incarnation: message.incarnation,
    credit: message.credit,
    attempt: attempts.encode(message.attempt),
    output: outputs.encode(message.output),
    counters: counters.encode(message.counters),
    skipped: skips.encode(message.skipped),
  }),
  decode: (wire, field) => ({
    type: 'attempt.completed',
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    credit: count(wire.credit, `${field}.credit`),
    attempt: attempt(wire.attempt, `${field}.attempt`),
    output: outputs.decode(required(wire.output, `${field}.output`), `${field}.output`),
    counters: counters.decode(wire.counters, `${field}.counters`),
    ...optional('skipped', skips.decode(wire.skipped, `${field}.skipped`)),
  }),
};

export const attemptEnded: Codec<AttemptEnded, WireAttemptEnded> = {
  encode: ({ incarnation, credit, attempt, failure }) => ({
    incarnation,
    credit,
    attempt: attempts.encode(attempt),
    ...optional('failure', given(failure, failures.encode)),
  }),
  decode: (wire, field) => ({
    type: 'attempt.ended',
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    credit: count(wire.credit, `${field}.credit`),
    attempt: attempt(wire.attempt, `${field}.attempt`),
    ...checked(wire, 'failure', failures.decode, field),
  }),
};

export const inputUnreadable: Codec<InputUnreadable, WireInputUnreadable> = {
  encode: ({ incarnation, credit, attempt, source, reason }) => ({
    incarnation,
    credit,
    attempt: attempts.encode(attempt),
    source: attempts.encode(source),
    reason: invalidationReasons.encode(reason),
  }),
  decode: (wire, field) => ({
    type: 'input.unreadable',
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    credit: count(wire.credit, `${field}.credit`),
    attempt: attempt(wire.attempt, `${field}.attempt`),
    source: attempt(wire.source, `${field}.source`),
    reason: invalidationReasons.decode(wire.reason, `${field}.reason`),
  }),
};

export const masterWelcome: Codec<MasterWelcome, WireMasterWelcome> = {
  encode: ({ epoch, slot, incarnation }) => ({ epoch, slot, incarnation }),
  decode: (wire, field) => ({
    type: 'master.welcome',
    epoch: count(wire.epoch, `${field}.epoch`),
    slot: count(wire.slot, `${field}.slot`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
  }),
};

export const masterNotLeading: Codec<MasterNotLeading, WireMasterNotLeading> = {
  encode: ({ epoch, leader }) => ({ epoch, ...optional('leader', leader) }),
  decode: (wire, field) => ({
    type: 'master.notLeading',
    epoch: count(wire.epoch, `${field}.epoch`),
    ...checked(wire, 'leader', name, field),
  }),
};

export const masterBeat: Codec<MasterBeat, WireMasterBeat> = {
  encode: ({ epoch, slot, incarnation }) => ({ epoch, slot, incarnation }),
  decode: (wire, field) => ({
    type: 'master.beat',
    epoch: count(wire.epoch, `${field}.epoch`),
    slot: count(wire.slot, `${field}.slot`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
  }),
};

export const attemptAssign: Codec<AttemptAssign, WireAttemptAssign> = {
  encode: (message) => ({
    epoch: message.epoch,
    incarnation: message.incarnation,
    attempt: attempts.encode(message.attempt),
    work: message.work,
    maps: message.maps,
    reduces: message.reduces,
    output: message.output,
    outputsVersion: message.outputsVersion,
    skip: skips.encode(message.skip),
  }),
  decode: (wire, field) => ({
    type: 'attempt.assign',
    epoch: count(wire.epoch, `${field}.epoch`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    attempt: attempt(wire.attempt, `${field}.attempt`),
    work: digest(wire.work, `${field}.work`),
    maps: count(wire.maps, `${field}.maps`),
    reduces: count(wire.reduces, `${field}.reduces`),
    output: path(wire.output, `${field}.output`),
    outputsVersion: count(wire.outputsVersion, `${field}.outputsVersion`),
    ...optional('skip', skips.decode(wire.skip, `${field}.skip`)),
  }),
};

const revokeReasons = words<RevokeReason, WireRevokeReason>({
  superseded: 'REVOKE_REASON_SUPERSEDED',
  timeout: 'REVOKE_REASON_TIMEOUT',
  'inputs-changed': 'REVOKE_REASON_INPUTS_CHANGED',
  'job-ended': 'REVOKE_REASON_JOB_ENDED',
  'not-owner': 'REVOKE_REASON_NOT_OWNER',
  preempted: 'REVOKE_REASON_PREEMPTED',
  draining: 'REVOKE_REASON_DRAINING',
});

export const attemptRevoke: Codec<AttemptRevoke, WireAttemptRevoke> = {
  encode: ({ epoch, incarnation, attempt, reason }) => ({
    epoch,
    incarnation,
    attempt: attempts.encode(attempt),
    reason: revokeReasons.encode(reason),
  }),
  decode: (wire, field) => ({
    type: 'attempt.revoke',
    epoch: count(wire.epoch, `${field}.epoch`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    attempt: attempt(wire.attempt, `${field}.attempt`),
    reason: revokeReasons.decode(wire.reason, `${field}.reason`),
  }),
};

const verdicts = words<Verdict, WireVerdict>({
  committed: 'VERDICT_COMMITTED',
  superseded: 'VERDICT_SUPERSEDED',
  dead: 'VERDICT_DEAD',
  'not-owner': 'VERDICT_NOT_OWNER',
  'inputs-changed': 'VERDICT_INPUTS_CHANGED',
  'job-ended': 'VERDICT_JOB_ENDED',
  'given-back': 'VERDICT_GIVEN_BACK',
});

export const attemptAnswer: Codec<AttemptAnswer, WireAttemptAnswer> = {
  encode: ({ epoch, incarnation, attempt, verdict }) => ({
    epoch,
    incarnation,
    attempt: attempts.encode(attempt),
    verdict: verdicts.encode(verdict),
  }),
  decode: (wire, field) => ({
    type: 'attempt.answer',
    epoch: count(wire.epoch, `${field}.epoch`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    attempt: attempt(wire.attempt, `${field}.attempt`),
    verdict: verdicts.decode(wire.verdict, `${field}.verdict`),
  }),
};

const outputChanges: Codec<OutputChange, WireOutputChange> = {
  encode: ({ attempt, digest, holder }) => ({
    attempt: attempts.encode(attempt),
    digest,
    ...optional('holder', holder),
  }),
  decode: (wire, field) => ({
    attempt: attempt(wire.attempt, `${field}.attempt`),
    digest: digest(wire.digest, `${field}.digest`),
    ...checked(wire, 'holder', name, field),
  }),
};

export const outputsChanged: Codec<OutputsChanged, WireOutputsChanged> = {
  encode: ({ epoch, incarnation, job, from, changes }) => ({
    epoch,
    incarnation,
    job,
    from,
    changes: changes.map(outputChanges.encode),
  }),
  decode: (wire, field) => ({
    type: 'outputs.changed',
    epoch: count(wire.epoch, `${field}.epoch`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    job: count(wire.job, `${field}.job`, 1),
    from: count(wire.from, `${field}.from`),
    changes: list(wire.changes, `${field}.changes`, outputChanges.decode),
  }),
};

export const jobEnded: Codec<JobEnded, WireJobEnded> = {
  encode: ({ epoch, incarnation, job }) => ({ epoch, incarnation, job }),
  decode: (wire, field) => ({
    type: 'job.ended',
    epoch: count(wire.epoch, `${field}.epoch`),
    incarnation: count(wire.incarnation, `${field}.incarnation`),
    job: count(wire.job, `${field}.job`, 1),
  }),
};

/**
 * The rules of the world, on the parts of the explored one. What a machine claims is held against the journal or the files
 * at the moment it says so; each comparison is made once. The numbers are those of ARCHITECTURE.md; what a store keeps by
 * construction here (C1, C2), what needs the real publishing (C7, C8) and what needs time (C13) is not looked at.
 */
import { stateDigest } from '../../../core/canonical.js';
import { type DurableState, findJob } from '../../../core/durable/state.js';
import type { Effect, OutputPublish } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { type AttemptId, attemptKey, sameAttempt } from '../../../core/ids.js';
import { InvariantError } from '../../../core/invariant-error.js';
import type { MasterState } from '../../../core/master/state.js';
import type { JobStatus, Message } from '../../../core/messages.js';
import type { JournalEntry, JournalRecord } from '../../../core/records.js';
import type { WorkerState } from '../../../core/worker/state.js';
import { worldInvariants } from '../../checkers/violation.js';
import { findFile, type Shelf } from './labour.js';
import type { Local } from './locals.js';
import type { Journals } from './store.js';

/** What somebody says of the world, judged when it is said. */
export type Claim =
  /** By a worker, of its own work. */
  | { readonly kind: 'made'; readonly attempt: AttemptId; readonly digest: string; readonly life: string }
  /** By a master. */
  | { readonly kind: 'committed'; readonly attempt: AttemptId }
  | { readonly kind: 'phase'; readonly job: number; readonly phase: JobStatus['phase'] }
  | { readonly kind: 'publish'; readonly effect: OutputPublish }
  /** To the user. */
  | { readonly kind: 'answer'; readonly status: JobStatus };

export function claimsOf(local: Local, effects: readonly Effect[]): Claim[] {
  const claims: Claim[] = [];
  for (const effect of effects) {
    if (effect.type === 'output.publish') claims.push({ kind: 'publish', effect });
    else if (effect.type === 'job.conclude' && effect.status?.phase === 'published') {
      claims.push({ kind: 'answer', status: effect.status });
    } else if (effect.type === 'message.send') claims.push(...claimsIn(local, effect.message));
  }
  return claims;
}

function claimsIn({ node, incarnation }: Local, message: Message): Claim[] {
  const life = `${node}/${incarnation}`;
  switch (message.type) {
    case 'attempt.completed':
      return [{ kind: 'made', attempt: message.attempt, digest: message.output.digest, life }];
    case 'worker.hello':
      return message.finished.map(({ attempt, output }) => ({
        kind: 'made',
        attempt,
        digest: output.digest,
        life,
      }));
    case 'attempt.answer':
      return message.verdict === 'committed' ? [{ kind: 'committed', attempt: message.attempt }] : [];
    case 'job.status':
      return [{ kind: 'phase', job: message.job, phase: message.phase }];
    default:
      return [];
  }
}

/** Undefined when the claim is true. */
export function judgeClaim(claim: Claim, durable: DurableState, shelf: Shelf): string | undefined {
  switch (claim.kind) {
    case 'made': {
      const file = findFile(shelf, claim.attempt);
      const key = attemptKey(claim.attempt);
      // Files of an attempt that was answered are gone, and nobody speaks of it any more.
      if (!file || `${file.node}/${file.incarnation}` !== claim.life) {
        return broken('C11', `${claim.life} speaks of attempt ${key}, which it did not make`);
      }
      return file.digest === claim.digest
        ? undefined
        : broken('C11', `${claim.life} misreports attempt ${key}`);
    }
    case 'committed': {
      const commit = findJob(durable, claim.attempt.job)?.commits[claim.attempt.task];
      if (commit && sameAttempt(commit.attempt, claim.attempt)) return undefined;
      return broken('C14', `attempt ${attemptKey(claim.attempt)} is called committed, and is not`);
    }
    case 'phase': {
      const phase = findJob(durable, claim.job)?.phase;
      const ended = claim.phase === 'published' || claim.phase === 'failed';
      if (phase !== undefined && (!ended || phase === claim.phase)) return undefined;
      return broken('C14', `job ${claim.job} is called ${claim.phase}, and is ${phase ?? 'unknown'}`);
    }
    case 'publish':
      return judgePublish(claim.effect, durable);
    case 'answer':
      return judgeAnswer(claim.status, durable, shelf);
  }
}

function judgePublish(effect: OutputPublish, durable: DurableState): string | undefined {
  const job = findJob(durable, effect.job);
  if (job?.phase !== 'publishing' && job?.phase !== 'published') {
    return broken('C15', `job ${effect.job} is ${job?.phase ?? 'unknown'} and is to be published`);
  }
  const reduces = job.commits.slice(job.spec.maps);
  const same = effect.parts.every(({ attempt }, part) => {
    const commit = reduces[part];
    return commit !== undefined && sameAttempt(commit.attempt, attempt);
  });
  if (same && effect.parts.length === reduces.length) return undefined;
  return broken('C15', `job ${effect.job} is to be published with parts that are not its commits`);
}

/** Every task counts once, whoever ran it how often. */
function judgeAnswer(status: JobStatus, durable: DurableState, shelf: Shelf): string | undefined {
  const { maps, reduces } = findJob(durable, status.job)!.spec;
  const [, tasks] = status.counters.find(([name]) => name === 'tasks') ?? ['', 0];
  if (tasks !== maps + reduces)
    return broken('C6', `the user is told of ${tasks} tasks, not ${maps + reduces}`);
  if (shelf.visible === null) return broken('C6', 'the user is told of an output that is not there');
  return undefined;
}

/** What becomes durable, held against the journal before it and the files. */
export function judgeEntry(entry: JournalEntry, before: DurableState, shelf: Shelf): string | undefined {
  const [first] = entry.records;
  const writer = entry.nonce.split('/').slice(0, 2).join('/');
  if (first?.type === 'leader.began') {
    if (first.epoch !== before.epoch + 1) return broken('C3', `epoch ${first.epoch} follows ${before.epoch}`);
  } else if (!before.leader || `${before.leader.node}/${before.leader.incarnation}` !== writer) {
    return broken(
      'C3',
      `${writer} wrote slot ${entry.slot} in the epoch of ${before.leader?.node ?? 'nobody'}`,
    );
  }
  for (const record of entry.records) {
    const problem = judgeRecord(record, before, shelf);
    if (problem) return problem;
  }
  return undefined;
}

function judgeRecord(record: JournalRecord, before: DurableState, shelf: Shelf): string | undefined {
  if (record.type !== 'task.committed') return undefined;
  const { attempt, output } = record;
  const key = attemptKey(attempt);
  const file = findFile(shelf, attempt);
  if (!file) return broken('C4', `attempt ${key} is committed and has no file`);
  if (file.digest !== output.digest) return broken('C4', `attempt ${key} is committed with another digest`);
  const job = findJob(before, attempt.job);
  for (const commit of job?.commits.slice(job.spec.maps) ?? []) {
    const other = commit ? findFile(shelf, commit.attempt) : undefined;
    if (other && file.read.length > 0 && other.read.some((digest, map) => digest !== file.read[map])) {
      return broken('C5', `attempt ${key} has read other maps than ${other.key}`);
    }
  }
  return undefined;
}

/** The file of every valid commit is there as long as the job needs it. */
export function judgeFiles(durable: DurableState, shelf: Shelf): string | undefined {
  for (const job of durable.jobs) {
    if (job.phase !== 'open' && job.phase !== 'publishing') continue;
    for (const commit of job.commits) {
      if (!commit?.valid || findFile(shelf, commit.attempt)) continue;
      return broken('C4', `the file of committed attempt ${attemptKey(commit.attempt)} is not there`);
    }
  }
  return undefined;
}

/** What a worker must not do with a word that is not for it. */
export function judgeObedience(
  local: Local,
  event: MachineEvent,
  effects: readonly Effect[],
): string | undefined {
  if (local.role !== 'worker' || event.type !== 'message.received') return undefined;
  const { message } = event;
  if (!('incarnation' in message) || !('epoch' in message)) return undefined;
  const obeys = effects.find(({ type }) => type !== 'decide' && !type.startsWith('peer.'));
  if (!obeys) return undefined;
  const heard = (local.state as WorkerState).epochSeen;
  if (message.epoch < heard) {
    return broken(
      'C12',
      `${local.node} answered epoch ${message.epoch} with ${obeys.type}, after epoch ${heard}`,
    );
  }
  if (message.incarnation !== local.incarnation) {
    return broken('C12', `${local.node} obeyed an order for its life ${message.incarnation}`);
  }
  return undefined;
}

/** Here no store ever goes back in time: whoever thinks so has misread it. */
export function judgeBelief(local: Local, effects: readonly Effect[]): string | undefined {
  const wrong = effects.some((effect) => effect.type === 'decide' && effect.decision === 'store-went-back');
  return wrong ? broken('C2', `${local.node} says that the store went back, and it did not`) : undefined;
}

/** A master's durable state is what folding the journal up to its slot gives. */
export function judgeMemory(local: Local, journal: number, journals: Journals): string | undefined {
  const { durable } = local.state as MasterState;
  if (durable.slot > journals.length(journal)) {
    return broken(
      'C2',
      `${local.node} knows slot ${durable.slot} of a journal of ${journals.length(journal)}`,
    );
  }
  const folded = journals.fold(journals.upTo(journal, durable.slot));
  if (folded instanceof InvariantError) return folded.message;
  if (stateDigest(durable) === stateDigest(folded)) return undefined;
  return broken('C10', `${local.node} holds another state at slot ${durable.slot}`);
}

function broken(rule: keyof typeof worldInvariants, detail: string): string {
  return `${rule}: ${worldInvariants[rule]}; but ${detail}`;
}

/**
 * What is performed when a machine asks for it: its effects as changes of the parts. Nothing comes about here; what comes
 * of it later are steps of their own.
 */
import type { Effect } from '../../../core/effects.js';
import { attemptKey } from '../../../core/ids.js';
import type { JournalEntry } from '../../../core/records.js';
import type { BenchChange } from './labour.js';
import type { Local } from './locals.js';
import type { Parts } from './parts.js';

/** Pairs of a place in the vector and the number of a change of what stands there, in the order of the effects. */
export function performed(parts: Parts, by: Local, effects: readonly Effect[]): number[] {
  return effects.flatMap((effect) => changesOf(parts, by, effect));
}

function changesOf(parts: Parts, by: Local, effect: Effect): readonly number[] {
  const { at, claims, desks, journals, lease, shelf } = parts;
  const node = parts.node(by.node);
  const worker = node - at.masters;
  switch (effect.type) {
    case 'message.send':
    case 'peer.connect':
    case 'peer.disconnect':
      return node < at.masters ? onMasterSide(parts, node, effect) : onDialerSide(parts, worker, effect);
    case 'lease.campaign':
      return [at.lease, lease.changes.numberOf({ kind: 'campaign', master: node })];
    case 'lease.resign':
      return [at.lease, lease.changes.numberOf({ kind: 'resign', master: node })];
    case 'journal.append': {
      const { slot, nonce, after, records } = effect;
      const entry: JournalEntry = { slot, nonce, after, records };
      const number = journals.entries.numberOf(entry);
      return [at.desks + node, desks.changes.numberOf({ kind: 'append', entry: number })];
    }
    case 'journal.read':
      return [at.desks + node, desks.changes.numberOf({ kind: 'read', from: effect.from })];
    case 'output.publish': {
      const request = claims.numberOf({ kind: 'publish', effect });
      return [at.desks + node, desks.changes.numberOf({ kind: 'publish', request })];
    }
    case 'attempt.run': {
      const { attempt, maps } = effect;
      const { node: name, incarnation } = by;
      const begin = shelf.changes.numberOf({ kind: 'begin', key: attemptKey(attempt) });
      const run = onBench(parts, worker, { kind: 'run', attempt, node: name, incarnation, maps });
      return [...run, at.shelf, begin];
    }
    case 'attempt.abort':
      return onBench(parts, worker, { kind: 'stop', attempt: effect.attempt });
    case 'outputs.learn': {
      const { job, from, changes } = effect;
      return onBench(parts, worker, { kind: 'learn', job, from, changes });
    }
    case 'output.discard':
      return [at.shelf, shelf.changes.numberOf({ kind: 'discard', key: attemptKey(effect.attempt) })];
    case 'job.discard': {
      const { job } = effect;
      const discard = shelf.changes.numberOf({ kind: 'discard-job', job, node: by.node });
      return [...onBench(parts, worker, { kind: 'forget', job }), at.shelf, discard];
    }
    case 'decide':
    case 'journal.trim':
    case 'job.report':
    case 'job.conclude':
    case 'drain.conclude':
      return [];
  }
}

function onBench({ at, benches }: Parts, worker: number, change: BenchChange): readonly number[] {
  return [at.benches + worker, benches.changes.numberOf(change)];
}

/** Whoever speaks through a session, or begins or ends one. */
type Word = Effect & { type: 'message.send' | 'peer.connect' | 'peer.disconnect' };

function onMasterSide(parts: Parts, master: number, effect: Word): readonly number[] {
  const { at, messages } = parts;
  const { changes } = parts.wires;
  const peer = effect.type === 'message.send' ? effect.to : effect.peer;
  const place = at.wires + parts.node(peer) - at.masters;
  const side = { master, accepted: effect.session };
  if (effect.type !== 'message.send') return [place, changes.numberOf({ kind: 'turn-away', ...side })];
  const message = messages.numberOf(effect.message);
  return [place, changes.numberOf({ kind: 'answer', ...side, message })];
}

function onDialerSide(parts: Parts, dialer: number, effect: Word): readonly number[] {
  const { changes } = parts.wires;
  const place = parts.at.wires + dialer;
  const { session: number } = effect;
  switch (effect.type) {
    case 'message.send': {
      const message = parts.messages.numberOf(effect.message);
      return [place, changes.numberOf({ kind: 'say', number, message })];
    }
    case 'peer.connect':
      return [place, changes.numberOf({ kind: 'dial', number, master: parts.node(effect.peer) })];
    case 'peer.disconnect':
      return [place, changes.numberOf({ kind: 'hang-up', number })];
  }
}

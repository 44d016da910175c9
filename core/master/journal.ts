/**
 * The master's side of the journal: intents become batches, batches become slots, slots become state.
 *
 * Rules: at most one append is under way. A batch is frozen, nonce and all, until its fate is known, even if the master
 * stops leading meanwhile. What is applied is what the store returned, never what was sent.
 */
import { arm, armedAt, clear } from '../deadlines.js';
import { applyEntry } from '../durable/apply.js';
import { invariant } from '../invariant-error.js';
import type { JournalEntry, JournalRecord } from '../records.js';
import { type Intent, judge, scopeOf } from './intents.js';
import type { MasterState, Turn } from './state.js';

/** What the rest of the master does once a record is durable, or an intent was dropped. */
export interface JournalListener {
  applied(state: MasterState, turn: Turn, record: JournalRecord): void;
  dropped(state: MasterState, turn: Turn, intent: Intent, reason: string): void;
  /** Somebody else's record is in the slot that this master wanted. */
  overtaken(state: MasterState, turn: Turn): void;
}

export function propose(state: MasterState, intent: Intent): void {
  state.journal.intents.push(intent);
}

/** Asks for what the journal holds beyond the applied state, unless an answer is under way. */
export function readOn(state: MasterState, turn: Turn): void {
  if (state.journal.reading) return;
  state.journal.reading = true;
  turn.out.push({ type: 'journal.read', from: state.durable.slot + 1 });
}

/** Like `readOn`, but sees everything that is in the journal now: a read under way may have begun too early. */
export function readFresh(state: MasterState, turn: Turn): void {
  if (state.journal.reading) state.journal.readAgain = true;
  else readOn(state, turn);
}

/** Forms and sends the next batch, when nothing is pending. Called at the end of every step. */
export function pump(state: MasterState, turn: Turn, listener: JournalListener): void {
  const { journal, config } = state;
  if (journal.pending || journal.intents.length === 0) return;
  const records: JournalRecord[] = [];
  const waiting: Intent[] = [];
  const things = new Set<string>();
  const jobs = new Map<number, 'shared' | 'alone'>();
  let bytes = 0;
  const offered = journal.intents;
  journal.intents = [];
  for (const intent of offered) {
    const { thing, job, alone } = scopeOf(state.durable, intent);
    const taken = jobs.get(job);
    const full = records.length >= config.batchRecordsMax || bytes >= config.batchBytesMax;
    if (full || things.has(thing) || taken === 'alone' || (alone && taken === 'shared')) {
      waiting.push(intent);
      continue;
    }
    const judgement = judge(state.durable, intent, config);
    if ('dropped' in judgement) {
      turn.out.push({
        type: 'decide',
        decision: 'intent-dropped',
        facts: { intent: intent.type, reason: judgement.dropped },
      });
      listener.dropped(state, turn, intent, judgement.dropped);
      continue;
    }
    things.add(thing);
    jobs.set(job, alone ? 'alone' : 'shared');
    records.push(judgement.record);
    bytes += sizeOf(judgement.record);
  }
  // Handling a drop may have proposed more: it queues behind what waits.
  journal.intents = [...waiting, ...journal.intents];
  if (records.length === 0) return;
  journal.appends++;
  const pending = {
    slot: state.durable.slot + 1,
    nonce: `${state.life.node}/${state.life.incarnation}/${journal.appends}`,
    records,
    inFlight: true,
  };
  journal.pending = pending;
  turn.out.push({ type: 'journal.append', slot: pending.slot, nonce: pending.nonce, records });
}

/** Bytes a record takes in a batch, roughly and from above: texts dominate. */
function sizeOf(record: JournalRecord): number {
  switch (record.type) {
    case 'job.accepted':
      return 512 + 4 * (record.spec.name.length + record.spec.output.length);
    case 'task.committed':
      return 400 + record.counters.reduce((sum, [name]) => sum + 2 * name.length + 24, 0);
    case 'attempt.failed':
      return 1024 + 2 * record.failure.message.length;
    case 'job.failed':
      return 2048 + 2 * record.failure.message.length;
    default:
      return 256;
  }
}

export function onAppended(
  state: MasterState,
  turn: Turn,
  entry: JournalEntry,
  listener: JournalListener,
): void {
  const pending = state.journal.pending;
  if (!pending || entry.slot <= state.durable.slot) return; // read meanwhile
  invariant(
    entry.nonce === pending.nonce,
    'M4',
    `slot ${entry.slot} acknowledged with another nonce than ours`,
  );
  takeIn(state, turn, entry, listener);
}

export function onTaken(
  state: MasterState,
  turn: Turn,
  slot: number,
  entry: JournalEntry | undefined,
  listener: JournalListener,
): void {
  const { pending } = state.journal;
  if (!pending || pending.slot !== slot) return;
  if (!entry || entry.slot !== state.durable.slot + 1) {
    pending.inFlight = false;
    readOn(state, turn);
    return;
  }
  takeIn(state, turn, entry, listener);
}

export function onUnknown(state: MasterState, turn: Turn, slot: number): void {
  const { pending } = state.journal;
  if (!pending || pending.slot !== slot) return;
  pending.inFlight = false;
  arm(state.deadlines, 'append-retry', '', turn.now + state.config.appendRetryUs);
}

/** Sends the frozen batch again, unchanged: the store knows our nonce if the first try came through. */
export function retryAppend(state: MasterState, turn: Turn): void {
  const { pending } = state.journal;
  if (!pending || pending.inFlight) return;
  pending.inFlight = true;
  turn.out.push({
    type: 'decide',
    decision: 'append-retried',
    facts: { slot: pending.slot, nonce: pending.nonce },
  });
  turn.out.push({
    type: 'journal.append',
    slot: pending.slot,
    nonce: pending.nonce,
    records: pending.records,
  });
}

export function onEntries(
  state: MasterState,
  turn: Turn,
  entries: readonly JournalEntry[],
  listener: JournalListener,
): void {
  state.journal.reading = false;
  for (const entry of entries) {
    if (entry.slot === state.durable.slot + 1) takeIn(state, turn, entry, listener);
  }
  // Taken, said the store, and yet there is nothing: ask again.
  const { pending } = state.journal;
  if (pending && !pending.inFlight && armedAt(state.deadlines, 'append-retry', '') === undefined) {
    arm(state.deadlines, 'append-retry', '', turn.now + state.config.appendRetryUs);
  }
}

/** Applies one entry of the journal; if it fills the slot our batch wanted, the batch's fate is known. */
function takeIn(state: MasterState, turn: Turn, entry: JournalEntry, listener: JournalListener): void {
  const { pending } = state.journal;
  const decided = pending?.slot === entry.slot ? pending : undefined;
  if (decided) {
    state.journal.pending = undefined;
    clear(state.deadlines, 'append-retry', '');
  }
  applyEntry(state.durable, entry);
  if (decided?.nonce === entry.nonce) {
    for (const record of entry.records) listener.applied(state, turn, record);
  } else if (decided || state.role === 'leader') {
    listener.overtaken(state, turn);
  }
}

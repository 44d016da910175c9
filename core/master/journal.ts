/**
 * The master's side of the journal: intents become batches, batches become slots, slots become state.
 *
 * Rules: at most one append is under way. A batch is frozen, nonce and all, until its fate is known, even if the master
 * stops leading meanwhile. What is applied is what the store returned, never what was sent. Each batch names the one it
 * follows; where that is not the one applied here, the store has gone back in time and begun another history.
 */
import { arm, armedAt, clear } from '../deadlines.js';
import { applyEntry } from '../durable/apply.js';
import { emptyDurable } from '../durable/state.js';
import { invariant } from '../invariant-error.js';
import { type JournalEntry, type JournalRecord, sizeOf } from '../records.js';
import { type Intent, judge, scopeOf } from './intents.js';
import { countTail, load, nextPart } from './snapshots.js';
import type { MasterState, Turn } from './state.js';

/** What the rest of the master does once a record is durable, or an intent was dropped. */
export interface JournalListener {
  applied(state: MasterState, turn: Turn, record: JournalRecord): void;
  dropped(state: MasterState, turn: Turn, intent: Intent, reason: string): void;
  /** Somebody else's record is in the slot that this master wanted. */
  overtaken(state: MasterState, turn: Turn): void;
  /** What this master has applied is not what the store holds. */
  wentBack(state: MasterState, turn: Turn): void;
}

export function propose(state: MasterState, intent: Intent): void {
  state.journal.intents.push(intent);
}

/**
 * Asks for what the journal holds beyond the applied state, unless an answer is under way. The last applied slot is read
 * once more: it shows whether the journal is still the one that was applied.
 */
export function readOn(state: MasterState, turn: Turn): void {
  if (state.journal.reading) return;
  state.journal.reading = true;
  state.journal.readSlot = state.durable.slot;
  turn.out.push({
    type: 'journal.read',
    from: state.journal.loading?.next ?? Math.max(1, state.durable.slot),
  });
}

/** Like `readOn`, but sees everything that is in the journal now: a read under way may have begun too early. */
export function readFresh(state: MasterState, turn: Turn): void {
  if (state.journal.reading) state.journal.readAgain = true;
  else readOn(state, turn);
}

/** Forms and sends the next batch, when nothing is pending. Called in every step, after its event. */
export function pump(state: MasterState, turn: Turn, listener: JournalListener): void {
  const { journal, config } = state;
  if (journal.pending) return;
  const part = nextPart(state);
  if (part) return append(state, turn, [part]);
  if (journal.intents.length === 0) return;
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
  if (records.length > 0) append(state, turn, records);
}

/** Freezes a batch for the next slot and sends it. */
function append(state: MasterState, turn: Turn, records: readonly JournalRecord[]): void {
  const { journal, durable, life } = state;
  journal.appends++;
  const nonce = `${life.node}/${life.incarnation}/${journal.appends}`;
  const slot = durable.slot + 1;
  const after = durable.nonce;
  journal.pending = { slot, nonce, after, records, inFlight: true, doubtedAt: undefined };
  turn.out.push({ type: 'journal.append', slot, nonce, after, records });
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
    () => `slot ${entry.slot} acknowledged with another nonce than ours`,
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
  // Taken without a word of what is there: trimmed, or filled by nobody yet, or what it was to follow is gone.
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
  pending.doubtedAt ??= turn.now;
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
  const { slot, nonce, after, records } = pending;
  turn.out.push({ type: 'journal.append', slot, nonce, after, records });
}

export function onEntries(
  state: MasterState,
  turn: Turn,
  { from, entries }: { readonly from: number; readonly entries: readonly JournalEntry[] },
  listener: JournalListener,
): void {
  const { journal, durable } = state;
  journal.reading = false;
  const known = entries.find(({ slot }) => slot === durable.slot);
  // What was applied after the read was asked for may be missing from its answer: that may be an old look.
  const missing = entries.length === 0 && (journal.loading !== undefined || from <= journal.readSlot);
  if (missing || (known && known.nonce !== durable.nonce)) return listener.wentBack(state, turn);
  for (const entry of entries) {
    if (journal.loading) {
      if (!load(state, turn, journal.loading, entry)) return listener.wentBack(state, turn);
    } else if (entry.slot === durable.slot + 1) takeIn(state, turn, entry, listener);
  }
  // Taken, said the store, and yet there is nothing: ask again.
  const { pending } = state.journal;
  if (pending && !pending.inFlight && armedAt(state.deadlines, 'append-retry', '') === undefined) {
    arm(state.deadlines, 'append-retry', '', turn.now + state.config.appendRetryUs);
  }
}

/** What is to be read next is trimmed: the state comes from the snapshot in the first slot left. */
export function onTrimmed(state: MasterState, turn: Turn, first: number, listener: JournalListener): void {
  state.journal.reading = false;
  state.journal.loading = { next: first, parts: [] };
  if (state.role === 'standby') readOn(state, turn);
  else listener.overtaken(state, turn); // whoever leads has written it
}

/** Nothing is known of the journal any more: it is read from its beginning. A batch that followed what is gone is void. */
export function forgetJournal(state: MasterState, turn: Turn): void {
  const { journal } = state;
  Object.assign(state.durable, emptyDurable());
  journal.pending = undefined;
  journal.loading = undefined;
  journal.tailBytes = 0;
  clear(state.deadlines, 'append-retry', '');
  journal.reading = false;
  readOn(state, turn);
}

/** Applies one entry of the journal; if it fills the slot our batch wanted, the batch's fate is known. */
function takeIn(state: MasterState, turn: Turn, entry: JournalEntry, listener: JournalListener): void {
  const { pending } = state.journal;
  if (entry.after !== state.durable.nonce) return listener.wentBack(state, turn);
  const decided = pending?.slot === entry.slot ? pending : undefined;
  if (decided) {
    state.journal.pending = undefined;
    clear(state.deadlines, 'append-retry', '');
  }
  applyEntry(state.durable, entry);
  countTail(state, entry);
  if (decided?.nonce === entry.nonce) {
    for (const record of entry.records) listener.applied(state, turn, record);
  } else if (decided || state.role === 'leader') {
    listener.overtaken(state, turn);
  }
}

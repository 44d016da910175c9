/**
 * Snapshots: the leader writes the whole durable state into the journal now and then, part by part, and has what lies
 * below the one before trimmed; a master that finds what it wants to read trimmed starts from a snapshot.
 *
 * While a snapshot is being written nothing else is: so its parts are neighbours, and the state they tell is the state
 * of every slot they fill. docs/adr/0008-snapshots.md says why it lies in the journal.
 */
import { clear } from '../deadlines.js';
import { applyEntry } from '../durable/apply.js';
import { cutText, packState, unpackState } from '../durable/snapshot.js';
import { emptyDurable, isContinuedBy } from '../durable/state.js';
import { invariant } from '../invariant-error.js';
import { type JournalEntry, type Snapshot, sizeOf } from '../records.js';
import type { LoadingSnapshot, MasterState, Turn } from './state.js';

/** A snapshot takes at most about this part of the slots, and of the bytes. */
const shareMin = 4;

/** The next part to append, if a snapshot is being written or due. */
export function nextPart(state: MasterState): Snapshot | undefined {
  const { journal, durable, config } = state;
  if (!state.leading) return undefined;
  if (!journal.writing) {
    if (!isDue(state)) return undefined;
    // A part shares its batch with nothing but names and numbers.
    journal.writing = { parts: cutText(packState(durable), config.batchBytesMax), written: 0 };
  }
  const { parts, written } = journal.writing;
  return { type: 'snapshot', part: written + 1, parts: parts.length, text: parts[written]! };
}

function isDue({ durable, journal, config }: MasterState): boolean {
  const { last } = durable.snapshots;
  if (!last) return durable.slot >= config.snapshotSlots;
  const { slot, parts } = last;
  if (durable.slot - (slot + parts - 1) < Math.max(config.snapshotSlots, shareMin * parts)) return false;
  return journal.tailBytes >= shareMin * (parts - 1) * config.batchBytesMax;
}

/**
 * Counts what is written since the last snapshot. Not behind one that fits into a slot: such a snapshot is paid for by
 * any tail. Slots alone would not do, as long as each holds a record or two: with every thousand of them a large job's
 * state would be written anew, and all of it together would grow with the square of the job.
 */
export function countTail({ durable, journal }: MasterState, { records }: JournalEntry): void {
  const { last, open } = durable.snapshots;
  if (records[0]?.type === 'snapshot') {
    if (!open) journal.tailBytes = 0;
  } else if (last && last.parts > 1) {
    for (const record of records) journal.tailBytes += sizeOf(record);
  }
}

/** Our own part is durable. */
export function onSnapshotPart(state: MasterState, turn: Turn, { part, parts }: Snapshot): void {
  const { writing } = state.journal;
  if (writing) writing.written = part;
  if (part < parts) return;
  state.journal.writing = undefined;
  const { slot } = state.durable.snapshots.last!;
  turn.out.push({ type: 'decide', decision: 'snapshot-written', facts: { slot, parts } });
  trim(state, turn);
}

/** Two whole snapshots are kept: whoever is reading the older one may finish. */
export function trim(state: MasterState, turn: Turn): void {
  const { behind } = state.durable.snapshots;
  if (behind && behind.slot > 1) {
    turn.out.push({ type: 'journal.trim', first: behind.slot, nonce: behind.nonce });
  }
}

/**
 * Takes in one entry of the snapshot in the first slots left; with the last part the state is complete. False: it is not
 * what followed upon the state that this master has, which stays as it is.
 */
export function load(state: MasterState, turn: Turn, loading: LoadingSnapshot, entry: JournalEntry): boolean {
  if (entry.slot !== loading.next) return true;
  const [record] = entry.records;
  invariant(
    record?.type === 'snapshot' && record.part === loading.parts.length + 1,
    'M9',
    `slot ${entry.slot} is not part ${loading.parts.length + 1} of the first snapshot`,
  );
  loading.parts.push(entry);
  loading.next++;
  if (record.part < record.parts) return true;
  const { durable, journal } = state;
  const text = loading.parts.map((part) => (part.records[0] as Snapshot).text).join('');
  const loaded = unpackState(text);
  // An answer that was long under way may bring one that is older than what is known: that says nothing.
  if (loaded.slot >= durable.slot && !isContinuedBy(durable, loaded)) return false;
  Object.assign(durable, emptyDurable(), loaded);
  for (const part of loading.parts) applyEntry(durable, part);
  journal.tailBytes = 0;
  journal.loading = undefined;
  if (journal.pending && journal.pending.slot <= durable.slot) {
    // Whether it happened is in the state now, and nobody waits for it: its epoch is over.
    journal.pending = undefined;
    clear(state.deadlines, 'append-retry', '');
  }
  turn.out.push({ type: 'decide', decision: 'snapshot-loaded', facts: { slot: durable.slot } });
  return true;
}

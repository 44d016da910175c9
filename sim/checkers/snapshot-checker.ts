/**
 * C18: every snapshot tells the state of the journal below it, so that folding from it gives what folding everything
 * gives; and what is left of a trimmed journal begins with one. Comes behind the ledger among the observers.
 */
import { applyEntry } from '../../core/durable/apply.js';
import { unpackState } from '../../core/durable/snapshot.js';
import { type DurableState, emptyDurable } from '../../core/durable/state.js';
import type { JournalEntry, Snapshot } from '../../core/records.js';
import type { Observer } from '../observer.js';
import type { World } from '../world.js';
import { sameState } from './durable-comparison.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation } from './violation.js';

export class SnapshotChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  journalDurable({ slot, records: [record] }: JournalEntry): void {
    if (record?.type !== 'snapshot' || record.part < record.parts) return;
    this.#compare(slot - record.parts + 1);
  }

  /** Everything at once, when the run is over. */
  finish(): void {
    const { first } = this.#world.journal;
    if (first > 1) this.#compare(first);
  }

  #compare(first: number): void {
    const folded = this.#fold(first);
    if (folded && sameState(folded, this.#ledger.durable)) return;
    const what = folded ? 'gives another state than the whole journal' : 'does not begin with a snapshot';
    throw new InvariantViolation('C18', `the journal from slot ${first} on ${what}`, this.#world);
  }

  /** Undefined when no whole snapshot begins there. */
  #fold(first: number): DurableState | undefined {
    const entries = this.#world.journal.durableEntries(first);
    const [record] = entries[0]?.records ?? [];
    if (record?.type !== 'snapshot' || record.part !== 1) return undefined;
    const parts = entries.slice(0, record.parts).map((entry) => entry.records[0] as Snapshot);
    const state = Object.assign(emptyDurable(), unpackState(parts.map(({ text }) => text).join('')));
    for (const entry of entries) applyEntry(state, entry);
    return state;
  }
}

/** C1, C2, C3, C9, C10, C16: the journal, and those who write to it. */
import { stateDigest } from '../../core/canonical.js';
import type { JournalAppend } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { type JobId, type NodeLife, sameLife } from '../../core/ids.js';
import type { MasterState } from '../../core/master/state.js';
import type { JournalEntry, JournalRecord, LeaderBegan } from '../../core/records.js';
import type { Life } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import { sameAfter, sameState } from './durable-comparison.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

/** What a master has applied of the journal, and since when its state was not compared with the ledger's. */
interface Applied {
  slot: number;
  uncompared: JournalRecord[];
}

export class JournalChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  /** By slot. */
  readonly #contents = new Map<number, JournalEntry>();
  readonly #acknowledged: JournalEntry[] = [];
  /** By nonce. */
  readonly #batches = new Map<string, JournalAppend>();
  /** The last append of each life, until it has seen what its slot holds. */
  readonly #open = new Map<Life, JournalAppend>();
  readonly #applied = new Map<Life, Applied>();
  readonly #ended = new Set<JobId>();
  #epoch = 0;
  #leader: NodeLife | undefined;
  /** Nonces of what the store has lost; whoever has read it before may still speak of it. */
  readonly #lost = new Set<string>();
  /** The first of the acknowledged entries that are lost, since nobody has noticed yet, and the masters that know it. */
  #unnoticed: { readonly slot: number; readonly witnesses: readonly Life[] } | undefined;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  journalDurable(entry: JournalEntry, writer: Life): void {
    this.#sees(entry);
    this.#checkWriter(entry, { node: writer.node.name, incarnation: writer.incarnation });
    for (const record of entry.records) {
      if (record.type !== 'job.published' && record.type !== 'job.failed') continue;
      if (this.#ended.has(record.job)) this.#violated('C9', `job ${record.job} ended a second time`);
      this.#ended.add(record.job);
    }
  }

  /** What was promised of the lost slots is void, if only somebody notices that they are lost. */
  journalWentBack(history: readonly JournalEntry[]): void {
    const last = history.length;
    for (const [slot, { nonce }] of this.#contents) {
      if (slot <= last) continue;
      this.#lost.add(nonce);
      this.#contents.delete(slot);
    }
    const kept = this.#acknowledged.filter(({ slot }) => slot <= last);
    const lost = this.#acknowledged.find(({ slot }) => slot > last);
    if (lost) this.#unnoticed ??= { slot: lost.slot, witnesses: this.#mastersThatKnow(lost.slot) };
    this.#acknowledged.splice(0, Number.POSITIVE_INFINITY, ...kept);
    this.#ended.clear();
    this.#epoch = 0;
    this.#leader = undefined;
    for (const { records } of history) {
      for (const record of records) {
        if (record.type === 'leader.began') this.#leads(record);
        if (record.type === 'job.published' || record.type === 'job.failed') this.#ended.add(record.job);
      }
    }
  }

  journalAcknowledged(entry: JournalEntry): void {
    this.#acknowledged.push(entry);
    const [readable] = this.#world.journal.durableEntries(entry.slot, 1);
    if (readable?.nonce !== entry.nonce) {
      this.#violated('C2', `slot ${entry.slot} was acknowledged and cannot be read`);
    }
  }

  masterStepped({ life, event, effects }: WorldStep): void {
    const entries = entriesOf(event);
    for (const entry of entries) {
      this.#sees(entry);
      if (entry.slot >= (this.#open.get(life)?.slot ?? Number.POSITIVE_INFINITY)) this.#open.delete(life);
    }
    if (entries.length > 0) this.#follow(life, entries);
    for (const effect of effects) {
      if (effect.type === 'journal.append') this.#checkBatch(life, effect);
      else if (effect.type === 'decide' && effect.decision === 'store-went-back') {
        this.#unnoticed = undefined;
        // It reads all anew, and what was to follow a lost entry can never happen.
        if (effect.facts?.knownSlot !== undefined) this.#open.delete(life);
      }
    }
  }

  /** Everything at once, when the run is over. */
  finish(): void {
    if (this.#unnoticed) {
      const { slot, witnesses } = this.#unnoticed;
      const blameless = witnesses.every(({ ended }) => ended);
      const nobody = blameless ? 'no master lives on that had read it' : 'nobody has noticed';
      const detail = `slot ${slot} was acknowledged, the store has lost it, and ${nobody}`;
      throw new InvariantViolation('C2', detail, this.#world, blameless);
    }
    for (const { slot, nonce } of this.#acknowledged) {
      const [readable] = this.#world.journal.durableEntries(slot, 1);
      if (readable?.nonce !== nonce) this.#violated('C2', `slot ${slot} was acknowledged and is lost`);
    }
    for (const { kind, life } of this.#world.nodes.values())
      if (kind === 'master' && life) this.#compareAll(life);
  }

  #sees(entry: JournalEntry): void {
    if (this.#lost.has(entry.nonce)) return;
    const before = this.#contents.get(entry.slot);
    if (!before) {
      this.#contents.set(entry.slot, entry);
    } else if (before !== entry && (before.nonce !== entry.nonce || !sameRecords(before, entry))) {
      this.#violated('C1', `slot ${entry.slot} held ${before.nonce} and now holds ${entry.nonce}`);
    }
  }

  #checkWriter(entry: JournalEntry, writer: NodeLife): void {
    const [first] = entry.records;
    if (first?.type === 'leader.began') {
      // Above a history that the store has lost, an epoch may be left out.
      const isNext = first.epoch === this.#epoch + 1 || (this.#lost.size > 0 && first.epoch > this.#epoch);
      if (!isNext) this.#violated('C3', `epoch ${first.epoch} follows ${this.#epoch}`);
      this.#leads(first);
    }
    if (!this.#leader || !sameLife(this.#leader, writer)) {
      this.#violated(
        'C3',
        `${writer.node} wrote slot ${entry.slot} in the epoch of ${this.#leader?.node ?? 'nobody'}`,
      );
    }
  }

  #checkBatch(life: Life, append: JournalAppend): void {
    const open = this.#open.get(life);
    if (open && open.nonce !== append.nonce) {
      this.#violated('C16', `${append.nonce} is sent while nobody knows what became of ${open.nonce}`);
    }
    this.#open.set(life, append);
    const before = this.#batches.get(append.nonce);
    if (!before) {
      this.#batches.set(append.nonce, append);
    } else if (before.slot !== append.slot || !sameRecords(before, append)) {
      this.#violated('C16', `batch ${append.nonce} came again with another content or for another slot`);
    }
  }

  /** Compares what these entries have changed, now or when the master has read as far as the ledger. */
  #follow(life: Life, entries: readonly JournalEntry[]): void {
    const { durable } = life.machine.state as MasterState;
    let applied = this.#applied.get(life);
    if (!applied) this.#applied.set(life, (applied = { slot: 0, uncompared: [] }));
    for (const { slot, records } of entries) {
      if (slot !== applied.slot + 1 || slot > durable.slot) continue;
      applied.slot = slot;
      for (const record of records) applied.uncompared.push(record);
    }
    if (durable.nonce !== this.#ledger.durable.nonce) return;
    if (applied.slot !== durable.slot) {
      // It did not read its way here entry by entry, but began with a snapshot.
      applied.slot = durable.slot;
      this.#compareAll(life);
    } else if (!sameAfter(durable, this.#ledger.durable, applied.uncompared)) {
      this.#differs(life);
    }
    if (applied.uncompared.length > 0) applied.uncompared = [];
  }

  #compareAll(life: Life): void {
    const { durable } = life.machine.state as MasterState;
    if (durable.nonce !== this.#ledger.durable.nonce) return;
    if (!sameState(durable, this.#ledger.durable)) this.#differs(life);
  }

  #differs({ node, machine }: Life): never {
    const { slot } = (machine.state as MasterState).durable;
    this.#violated('C10', `${node.name} holds another state at slot ${slot}`);
  }

  #leads({ epoch, leader }: LeaderBegan): void {
    this.#epoch = epoch;
    this.#leader = leader;
  }

  #mastersThatKnow(slot: number): Life[] {
    return [...this.#world.nodes.values()].flatMap(({ kind, life }) => {
      const knows = kind === 'master' && life && (life.machine.state as MasterState).durable.slot >= slot;
      return knows ? [life] : [];
    });
  }

  #violated(id: WorldInvariant, detail: string): never {
    throw new InvariantViolation(id, detail, this.#world);
  }
}

const noEntries: readonly JournalEntry[] = [];

function entriesOf(event: MachineEvent): readonly JournalEntry[] {
  switch (event.type) {
    case 'journal.appended':
      return [event.entry];
    case 'journal.taken':
      return event.entry ? [event.entry] : noEntries;
    case 'journal.entries':
      return event.entries;
    default:
      return noEntries;
  }
}

function sameRecords(a: { readonly records: readonly JournalRecord[] }, b: typeof a): boolean {
  return a.records === b.records || stateDigest(a.records) === stateDigest(b.records);
}

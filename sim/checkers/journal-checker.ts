/** C1, C2, C3, C9, C10, C16: the journal, and those who write to it. */
import { stateDigest } from '../../core/canonical.js';
import type { JournalAppend } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { type JobId, type NodeLife, sameLife } from '../../core/ids.js';
import type { MasterState } from '../../core/master/state.js';
import type { JournalEntry } from '../../core/records.js';
import type { Life } from '../nodes.js';
import type { Observer, WorldStep } from '../observer.js';
import type { World } from '../world.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

/** Slots between two comparisons of a master's state with the ledger's: a full comparison costs O(state). */
const comparedEvery = 16;

export class JournalChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;
  /** By slot. */
  readonly #contents = new Map<number, JournalEntry>();
  readonly #acknowledged: JournalEntry[] = [];
  /** By nonce. */
  readonly #batches = new Map<string, { readonly slot: number; readonly digest: string }>();
  readonly #ended = new Set<JobId>();
  #epoch = 0;
  #leader: NodeLife | undefined;

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

  journalAcknowledged(entry: JournalEntry): void {
    this.#acknowledged.push(entry);
    const [readable] = this.#world.journal.durableEntries(entry.slot, 1);
    if (readable?.nonce !== entry.nonce) {
      this.#violated('C2', `slot ${entry.slot} was acknowledged and cannot be read`);
    }
  }

  stepped(step: WorldStep): void {
    if (step.life.node.kind !== 'master') return;
    for (const entry of entriesOf(step.event)) this.#sees(entry);
    for (const effect of step.effects) if (effect.type === 'journal.append') this.#checkBatch(effect);
    if (step.event.type === 'journal.appended' && step.event.entry.slot % comparedEvery === 0) {
      this.#compare(step.life);
    }
  }

  /** Everything at once, when the run is over. */
  finish(): void {
    for (const { slot, nonce } of this.#acknowledged) {
      const [readable] = this.#world.journal.durableEntries(slot, 1);
      if (readable?.nonce !== nonce) this.#violated('C2', `slot ${slot} was acknowledged and is lost`);
    }
    for (const { kind, life } of this.#world.nodes.values())
      if (kind === 'master' && life) this.#compare(life);
  }

  #sees(entry: JournalEntry): void {
    const before = this.#contents.get(entry.slot);
    if (!before) {
      this.#contents.set(entry.slot, entry);
    } else if (before !== entry && (before.nonce !== entry.nonce || digestOf(before) !== digestOf(entry))) {
      this.#violated('C1', `slot ${entry.slot} held ${before.nonce} and now holds ${entry.nonce}`);
    }
  }

  #checkWriter(entry: JournalEntry, writer: NodeLife): void {
    const [first] = entry.records;
    if (first?.type === 'leader.began') {
      if (first.epoch !== this.#epoch + 1)
        this.#violated('C3', `epoch ${first.epoch} follows ${this.#epoch}`);
      this.#epoch = first.epoch;
      this.#leader = first.leader;
    }
    if (!this.#leader || !sameLife(this.#leader, writer)) {
      this.#violated(
        'C3',
        `${writer.node} wrote slot ${entry.slot} in the epoch of ${this.#leader?.node ?? 'nobody'}`,
      );
    }
  }

  #checkBatch({ slot, nonce, records }: JournalAppend): void {
    const digest = stateDigest(records);
    const before = this.#batches.get(nonce);
    if (!before) {
      this.#batches.set(nonce, { slot, digest });
    } else if (before.slot !== slot || before.digest !== digest) {
      this.#violated('C16', `batch ${nonce} came again with another content or for another slot`);
    }
  }

  #compare(life: Life): void {
    const { durable } = life.machine.state as MasterState;
    if (durable.slot !== this.#ledger.durable.slot) return;
    if (stateDigest(durable) !== stateDigest(this.#ledger.durable)) {
      this.#violated('C10', `${life.node.name} holds another state at slot ${durable.slot}`);
    }
  }

  #violated(id: WorldInvariant, detail: string): never {
    throw new InvariantViolation(id, detail, this.#world);
  }
}

function entriesOf(event: MachineEvent): readonly JournalEntry[] {
  switch (event.type) {
    case 'journal.appended':
      return [event.entry];
    case 'journal.taken':
      return event.entry ? [event.entry] : [];
    case 'journal.entries':
      return event.entries;
    default:
      return [];
  }
}

function digestOf(entry: JournalEntry): string {
  return stateDigest(entry.records);
}

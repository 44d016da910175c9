/**
 * The parts of the explored world, their places in the vector, and what a step of a machine does to them. Whatever is
 * computed here is computed once and found again by number.
 */
import type { Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { attemptKey } from '../../../core/ids.js';
import { InvariantError } from '../../../core/invariant-error.js';
import type { MachineSetup } from '../../../core/machine.js';
import type { MasterState } from '../../../core/master/state.js';
import type { Message } from '../../../core/messages.js';
import type { JournalEntry } from '../../../core/records.js';
import type { StepTuple } from '../../coverage/tuples.js';
import { type ClusterSetup, packBounds } from './bounds.js';
import { changeBench, changeShelf, emptyBench, emptyShelf } from './labour.js';
import { type ExplorePlants, type Local, Locals } from './locals.js';
import { frozen } from './plain.js';
import {
  type Claim,
  claimsOf,
  judgeBelief,
  judgeClaim,
  judgeEntry,
  judgeFiles,
  judgeMemory,
  judgeObedience,
} from './rules.js';
import { changeDesk, changeLease, emptyDesk, freeLease, Journals } from './store.js';
import { Memo, Part, Table } from './table.js';
import { changeWires } from './wires.js';

/** Where everything stands in the vector. Nodes are masters, then workers, then the client. */
export interface Places {
  readonly masters: number;
  readonly workers: number;
  readonly nodes: number;
  /** Sessions of worker or client d, at `wires + d`; the client is the last. */
  readonly wires: number;
  readonly desks: number;
  readonly benches: number;
  readonly lease: number;
  readonly journal: number;
  readonly shelf: number;
  readonly bounds: number;
  /** Number of a text; 0 while no rule is broken. */
  readonly broken: number;
  readonly words: number;
}

/** What a step does, compiled: everything by number. */
export interface Outcome {
  readonly next: number;
  /** Pairs of a place in the vector and the number of a change of what stands there. */
  readonly changes: readonly number[];
  readonly claims: readonly number[];
  readonly broken: number;
  readonly tuple: StepTuple;
  readonly effects: readonly Effect[];
}

/** A dialer numbers its sessions below this; more are never open at once. */
export const sessionsMax = 8;

export class Parts {
  readonly setup: ClusterSetup;
  readonly at: Places;
  readonly names: readonly string[];
  readonly locals: Locals;
  /** What machines are told is frozen: states may share it, and a machine that changes it is found out. */
  readonly events = new Table<MachineEvent>(frozen);
  readonly messages = new Table<Message>(frozen);
  readonly claims = new Table<Claim>();
  readonly texts = new Table<string>();
  readonly journals = new Journals();
  readonly wires = new Part(changeWires);
  readonly desks = new Part(changeDesk);
  readonly benches = new Part(changeBench);
  readonly lease = new Part(changeLease);
  readonly shelf = new Part(changeShelf);
  /** Steps that were ever taken, seen from afar. */
  readonly tuples = new Set<StepTuple>();
  readonly #outcomes = new Memo<Outcome>((local, event) => this.#compute(local, event));
  /** A journal and a shelf as one number. */
  readonly #pairs = new Memo<number>((journal, shelf) => this.#pairList.push([journal, shelf]) - 1);
  readonly #pairList: [number, number][] = [];
  readonly #worlds = new Memo<number>((journal, shelf) => this.#judgeWorld(journal, shelf));
  readonly #judgements = new Memo<number>((claim, pair) => this.#judgeClaim(claim, pair));
  readonly #entries = new Memo<number>((entry, pair) => this.#judgeEntry(entry, pair));
  readonly #memories = new Memo<number>((local, journal) =>
    this.#text(judgeMemory(this.locals.table.value(local), journal, this.journals)),
  );

  constructor(setup: ClusterSetup, plants: ExplorePlants) {
    this.setup = setup;
    const { masters } = setup.config;
    this.names = [...masters, ...setup.workers, 'client-1'];
    this.at = placesOf(masters.length, setup.workers.length);
    this.locals = new Locals(setup.config, plants);
    this.texts.numberOf('');
  }

  /** The number of the node that bears this name. */
  node(name: string): number {
    return this.names.indexOf(name);
  }

  /** Everybody is down, and everything is empty. */
  empty(states: Int32Array, to: number): void {
    const { at } = this;
    states.fill(0, to, to + at.words);
    for (let node = 0; node < at.nodes; node++) states[to + node] = this.#never(node);
    for (let dialer = 0; dialer <= at.workers; dialer++)
      states[to + at.wires + dialer] = this.wires.values.numberOf([]);
    for (let master = 0; master < at.masters; master++) {
      states[to + at.desks + master] = this.desks.values.numberOf(emptyDesk);
    }
    for (let worker = 0; worker < at.workers; worker++) {
      states[to + at.benches + worker] = this.benches.values.numberOf(emptyBench);
    }
    states[to + at.lease] = this.lease.values.numberOf(freeLease);
    states[to + at.shelf] = this.shelf.values.numberOf(emptyShelf);
    states[to + at.bounds] = packBounds(this.setup.bounds);
  }

  #never(node: number): number {
    const role = node < this.at.masters ? 'master' : node < this.at.nodes - 1 ? 'worker' : 'client';
    return this.locals.table.numberOf({
      role,
      node: this.names[node]!,
      incarnation: 0,
      state: null,
      armed: [],
    });
  }

  /** The next life of a node that is down, before its first event. */
  reborn(local: number): number {
    const { role, node, incarnation } = this.locals.table.value(local);
    const { config, slots } = this.setup;
    const life = { node, incarnation: incarnation + 1 };
    const previous = incarnation > 0 ? { previous: { incarnation, end: 'killed' as const } } : {};
    const setup: MachineSetup =
      role === 'worker' ? { role, config, life, slots, ...previous } : { role, config, life };
    return this.locals.start(setup);
  }

  outcome(local: number, event: number, session: number): Outcome {
    return this.#outcomes.get(local, event * sessionsMax + session);
  }

  /** Steps of the core that were taken; all others were looked up. */
  get stepsTaken(): number {
    return this.#outcomes.size;
  }

  /** Number of the text of what is wrong with the journal and the files; 0 when all is well. */
  worldBroken(journal: number, shelf: number): number {
    return this.#worlds.get(journal, shelf);
  }

  claimBroken(claim: number, journal: number, shelf: number): number {
    return this.#judgements.get(claim, this.#pairs.get(journal, shelf));
  }

  entryBroken(entry: number, journal: number, shelf: number): number {
    return this.#entries.get(entry, this.#pairs.get(journal, shelf));
  }

  memoryBroken(local: number, journal: number): number {
    return this.#memories.get(local, journal);
  }

  change(place: number, value: number, change: number): number {
    const { at } = this;
    if (place >= at.wires && place < at.desks) return this.wires.changed(value, change);
    if (place < at.benches) return this.desks.changed(value, change);
    if (place < at.lease) return this.benches.changed(value, change);
    if (place === at.lease) return this.lease.changed(value, change);
    return this.shelf.changed(value, change);
  }

  #text(text: string | undefined): number {
    return text === undefined ? 0 : this.texts.numberOf(text);
  }

  #judgeWorld(journal: number, shelf: number): number {
    const durable = this.journals.fold(journal);
    if (durable instanceof InvariantError) return this.#text(durable.message);
    const files = this.shelf.values.value(shelf);
    return this.#text(files.broken ?? judgeFiles(durable, files));
  }

  #judgeClaim(claim: number, pair: number): number {
    const [journal, shelf] = this.#pairList[pair]!;
    const durable = this.journals.fold(journal);
    if (durable instanceof InvariantError) return this.#text(durable.message);
    return this.#text(judgeClaim(this.claims.value(claim), durable, this.shelf.values.value(shelf)));
  }

  #judgeEntry(entry: number, pair: number): number {
    const [journal, shelf] = this.#pairList[pair]!;
    const durable = this.journals.fold(journal);
    if (durable instanceof InvariantError) return this.#text(durable.message);
    return this.#text(
      judgeEntry(this.journals.entries.value(entry), durable, this.shelf.values.value(shelf)),
    );
  }

  #compute(local: number, key: number): Outcome {
    const event = this.events.value(Math.floor(key / sessionsMax));
    const before = this.locals.table.value(local);
    const { next, effects, tuple, broken } = this.locals.step(local, event, key % sessionsMax);
    this.tuples.add(tuple);
    const problem = broken ?? judgeObedience(before, event, effects) ?? judgeBelief(before, effects);
    return {
      next,
      changes: effects.flatMap((effect) => this.#compile(before, effect)),
      claims: claimsOf(before, effects).map((claim) => this.claims.numberOf(claim)),
      broken: this.#text(problem),
      tuple,
      effects,
    };
  }

  #compile(by: Local, effect: Effect): number[] {
    const { at } = this;
    const node = this.node(by.node);
    const worker = node - at.masters;
    switch (effect.type) {
      case 'message.send':
      case 'peer.connect':
      case 'peer.disconnect':
        return this.#compileWord(node, effect);
      case 'lease.campaign':
        return [at.lease, this.lease.changes.numberOf({ kind: 'campaign', master: node })];
      case 'lease.resign':
        return [at.lease, this.lease.changes.numberOf({ kind: 'resign', master: node })];
      case 'journal.append': {
        const { slot, nonce, after, records } = effect;
        const entry: JournalEntry = { slot, nonce, after, records };
        const number = this.journals.entries.numberOf(entry);
        return [at.desks + node, this.desks.changes.numberOf({ kind: 'append', entry: number })];
      }
      case 'journal.read':
        return [at.desks + node, this.desks.changes.numberOf({ kind: 'read', from: effect.from })];
      case 'output.publish': {
        const request = this.claims.numberOf({ kind: 'publish', effect });
        return [at.desks + node, this.desks.changes.numberOf({ kind: 'publish', request })];
      }
      case 'attempt.run': {
        const { attempt, maps } = effect;
        const life = { node: by.node, incarnation: by.incarnation };
        const run = this.benches.changes.numberOf({ kind: 'run', attempt, ...life, maps });
        const begin = this.shelf.changes.numberOf({ kind: 'begin', key: attemptKey(attempt) });
        return [at.benches + worker, run, at.shelf, begin];
      }
      case 'attempt.abort':
        return this.#onBench(worker, { kind: 'stop', attempt: effect.attempt });
      case 'outputs.learn': {
        const { job, from, changes } = effect;
        return this.#onBench(worker, { kind: 'learn', job, from, changes });
      }
      case 'output.discard':
        return [at.shelf, this.shelf.changes.numberOf({ kind: 'discard', key: attemptKey(effect.attempt) })];
      case 'job.discard': {
        const name = this.names[node]!;
        const discard = this.shelf.changes.numberOf({ kind: 'discard-job', job: effect.job, node: name });
        return [...this.#onBench(worker, { kind: 'forget', job: effect.job }), at.shelf, discard];
      }
      case 'decide':
      case 'journal.trim':
      case 'job.report':
      case 'job.conclude':
      case 'drain.conclude':
        return [];
    }
  }

  #onBench(worker: number, change: Parameters<typeof changeBench>[1]): number[] {
    return [this.at.benches + worker, this.benches.changes.numberOf(change)];
  }

  /** Whoever speaks through a session, or begins or ends one. */
  #compileWord(
    node: number,
    effect: Effect & { type: 'message.send' | 'peer.connect' | 'peer.disconnect' },
  ): number[] {
    const { at } = this;
    const { changes } = this.wires;
    const number = effect.session;
    if (node < at.masters) {
      const peer = effect.type === 'message.send' ? effect.to : effect.peer;
      const place = at.wires + this.node(peer) - at.masters;
      const side = { master: node, accepted: number };
      if (effect.type !== 'message.send') return [place, changes.numberOf({ kind: 'turn-away', ...side })];
      const message = this.messages.numberOf(effect.message);
      return [place, changes.numberOf({ kind: 'answer', ...side, message })];
    }
    const place = at.wires + node - at.masters;
    switch (effect.type) {
      case 'message.send': {
        const message = this.messages.numberOf(effect.message);
        return [place, changes.numberOf({ kind: 'say', number, message })];
      }
      case 'peer.connect':
        return [place, changes.numberOf({ kind: 'dial', number, master: this.node(effect.peer) })];
      case 'peer.disconnect':
        return [place, changes.numberOf({ kind: 'hang-up', number })];
    }
  }
}

function placesOf(masters: number, workers: number): Places {
  const nodes = masters + workers + 1;
  const wires = nodes;
  const desks = wires + workers + 1;
  const benches = desks + masters;
  const lease = benches + workers;
  return {
    masters,
    workers,
    nodes,
    wires,
    desks,
    benches,
    lease,
    journal: lease + 1,
    shelf: lease + 2,
    bounds: lease + 3,
    broken: lease + 4,
    words: lease + 5,
  };
}

/** Numbers that sessions of a master have in its own memory: a number in use must not be given again. */
export function sessionsHeld(state: MasterState): Set<number> {
  const held = new Set<number>(state.sessions.keys());
  const { leading } = state;
  if (!leading) return held;
  for (const worker of leading.workers.values()) held.add(worker.session);
  for (const session of leading.submitters.values()) held.add(session);
  for (const view of leading.jobs.values()) for (const session of view.followers) held.add(session);
  return held;
}

/**
 * The real core as a model to explore: masters, workers and a client, with the sessions between them, the stores and the
 * executors. A global state is a short vector of numbers, one for each part; a step of the core is taken once for every
 * state of a machine and event, and from then on it is a look into a table.
 *
 * What is explored: every order in which messages, answers of the stores, ends of attempts and restarts may come, with
 * faults in number up to the bounds. Time passes only when nothing else can happen: then any armed deadline may come, except
 * those that mean a fault (`suspicious`); any deadline may come at any moment at the price of one `timeouts`.
 */

import type { Decision, Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { attemptKey } from '../../../core/ids.js';
import { type Model, Successors, unfair } from '../model.js';
import { type BoundName, type ClusterSetup, isLeft, oneOf } from './bounds.js';
import { type Ending, endingsOf, failureOf } from './endings.js';
import type { ExplorePlants, Local } from './locals.js';
import { Parts, sessionsHeld } from './parts.js';
import { Memo } from './table.js';
import { accepted, freeNumber, knock, lost, type Session } from './wires.js';

/**
 * Deadlines that come only when somebody has failed, or is slow beyond what is usual. The end of a lease is one of them
 * while the lease is there to be renewed.
 */
const suspicious: ReadonlySet<string> = new Set(['silence', 'worker-lease', 'attempt-timeout', 'lonely']);
const leaseEnd = 'lease-end';

/** One step of a path, for people and for scenario files. */
export interface Step {
  readonly text: string;
  /** Of which bound it used one. */
  readonly fault?: BoundName;
  /** The node at which it happened. */
  readonly node?: string;
  readonly event?: MachineEvent;
  readonly decisions: readonly Decision[];
}

/** What a machine may be told of time, by number of the event. */
interface Armed {
  readonly event: number;
  readonly free: boolean;
  /** It is the end of a lease. */
  readonly ends: boolean;
  readonly fairness: number;
}

export class Cluster implements Model {
  readonly parts: Parts;
  readonly words: number;
  /** Deliveries use up what is under way: without a master's steps there is an end to them. */
  readonly ampleEnds = true;
  readonly #armed: (readonly Armed[] | undefined)[] = [];
  readonly #held: (ReadonlySet<number> | undefined)[] = [];
  readonly #fairness = new Map<string, number>();
  readonly #node: number[];
  /** What a message or another thing at the head of a pipe is to its receiver: by head, and by (session, peer). */
  readonly #heard: Memo<number>;
  readonly #taken: Memo<number>;
  readonly #entries: Memo<number>;
  readonly #answers: Memo<readonly number[]>;
  /** How what a bench has in hand may end, by bench and shelf. */
  readonly #endings: Memo<readonly Ending[]>;
  readonly #started: number;
  readonly #requested: number;
  /** While a step is told: what the successors are, in their order. */
  #told: Step[] | undefined;

  constructor(setup: ClusterSetup, plants: ExplorePlants = {}) {
    this.parts = new Parts(setup, plants);
    this.words = this.parts.at.words;
    this.#node = this.parts.names.map((name) => this.#class(name));
    const { events } = this.parts;
    this.#heard = new Memo((head, from) => events.numberOf(this.#heardOf(head - 3, from)));
    this.#taken = new Memo((number, index) => this.#takenOf(number, index));
    this.#entries = new Memo((journal, from) => events.numberOf(this.#entriesOf(journal, from)));
    this.#answers = new Memo((append, journal) => this.#answersOf(append, journal));
    this.#endings = new Memo((bench, shelf) => endingsOf(this.parts, bench, shelf));
    this.#started = events.numberOf({ type: 'node.started' });
    const { requestId, spec } = setup;
    this.#requested = events.numberOf({ type: 'job.requested', requestId, spec });
  }

  // ---- model ----------------------------------------------------------------------------------------------------

  /** Everybody has started. */
  initial(out: Successors): void {
    const to = out.push();
    this.parts.empty(out.data, to);
    for (let node = 0; node < this.parts.at.nodes; node++) this.#start(out, to, node);
  }

  broken(states: Int32Array, offset: number): string | undefined {
    const text = states[offset + this.parts.at.broken]!;
    return text === 0 ? undefined : this.parts.texts.value(text);
  }

  /** The user has an answer. */
  goal(states: Int32Array, offset: number): boolean {
    const { state } = this.parts.locals.table.value(states[offset + this.parts.at.nodes - 1]!);
    return state !== null && 'concluded' in state && state.concluded;
  }

  describe(states: Int32Array, offset: number, ordinal: number): string {
    return this.step(states, offset, ordinal).text;
  }

  step(states: Int32Array, offset: number, ordinal: number): Step {
    const told: Step[] = [];
    this.#told = told;
    this.expand(states, offset, new Successors(this.words));
    this.#told = undefined;
    return told[ordinal]!;
  }

  expand(states: Int32Array, offset: number, out: Successors): void {
    const { at } = this.parts;
    if (states[offset + at.broken] !== 0) return;
    const bounds = states[offset + at.bounds]!;
    const first = bounds === 0 ? this.#ampleDialer(states, offset) : -1;
    if (first >= 0) {
      this.#dialerSide(states, offset, first, out);
      out.ample = out.count;
    }
    for (let dialer = 0; dialer <= at.workers; dialer++) {
      if (dialer !== first) this.#dialerSide(states, offset, dialer, out);
      this.#masterSide(states, offset, dialer, out);
    }
    for (let master = 0; master < at.masters; master++) this.#store(states, offset, master, out);
    this.#lease(states, offset, out);
    for (let node = 0; node < at.nodes; node++) this.#restart(states, offset, node, out);
    const quiet = out.count === 0;
    for (let master = 0; master < at.masters; master++) this.#lateAppends(states, offset, master, out);
    this.#clocks(states, offset, out, quiet);
    if (bounds !== 0) this.#faults(states, offset, out);
  }

  // ---- successors -----------------------------------------------------------------------------------------------

  /** A copy of the state, to be changed; the answer is where it stands. */
  #next(states: Int32Array, offset: number, out: Successors, fairness: number): number {
    const to = out.push(fairness);
    const { data } = out;
    for (let word = 0; word < this.words; word++) data[to + word] = states[offset + word]!;
    return to;
  }

  #tell(text: string, more: Partial<Step> = {}): void {
    this.#told?.push({ text, decisions: [], ...more });
  }

  /** Feeds an event to a node, performs what its machine asks for, and judges what it says. */
  #feed(out: Successors, to: number, node: number, event: number): void {
    const { parts } = this;
    const { at } = parts;
    const { data } = out;
    const dialer = node - at.masters;
    const session = dialer < 0 ? 1 : freeNumber(parts.wires.values.value(data[to + at.wires + dialer]!));
    const outcome = parts.outcome(data[to + node]!, event, session);
    data[to + node] = outcome.next;
    const { changes } = outcome;
    for (let index = 0; index < changes.length; index += 2) {
      const place = changes[index]!;
      data[to + place] = parts.change(place, data[to + place]!, changes[index + 1]!);
    }
    let broken = outcome.broken;
    const journal = data[to + at.journal]!;
    const shelf = data[to + at.shelf]!;
    for (const claim of outcome.claims) broken ||= parts.claimBroken(claim, journal, shelf);
    broken ||= parts.worldBroken(journal, shelf);
    if (dialer < 0) broken ||= parts.memoryBroken(outcome.next, journal);
    if (broken !== 0 && data[to + at.broken] === 0) data[to + at.broken] = broken;
    if (this.#told) this.#addToTold(node, event, outcome.effects);
  }

  #addToTold(node: number, event: number, effects: readonly Effect[]): void {
    const last = this.#told!.at(-1);
    if (!last) return;
    const decisions = effects.flatMap((effect) => (effect.type === 'decide' ? [effect.decision] : []));
    const all = [...last.decisions, ...decisions];
    const said =
      decisions.length > 0 ? `${last.decisions.length > 0 ? ', ' : '; '}${decisions.join(', ')}` : '';
    this.#told![this.#told!.length - 1] = {
      ...last,
      text: `${last.text}${said}`,
      node: this.parts.names[node]!,
      event: this.parts.events.value(event),
      decisions: all,
    };
  }

  #class(name: string): number {
    let number = this.#fairness.get(name);
    if (number === undefined) {
      number = this.#fairness.size;
      if (number > 63)
        throw new RangeError('more than 64 kinds of steps that must be fair: explore a smaller cluster');
      this.#fairness.set(name, number);
    }
    return number;
  }

  #local(states: Int32Array, at: number): Local {
    return this.parts.locals.table.value(states[at]!);
  }

  #isUp(states: Int32Array, offset: number, node: number): boolean {
    return this.#local(states, offset + node).state !== null;
  }

  /** Uses up one of a bound. */
  #use(out: Successors, to: number, name: BoundName): void {
    out.data[to + this.parts.at.bounds]! -= oneOf(name);
  }

  // ---- sessions -------------------------------------------------------------------------------------------------

  /**
   * With every bound used up, what a worker or the client can do is a persistent set by itself, and so an ample one, when
   * each of its sessions has something for it and its executors read no files of others: nobody else can then change
   * what it does next, or add to it.
   */
  #ampleDialer(states: Int32Array, offset: number): number {
    const { at, wires, benches } = this.parts;
    for (let dialer = at.workers; dialer >= 0; dialer--) {
      if (!this.#isUp(states, offset, at.masters + dialer)) continue;
      const sessions = wires.values.value(states[offset + at.wires + dialer]!);
      let full = false;
      let empty = false;
      for (const one of sessions) {
        if (one.down && one.down.length > 0) full = true;
        else if (one.down) empty = true;
      }
      if (!full || empty) continue;
      const running =
        dialer < at.workers ? benches.values.value(states[offset + at.benches + dialer]!).running : [];
      if (running.every((one) => one.attempt.task < one.maps)) return dialer;
    }
    return -1;
  }

  /** What is delivered to a worker or client, and what its executors end. */
  #dialerSide(states: Int32Array, offset: number, dialer: number, out: Successors): void {
    const { at, wires } = this.parts;
    const node = at.masters + dialer;
    if (!this.#isUp(states, offset, node)) return;
    const sessions = wires.values.value(states[offset + at.wires + dialer]!);
    for (let index = 0; index < sessions.length; index++) {
      if (sessions[index]!.down?.length)
        this.#deliverDown(states, offset, dialer, sessions[index]!, index, out);
    }
    if (dialer < at.workers) this.#executors(states, offset, dialer, out);
  }

  #deliverDown(
    states: Int32Array,
    offset: number,
    dialer: number,
    session: Session,
    index: number,
    out: Successors,
  ): void {
    const { parts } = this;
    const { at, names } = parts;
    const node = at.masters + dialer;
    const place = at.wires + dialer;
    const to = this.#next(states, offset, out, this.#node[node]!);
    out.data[to + place] = parts.wires.changed(out.data[to + place]!, this.#taken.get(down, index));
    const event = this.#hearing(session.down![0]!, session.number, session.master);
    if (this.#told)
      this.#tell(`${names[node]} hears ${sayEvent(parts.events.value(event), names[session.master]!)}`);
    this.#feed(out, to, node, event);
  }

  /** The event that the head of a pipe is, to whoever has this number of the session with this node. */
  #hearing(head: number, session: number, peer: number): number {
    return this.#heard.get(head + 3, session * 64 + peer);
  }

  #heardOf(head: number, from: number): MachineEvent {
    const { messages, names } = this.parts;
    const session = from >> 6;
    const peer = names[from & 63]!;
    if (head === lost) return { type: 'peer.lost', peer, session };
    if (head === knock || head === accepted) return { type: 'peer.connected', peer, session };
    const message = messages.value(head);
    return { type: 'message.received', from: peer, session, message } as MachineEvent;
  }

  /** The change that takes the head of a pipe: `number` is `down`, or the master's number of the session. */
  #takenOf(number: number, index: number): number {
    const { changes } = this.parts.wires;
    if (number === down) return changes.numberOf({ kind: 'take-down', index });
    return changes.numberOf({ kind: 'take-up', index, accepted: number });
  }

  #masterSide(states: Int32Array, offset: number, dialer: number, out: Successors): void {
    const { at, wires } = this.parts;
    const sessions = wires.values.value(states[offset + at.wires + dialer]!);
    for (let index = 0; index < sessions.length; index++) {
      if (sessions[index]!.up?.length) this.#deliverUp(states, offset, dialer, sessions[index]!, index, out);
    }
  }

  #deliverUp(
    states: Int32Array,
    offset: number,
    dialer: number,
    session: Session,
    index: number,
    out: Successors,
  ): void {
    const { parts } = this;
    const { at, names, wires } = parts;
    const place = at.wires + dialer;
    const { master } = session;
    const to = this.#next(states, offset, out, this.#node[master]!);
    const head = session.up![0]!;
    const peer = names[at.masters + dialer]!;
    if (head === knock && !this.#isUp(states, offset, master)) {
      const unheard = wires.changes.numberOf({ kind: 'unheard', index });
      out.data[to + place] = wires.changed(out.data[to + place]!, unheard);
      this.#tell(`${peer} finds ${names[master]} down`);
      return;
    }
    const number = head === knock ? this.#freeAt(states, offset, master) : session.accepted;
    out.data[to + place] = wires.changed(out.data[to + place]!, this.#taken.get(number, index));
    const event = this.#hearing(head, number, at.masters + dialer);
    if (this.#told) this.#tell(`${names[master]} hears ${sayEvent(parts.events.value(event), peer)}`);
    this.#feed(out, to, master, event);
  }

  /** A session number that neither the master nor any wire to it knows. */
  #freeAt(states: Int32Array, offset: number, master: number): number {
    const { at, wires, locals } = this.parts;
    const number = states[offset + master]!;
    const held = (this.#held[number] ??= sessionsHeld(
      locals.table.value(number).state as Parameters<typeof sessionsHeld>[0],
    ));
    for (let free = 1; ; free++) {
      let used = held.has(free);
      for (let dialer = 0; dialer <= at.workers && !used; dialer++) {
        const sessions = wires.values.value(states[offset + at.wires + dialer]!);
        used = sessions.some((one) => one.master === master && one.accepted === free);
      }
      if (!used) return free;
    }
  }

  // ---- stores ---------------------------------------------------------------------------------------------------

  #store(states: Int32Array, offset: number, master: number, out: Successors): void {
    const { at, desks } = this.parts;
    const { read, append, publish } = desks.values.value(states[offset + at.desks + master]!);
    if (read) this.#read(states, offset, master, read, out);
    if (append) this.#append(states, offset, master, append, out);
    if (publish) this.#publish(states, offset, master, publish, out);
  }

  #onDesk(
    out: Successors,
    to: number,
    master: number,
    change: Parameters<Parts['desks']['changes']['numberOf']>[0],
  ): void {
    const { at, desks } = this.parts;
    const place = to + at.desks + master;
    out.data[place] = desks.changed(out.data[place]!, desks.changes.numberOf(change));
  }

  #read(
    states: Int32Array,
    offset: number,
    master: number,
    read: { readonly from: number; readonly upTo?: number },
    out: Successors,
  ): void {
    const { at, journals, names } = this.parts;
    const journal = states[offset + at.journal]!;
    const to = this.#next(states, offset, out, this.#node[master]!);
    if (read.upTo === undefined) {
      this.#onDesk(out, to, master, { kind: 'looked', upTo: journals.length(journal) });
      this.#tell(`the journal is read for ${names[master]}`);
      return;
    }
    this.#onDesk(out, to, master, { kind: 'told-entries' });
    this.#tell(`${names[master]} learns of slots ${read.from} to ${read.upTo}`);
    this.#feed(out, to, master, this.#entries.get(journals.upTo(journal, read.upTo), read.from));
  }

  #entriesOf(journal: number, from: number): MachineEvent {
    const entries = this.parts.journals.entriesFrom(journal, from);
    return { type: 'journal.entries', from, entries, end: true };
  }

  #append(
    states: Int32Array,
    offset: number,
    master: number,
    append: { readonly entry: number; readonly fate?: 'appended' | 'taken' },
    out: Successors,
  ): void {
    const { at, journals, names } = this.parts;
    const journal = states[offset + at.journal]!;
    const { slot } = journals.entries.value(append.entry);
    if (append.fate === undefined) {
      const to = this.#next(states, offset, out, this.#node[master]!);
      const appended = journals.fits(journal, append.entry);
      this.#onDesk(out, to, master, { kind: 'decided', fate: appended ? 'appended' : 'taken' });
      this.#tell(`the journal ${appended ? 'takes' : 'refuses'} slot ${slot} of ${names[master]}`);
      if (appended) this.#grow(out, to, append.entry);
      return;
    }
    const answers = this.#answers.get(2 * append.entry + (append.fate === 'appended' ? 1 : 0), journal);
    for (const answer of answers) {
      const to = this.#next(states, offset, out, this.#node[master]!);
      this.#onDesk(out, to, master, { kind: 'told-append', late: false });
      this.#tell(`${names[master]} hears that slot ${slot} is ${append.fate}`);
      this.#feed(out, to, master, answer);
    }
  }

  /** A store that refuses may say what it holds, or not. */
  #answersOf(append: number, journal: number): number[] {
    const { events, journals } = this.parts;
    const entry = journals.entries.value(append >> 1);
    if (append & 1) return [events.numberOf({ type: 'journal.appended', entry })];
    const { slot } = entry;
    const answers = [events.numberOf({ type: 'journal.taken', slot })];
    if (slot <= journals.length(journal)) {
      answers.push(events.numberOf({ type: 'journal.taken', slot, entry: journals.entryAt(journal, slot) }));
    }
    return answers;
  }

  /** The journal takes an entry. */
  #grow(out: Successors, to: number, entry: number): void {
    const { parts } = this;
    const { at, journals, desks } = parts;
    const { data } = out;
    const before = data[to + at.journal]!;
    const shelf = data[to + at.shelf]!;
    const journal = journals.withEntry(before, entry);
    data[to + at.journal] = journal;
    data[to + at.broken] ||= parts.worldBroken(journal, shelf) || parts.entryBroken(entry, before, shelf);
    // What is late for its slot can do nothing any more.
    for (let master = 0; master < at.masters; master++) {
      for (const late of desks.values.value(data[to + at.desks + master]!).late) {
        if (journals.entries.value(late).slot > journals.length(journal)) continue;
        this.#onDesk(out, to, master, { kind: 'not-late', entry: late });
      }
    }
  }

  /** An append that nobody waits for any more happens after all. */
  #lateAppends(states: Int32Array, offset: number, master: number, out: Successors): void {
    const { at, journals, desks, names } = this.parts;
    const journal = states[offset + at.journal]!;
    for (const entry of desks.values.value(states[offset + at.desks + master]!).late) {
      if (!journals.fits(journal, entry)) continue;
      const { slot } = journals.entries.value(entry);
      const to = this.#next(states, offset, out, unfair);
      this.#tell(`the journal takes slot ${slot} of ${names[master]}, late`);
      this.#grow(out, to, entry);
    }
  }

  #publish(
    states: Int32Array,
    offset: number,
    master: number,
    publish: { readonly request: number; readonly done?: true },
    out: Successors,
  ): void {
    const { at, claims, shelf, events, names } = this.parts;
    const claim = claims.value(publish.request);
    if (claim.kind !== 'publish') return;
    const to = this.#next(states, offset, out, this.#node[master]!);
    if (!publish.done) {
      const keys = claim.effect.parts.map(({ attempt }) => attemptKey(attempt));
      const show = shelf.changes.numberOf({ kind: 'show', keys });
      out.data[to + at.shelf] = shelf.changed(out.data[to + at.shelf]!, show);
      this.#onDesk(out, to, master, { kind: 'published' });
      this.#tell(`${names[master]} puts the output in place`);
      return;
    }
    this.#onDesk(out, to, master, { kind: 'told-published' });
    this.#tell(`${names[master]} hears that the output is in place`);
    this.#feed(out, to, master, events.numberOf({ type: 'output.published', job: claim.effect.job }));
  }

  #lease(states: Int32Array, offset: number, out: Successors): void {
    const { at, lease, events, names } = this.parts;
    const { granted, lost: losers } = lease.values.value(states[offset + at.lease]!);
    for (const { master, stale } of granted) {
      const to = this.#next(states, offset, out, this.#node[master]!);
      const told = lease.changes.numberOf({ kind: 'told-granted', master, stale });
      out.data[to + at.lease] = lease.changed(out.data[to + at.lease]!, told);
      this.#tell(`${names[master]} hears that ${stale ? 'an older campaign won' : 'it has'} the lease`);
      this.#feed(out, to, master, events.numberOf({ type: 'lease.granted', request: stale ? 0 : 1 }));
    }
    for (const master of losers) {
      const to = this.#next(states, offset, out, this.#node[master]!);
      const told = lease.changes.numberOf({ kind: 'told-lost', master });
      out.data[to + at.lease] = lease.changed(out.data[to + at.lease]!, told);
      this.#tell(`${names[master]} hears that it has lost the lease`);
      this.#feed(out, to, master, events.numberOf({ type: 'lease.lost' }));
    }
  }

  // ---- executors ------------------------------------------------------------------------------------------------

  #executors(states: Int32Array, offset: number, worker: number, out: Successors): void {
    const { at } = this.parts;
    const endings = this.#endings.get(states[offset + at.benches + worker]!, states[offset + at.shelf]!);
    for (const ending of endings)
      this.#end(states, offset, worker, ending, this.#node[at.masters + worker]!, out);
  }

  #end(
    states: Int32Array,
    offset: number,
    worker: number,
    ending: Ending,
    fairness: number,
    out: Successors,
  ): number {
    const { at, benches, shelf, names } = this.parts;
    const node = at.masters + worker;
    const to = this.#next(states, offset, out, fairness);
    const { data } = out;
    data[to + at.benches + worker] = benches.changed(data[to + at.benches + worker]!, ending.bench);
    if (ending.write >= 0) data[to + at.shelf] = shelf.changed(data[to + at.shelf]!, ending.write);
    this.#tell(`${names[node]} ${ending.does}`, fairness === unfair ? { fault: 'failures' } : {});
    this.#feed(out, to, node, ending.event);
    return to;
  }

  // ---- time and faults ------------------------------------------------------------------------------------------

  /** With `quiet`, nothing else can happen, and time passes for nothing. */
  #clocks(states: Int32Array, offset: number, out: Successors, quiet: boolean): void {
    const { at, lease } = this.parts;
    const early = isLeft(states[offset + at.bounds]!, oneOf('timeouts'));
    const { holder } = lease.values.value(states[offset + at.lease]!);
    for (let node = 0; node < at.nodes; node++) {
      for (const { event, free: always, ends, fairness } of this.#armedAt(states[offset + node]!)) {
        const free = always && !(ends && holder === node);
        // Time goes on, and once nothing else is left to do it will come.
        if (free) out.await(fairness);
        if (quiet && free) this.#clock(states, offset, node, event, fairness, false, out);
        else if (early) this.#clock(states, offset, node, event, unfair, true, out);
      }
    }
  }

  #clock(
    states: Int32Array,
    offset: number,
    node: number,
    event: number,
    fairness: number,
    early: boolean,
    out: Successors,
  ): void {
    const { events, names } = this.parts;
    const to = this.#next(states, offset, out, fairness);
    if (early) this.#use(out, to, 'timeouts');
    if (this.#told) {
      const { deadline } = events.value(event) as MachineEvent & { type: 'clock.reached' };
      const name = `${deadline.kind}${deadline.id === '' ? '' : ` ${deadline.id}`}`;
      const fault = early ? { fault: 'timeouts' as const } : {};
      this.#tell(`${names[node]} sees its deadline ${name} come${early ? ' early' : ''}`, fault);
    }
    this.#feed(out, to, node, event);
  }

  #armedAt(local: number): readonly Armed[] {
    const known = this.#armed[local];
    if (known) return known;
    const { node, armed } = this.parts.locals.table.value(local);
    const found = armed.map(({ kind, id }) => {
      const free = !suspicious.has(kind);
      const fairness = free ? this.#class(`${node} ${kind}`) : unfair;
      const event = this.parts.events.numberOf({ type: 'clock.reached', deadline: { kind, id } });
      return { event, free, ends: kind === leaseEnd, fairness };
    });
    return (this.#armed[local] = found);
  }

  #restart(states: Int32Array, offset: number, node: number, out: Successors): void {
    if (this.#isUp(states, offset, node)) return;
    const to = this.#next(states, offset, out, this.#node[node]!);
    this.#tell(`${this.parts.names[node]} restarts`);
    this.#start(out, to, node);
  }

  #start(out: Successors, to: number, node: number): void {
    out.data[to + node] = this.parts.reborn(out.data[to + node]!);
    this.#feed(out, to, node, this.#started);
    if (node === this.parts.at.nodes - 1) this.#feed(out, to, node, this.#requested);
  }

  #faults(states: Int32Array, offset: number, out: Successors): void {
    const { at } = this.parts;
    const bounds = states[offset + at.bounds]!;
    const left = (name: BoundName): boolean => isLeft(bounds, oneOf(name));
    if (left('crashes')) {
      for (let node = 0; node < at.nodes - 1; node++) this.#crash(states, offset, node, out);
    }
    if (left('losses'))
      this.#eachSession(states, offset, (dialer, session, index) =>
        this.#break(states, offset, dialer, session, index, out),
      );
    if (left('duplicates'))
      this.#eachSession(states, offset, (dialer, session) =>
        this.#repeat(states, offset, dialer, session, out),
      );
    if (left('unknowns')) {
      for (let master = 0; master < at.masters; master++) this.#obscure(states, offset, master, out);
    }
    if (left('failures')) {
      for (let worker = 0; worker < at.workers; worker++) this.#fail(states, offset, worker, out);
    }
    if (left('expiries')) this.#expire(states, offset, out);
  }

  #eachSession(
    states: Int32Array,
    offset: number,
    visit: (dialer: number, session: Session, index: number) => void,
  ): void {
    const { at, wires } = this.parts;
    for (let dialer = 0; dialer <= at.workers; dialer++) {
      const sessions = wires.values.value(states[offset + at.wires + dialer]!);
      for (const [index, session] of sessions.entries()) visit(dialer, session, index);
    }
  }

  #crash(states: Int32Array, offset: number, node: number, out: Successors): void {
    if (!this.#isUp(states, offset, node)) return;
    const { parts } = this;
    const { at, names, setup } = parts;
    const to = this.#next(states, offset, out, unfair);
    const { data } = out;
    const change = (place: number, number: number): void => {
      data[to + place] = parts.change(place, data[to + place]!, number);
    };
    this.#use(out, to, 'crashes');
    data[to + node] = parts.locals.down(data[to + node]!);
    this.#tell(`${names[node]} crashes`, { fault: 'crashes', node: names[node]! });
    if (node < at.masters) {
      this.#onDesk(out, to, node, { kind: 'gone' });
      change(at.lease, parts.lease.changes.numberOf({ kind: 'gone', master: node }));
      const gone = parts.wires.changes.numberOf({ kind: 'master-gone', master: node });
      for (let dialer = 0; dialer <= at.workers; dialer++) change(at.wires + dialer, gone);
      return;
    }
    change(at.wires + node - at.masters, parts.wires.changes.numberOf({ kind: 'dialer-gone' }));
    change(at.benches + node - at.masters, parts.benches.changes.numberOf({ kind: 'gone' }));
    if (setup.config.mapOutputs === 'shared') return;
    const lose = { kind: 'lose', node: names[node]!, maps: setup.spec.maps } as const;
    change(at.shelf, parts.shelf.changes.numberOf(lose));
  }

  #break(
    states: Int32Array,
    offset: number,
    dialer: number,
    session: Session,
    index: number,
    out: Successors,
  ): void {
    if (!session.up || !session.down) return;
    const { at, wires, names } = this.parts;
    const to = this.#next(states, offset, out, unfair);
    this.#use(out, to, 'losses');
    const place = to + at.wires + dialer;
    out.data[place] = wires.changed(out.data[place]!, wires.changes.numberOf({ kind: 'break', index }));
    const node = names[at.masters + dialer]!;
    this.#tell(`the session of ${node} and ${names[session.master]} breaks`, { fault: 'losses', node });
  }

  /** The first message of a pipe is delivered and will come once more. */
  #repeat(states: Int32Array, offset: number, dialer: number, session: Session, out: Successors): void {
    const { parts } = this;
    const { at, names } = parts;
    const node = at.masters + dialer;
    const { up, master } = session;
    if (up?.length && up[0]! >= 0) {
      const to = this.#next(states, offset, out, unfair);
      this.#use(out, to, 'duplicates');
      const event = this.#hearing(up[0]!, session.accepted, node);
      this.#tell(
        `${names[master]} hears ${sayEvent(parts.events.value(event), names[node]!)}, and will hear it again`,
        {
          fault: 'duplicates',
        },
      );
      this.#feed(out, to, master, event);
    }
    const head = session.down?.[0];
    if (head !== undefined && head >= 0) {
      const to = this.#next(states, offset, out, unfair);
      this.#use(out, to, 'duplicates');
      const event = this.#hearing(head, session.number, master);
      this.#tell(
        `${names[node]} hears ${sayEvent(parts.events.value(event), names[master]!)}, and will hear it again`,
        {
          fault: 'duplicates',
        },
      );
      this.#feed(out, to, node, event);
    }
  }

  #obscure(states: Int32Array, offset: number, master: number, out: Successors): void {
    const { at, desks, journals, events, names } = this.parts;
    const { append } = desks.values.value(states[offset + at.desks + master]!);
    if (!append) return;
    const to = this.#next(states, offset, out, unfair);
    this.#use(out, to, 'unknowns');
    this.#onDesk(out, to, master, { kind: 'told-append', late: append.fate === undefined });
    const { slot } = journals.entries.value(append.entry);
    const fate = append.fate ?? 'under way';
    this.#tell(`${names[master]} hears nothing of slot ${slot}, which is ${fate}`, { fault: 'unknowns' });
    const reason = 'the answer was lost';
    this.#feed(out, to, master, events.numberOf({ type: 'journal.unknown', slot, reason }));
  }

  #fail(states: Int32Array, offset: number, worker: number, out: Successors): void {
    const { at, benches } = this.parts;
    if (!this.#isUp(states, offset, at.masters + worker)) return;
    for (const one of benches.values.value(states[offset + at.benches + worker]!).running) {
      const to = this.#end(states, offset, worker, failureOf(this.parts, one), unfair, out);
      this.#use(out, to, 'failures');
    }
  }

  #expire(states: Int32Array, offset: number, out: Successors): void {
    const { at, lease, names } = this.parts;
    const { holder } = lease.values.value(states[offset + at.lease]!);
    if (holder < 0) return;
    const to = this.#next(states, offset, out, unfair);
    this.#use(out, to, 'expiries');
    const change = lease.changes.numberOf({ kind: 'expire' });
    out.data[to + at.lease] = lease.changed(out.data[to + at.lease]!, change);
    this.#tell(`the lease of ${names[holder]} is given to others`, {
      fault: 'expiries',
      node: names[holder]!,
    });
  }
}

/** Instead of a master's number of a session, for `#taken`. */
const down = 0;

function sayEvent(event: MachineEvent, peer: string): string {
  switch (event.type) {
    case 'peer.connected':
      return `that its session with ${peer} is open`;
    case 'peer.lost':
      return `that its session with ${peer} is over`;
    case 'message.received': {
      const { message } = event;
      const about = 'attempt' in message ? ` ${attemptKey(message.attempt)}` : '';
      return `${message.type}${about} of ${peer}`;
    }
    default:
      return event.type;
  }
}

/**
 * A master with workers in memory and a journal that answers when the test says so: enough to put one machine into any
 * situation in a few readable lines. It is no simulator: nothing happens by itself, time passes only in `pass`.
 *
 * After every step the master is held against its invariants, so each test also tests those.
 */
import { expect } from 'vitest';
import { stateDigest } from '../../core/canonical.js';
import { type ClusterConfig, defaultClusterConfig } from '../../core/config.js';
import { earliest } from '../../core/deadlines.js';
import { applyEntry } from '../../core/durable/apply.js';
import { type DurableJob, emptyDurable, findJob } from '../../core/durable/state.js';
import type { Decide, Decision, JournalAppend, MasterEffect, OutputPublish } from '../../core/effects.js';
import type { MasterEvent } from '../../core/events.js';
import { generationText } from '../../core/generation.js';
import {
  type AttemptId,
  attemptKey,
  type JobId,
  type NodeId,
  sameAttempt,
  taskName,
} from '../../core/ids.js';
import { checkMaster } from '../../core/invariants.js';
import type { EpochPlace, MasterState } from '../../core/master/state.js';
import { initMaster, stepMaster } from '../../core/master/step.js';
import type {
  BrokenAttempt,
  FinishedAttempt,
  MasterMessage,
  MasterToClient,
  MasterToWorker,
  StarvedAttempt,
  WorkerHello,
  WorkerMessage,
} from '../../core/messages.js';
import type {
  Failure,
  InvalidationReason,
  JobPolicy,
  JobSpec,
  JournalEntry,
  JournalRecord,
  Output,
} from '../../core/records.js';
import { checkShares } from '../../core/step-invariants.js';

export const second = 1_000_000;

export function specOf(
  changes: Partial<Omit<JobSpec, 'policy'>> = {},
  policy: Partial<JobPolicy> = {},
): JobSpec {
  return {
    name: 'counting',
    work: 'work-hash',
    maps: 2,
    reduces: 1,
    output: '/out',
    ...changes,
    policy: {
      lateReports: 'first-commit',
      maxAttempts: 4,
      taskTimeoutUs: 600 * second,
      speculation: false,
      speculationAgeMinUs: 5 * second,
      skipBadRecords: false,
      slowstartPermille: 1000,
      ...policy,
    },
  };
}

/** What a worker is without its machine: what it runs, what it has finished, and its books of credit. */
export interface FakeWorker {
  readonly node: NodeId;
  incarnation: number;
  readonly slots: number;
  /** 0 without one. */
  session: number;
  credit: number;
  /** How much of its credit is for more than it has slots. */
  ahead: number;
  running: AttemptId[];
  /** What attempts were told to leave out. */
  readonly skips: Map<string, readonly string[]>;
  /** Finished and not answered yet. */
  finished: FinishedAttempt[];
  /** Given back because of an input, and not answered yet. */
  starved: StarvedAttempt[];
  /** Failed, and not answered so far. */
  broken: BrokenAttempt[];
  /** Of which it may hold something. */
  jobs: Set<JobId>;
  /** Told to stop, and not stopped yet. */
  stopping: AttemptId[];
  progress: Map<string, { done: number; total: number; waiting?: boolean }>;
  inbox: MasterToWorker[];
  /** Everything it was ever told. */
  readonly heard: MasterToWorker[];
}

export interface JoinOptions {
  readonly slots?: number;
  readonly incarnation?: number;
  readonly previous?: WorkerHello['previous'];
  readonly epochSeen?: number;
  readonly slotSeen?: number;
  /** What it runs, instead of what the bench has seen it begin. */
  readonly running?: AttemptId[];
}

export interface BenchOptions {
  readonly config?: Partial<ClusterConfig>;
  readonly node?: NodeId;
  readonly incarnation?: number;
  /** A journal that exists already, shared with other masters. */
  readonly store?: JournalEntry[];
  readonly firstSlot?: number;
  /** What masters of a former start have left a record of. */
  readonly formerly?: EpochPlace;
  /** Leave the master as it was started. */
  readonly asleep?: boolean;
}

export class Bench {
  readonly config: ClusterConfig;
  readonly master: MasterState;
  readonly store: JournalEntry[];
  readonly workers = new Map<NodeId, FakeWorker>();
  now = 1000;
  /** The first slot that is not trimmed; `store` remembers what was below. */
  firstSlot = 1;
  /** Every effect since the last `mark`. */
  effects: MasterEffect[] = [];
  /** What clients were told. */
  told: MasterToClient[] = [];
  published: OutputPublish[] = [];
  /** The append that has no answer yet; see `confirming`. */
  appending: JournalAppend | undefined;
  /** Every append that was asked for. */
  appends: JournalAppend[] = [];
  /** Appends are answered at once. */
  confirming = true;
  /** Campaigns for the lease are granted at once. */
  granting = true;
  /** Reads are answered at once. */
  reading = true;
  /** Workers read what they are told at once. */
  delivering = true;
  readonly #queue: MasterEvent[] = [];
  #sessions = 0;

  constructor(options: BenchOptions = {}) {
    this.config = { ...defaultClusterConfig, ...options.config };
    this.store = options.store ?? [];
    this.firstSlot = options.firstSlot ?? 1;
    const life = { node: options.node ?? 'master-1', incarnation: options.incarnation ?? 1 };
    this.master = initMaster(this.config, life, options.formerly);
    if (!options.asleep) this.step({ type: 'node.started' });
  }

  /** One event into the master, and everything that the world answers at once. Gives the effects of this event alone. */
  step(event: MasterEvent): readonly MasterEffect[] {
    const out = this.#stepOnce(event);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#stepOnce(next);
    if (this.delivering) for (const worker of this.workers.values()) this.deliver(worker);
    return out;
  }

  #stepOnce(event: MasterEvent): readonly MasterEffect[] {
    const out = stepMaster(this.master, event, this.now);
    checkMaster(this.master);
    checkShares(this.master, out);
    this.effects.push(...out);
    for (const effect of out) this.#perform(effect);
    return out;
  }

  #perform(effect: MasterEffect): void {
    switch (effect.type) {
      case 'message.send':
        return this.#carry(effect.to, effect.session, effect.message);
      case 'peer.disconnect': {
        const worker = this.workers.get(effect.peer);
        if (worker?.session === effect.session) worker.session = 0;
        return;
      }
      case 'lease.campaign':
        if (this.granting) this.#queue.push({ type: 'lease.granted', request: effect.request });
        return;
      case 'journal.read':
        if (this.reading) this.#queue.push(this.entriesFrom(effect.from));
        return;
      case 'journal.append':
        this.appending = effect;
        this.appends.push(effect);
        if (this.confirming) this.#queue.push(this.#answerAppend(true));
        return;
      case 'journal.trim':
        if (this.store[effect.first - 1]?.nonce === effect.nonce) {
          this.firstSlot = Math.max(this.firstSlot, effect.first);
        }
        return;
      case 'output.publish':
        this.published.push(effect);
        return;
    }
  }

  #carry(to: NodeId, session: number, message: MasterMessage): void {
    const worker = this.workers.get(to);
    if (worker) {
      if (worker.session !== session) return;
      worker.heard.push(message as MasterToWorker);
      worker.inbox.push(message as MasterToWorker);
    } else {
      this.told.push(message as MasterToClient);
    }
  }

  // ---- the journal ----------------------------------------------------------------------------------------------

  entriesFrom(from: number): MasterEvent {
    if (from < this.firstSlot) return { type: 'journal.trimmed', from, first: this.firstSlot };
    return { type: 'journal.entries', from, entries: this.store.slice(from - 1), end: true };
  }

  #answerAppend(clear: boolean): MasterEvent {
    const { slot, nonce, after, records } = this.appending!;
    this.appending = undefined;
    const there = slot < this.firstSlot ? undefined : this.store[slot - 1];
    const entry: JournalEntry = { slot, nonce, after, records };
    const follows = slot === this.store.length + 1 && after === (this.store.at(-1)?.nonce ?? '');
    if (follows) this.store.push(entry);
    if (!clear) return { type: 'journal.unknown', slot, reason: 'no answer' };
    if (!there && !follows) return { type: 'journal.taken', slot };
    return there ? { type: 'journal.taken', slot, entry: there } : { type: 'journal.appended', entry };
  }

  /** The append under way comes to its end. */
  confirm(): readonly MasterEffect[] {
    return this.step(this.#answerAppend(true));
  }

  /** Nobody can say what became of the append; it did happen, or it did not. */
  unclear(happened: boolean): readonly MasterEffect[] {
    if (happened) return this.step(this.#answerAppend(false));
    const { slot } = this.appending!;
    this.appending = undefined;
    return this.step({ type: 'journal.unknown', slot, reason: 'no answer' });
  }

  /** Another master's entry gets the next slot. */
  foreign(...records: JournalRecord[]): JournalEntry {
    const after = this.store.at(-1)?.nonce ?? '';
    const entry = { slot: this.store.length + 1, nonce: `other/1/${this.store.length}`, after, records };
    this.store.push(entry);
    return entry;
  }

  /** Every record that the store holds, in order. */
  records(): JournalRecord[] {
    return this.store.flatMap((entry) => entry.records);
  }

  /** The durable state must be what folding the journal up to the same slot gives. */
  expectFolded(): void {
    const folded = emptyDurable();
    for (const entry of this.store.slice(0, this.master.durable.slot)) applyEntry(folded, entry);
    expect(stateDigest(this.master.durable)).toBe(stateDigest(folded));
  }

  // ---- workers --------------------------------------------------------------------------------------------------

  /** A worker says hello: for the first time, or again with what it still has. */
  join(node: NodeId, life: JoinOptions = {}): FakeWorker {
    const before = this.workers.get(node);
    const incarnation = life.incarnation ?? before?.incarnation ?? 1;
    const sameLife = before?.incarnation === incarnation;
    const worker: FakeWorker = {
      node,
      incarnation,
      slots: life.slots ?? before?.slots ?? 1,
      session: ++this.#sessions,
      credit: 0,
      ahead: 0,
      running: life.running ?? (sameLife ? before.running : []),
      finished: sameLife ? before.finished : [],
      starved: sameLife ? before.starved : [],
      broken: sameLife ? before.broken : [],
      jobs: sameLife ? before.jobs : new Set(),
      stopping: sameLife ? before.stopping : [],
      progress: new Map(),
      skips: before?.skips ?? new Map(),
      inbox: [],
      heard: before?.heard ?? [],
    };
    worker.credit = worker.slots - worker.running.length - worker.stopping.length;
    this.workers.set(node, worker);
    this.step({ type: 'peer.connected', peer: node, session: worker.session });
    this.say(worker, this.helloOf(worker, life));
    return worker;
  }

  helloOf(worker: FakeWorker, { previous, epochSeen = 0, slotSeen = 0 }: JoinOptions = {}): WorkerHello {
    const { incarnation, credit, slots, running, finished, starved, broken, jobs } = worker;
    return {
      type: 'worker.hello',
      incarnation,
      credit,
      slots,
      epochSeen,
      slotSeen,
      running: [...running],
      finished: [...finished],
      starved: [...starved],
      broken: [...broken],
      jobs: [...jobs],
      ...(previous ? { previous } : {}),
    };
  }

  say(worker: FakeWorker, message: WorkerMessage): readonly MasterEffect[] {
    const { node: from, session } = worker;
    return session === 0 ? [] : this.step({ type: 'message.received', from, session, message });
  }

  /** The worker reads what it was told: takes up orders, and forgets what was answered. */
  deliver(worker: FakeWorker): void {
    for (let message = worker.inbox.shift(); message; message = worker.inbox.shift()) {
      if (message.type === 'master.notLeading') return this.hangUp(worker);
      if (message.type === 'attempt.assign') {
        worker.running.push(message.attempt);
        worker.jobs.add(message.attempt.job);
        if (message.skip) worker.skips.set(attemptKey(message.attempt), message.skip);
      }
      if (message.type === 'job.ended') worker.jobs.delete(message.job);
      if (message.type === 'attempt.answer') {
        const { attempt } = message;
        worker.finished = worker.finished.filter((one) => !sameAttempt(one.attempt, attempt));
        worker.starved = worker.starved.filter((one) => !sameAttempt(one.attempt, attempt));
        worker.broken = worker.broken.filter((one) => !sameAttempt(one.attempt, attempt));
      }
      if (message.type === 'attempt.revoke' && drop(worker.running, message.attempt)) {
        worker.stopping.push(message.attempt);
        if (this.delivering) this.stopped(worker, message.attempt);
      }
    }
    expect(worker.running.length + worker.stopping.length).toBeLessThanOrEqual(worker.slots + worker.ahead);
  }

  /** An attempt that was told to stop has stopped. */
  stopped(worker: FakeWorker, attempt: AttemptId): void {
    if (!drop(worker.stopping, attempt)) return;
    worker.credit++;
    const { incarnation, credit } = worker;
    this.say(worker, { type: 'attempt.ended', incarnation, credit, attempt });
  }

  /** Says what is in its slots; the rest is queued up. */
  beat(worker: FakeWorker): void {
    const { incarnation, credit } = worker;
    const progress = worker.running.slice(0, worker.slots).map((attempt) => ({
      attempt,
      waiting: false,
      ...(worker.progress.get(attemptKey(attempt)) ?? { done: 0, total: 0 }),
    }));
    this.say(worker, { type: 'worker.beat', incarnation, credit, progress });
  }

  /** The worker asks for so many tasks ahead of time. */
  askAhead(worker: FakeWorker, tasks: number): void {
    worker.ahead += tasks;
    worker.credit += tasks;
    this.beat(worker);
  }

  /** The worker finishes an attempt and reports it, if it has a session. */
  complete(worker: FakeWorker, attempt: AttemptId, output: Partial<Output> = {}): readonly MasterEffect[] {
    drop(worker.running, attempt);
    worker.credit++;
    const counters = [['records', 1]] as const;
    const skipped = worker.skips.get(attemptKey(attempt));
    const report = {
      attempt,
      output: { ...this.outputOf(attempt), ...output },
      counters,
      ...(skipped ? { skipped } : {}),
    };
    worker.finished.push(report);
    return this.report(worker, report);
  }

  report(worker: FakeWorker, report: FinishedAttempt): readonly MasterEffect[] {
    const { incarnation, credit } = worker;
    return this.say(worker, { type: 'attempt.completed', incarnation, credit, ...report });
  }

  /** What an attempt of well-behaved user code produces: the same content whoever runs it. */
  outputOf(attempt: AttemptId): Output {
    const job = this.job(attempt.job);
    const inputs = attempt.task < job.spec.maps ? '' : generationText(job.generation);
    return { digest: `content-of-${attempt.job}-${attempt.task}`, bytes: 10, records: 1, inputs };
  }

  fail(worker: FakeWorker, attempt: AttemptId, failure: Partial<Failure> = {}): readonly MasterEffect[] {
    drop(worker.running, attempt);
    worker.credit++;
    const { incarnation, credit } = worker;
    const what = { kind: 'user', message: 'boom', ...failure } as const;
    worker.broken.push({ attempt, failure: what });
    return this.say(worker, { type: 'attempt.ended', incarnation, credit, attempt, failure: what });
  }

  /** A reduce gives up because it cannot read a map's output. */
  starve(
    worker: FakeWorker,
    attempt: AttemptId,
    source: AttemptId,
    reason: InvalidationReason = 'missing',
  ): readonly MasterEffect[] {
    drop(worker.running, attempt);
    worker.credit++;
    worker.starved.push({ attempt, source, reason });
    const { incarnation, credit } = worker;
    return this.say(worker, { type: 'input.unreadable', incarnation, credit, attempt, source, reason });
  }

  /** The worker's session breaks; what it has not read is lost. */
  hangUp(worker: FakeWorker): void {
    const { node: peer, session } = worker;
    worker.session = 0;
    worker.inbox = [];
    if (session !== 0) this.step({ type: 'peer.lost', peer, session });
  }

  /** Everything that runs is finished, until nothing runs any more. */
  completeAll(): void {
    for (let found = true; found; ) {
      found = false;
      for (const worker of this.workers.values()) {
        for (const attempt of [...worker.running]) {
          found = true;
          this.complete(worker, attempt);
        }
      }
    }
  }

  // ---- clients --------------------------------------------------------------------------------------------------

  /** A client, a session for each call, asks for a job. */
  submit(spec: JobSpec = specOf(), requestId = 'request-1', acceptedSlot = 0): readonly MasterEffect[] {
    const session = ++this.#sessions;
    this.step({ type: 'peer.connected', peer: 'client-1', session });
    const message = { type: 'job.submit', requestId, spec, acceptedSlot } as const;
    return this.step({ type: 'message.received', from: 'client-1', session, message });
  }

  drain(): readonly MasterEffect[] {
    const session = ++this.#sessions;
    this.step({ type: 'peer.connected', peer: 'client-1', session });
    const message = { type: 'drain.request', requestId: 'request-1' } as const;
    return this.step({ type: 'message.received', from: 'client-1', session, message });
  }

  // ---- time -----------------------------------------------------------------------------------------------------

  /** Time passes: deadlines come in their order, and all workers beat but the silent ones. */
  pass(us: number, silent: readonly FakeWorker[] = []): void {
    const end = this.now + us;
    let nextBeat = this.now + this.config.beatUs;
    for (;;) {
      const due = earliest(this.master.deadlines);
      this.now = Math.max(this.now, Math.min(due?.at ?? end, nextBeat, end));
      if (due && due.at <= this.now) {
        this.step({ type: 'clock.reached', deadline: { kind: due.kind, id: due.id } });
      } else if (nextBeat <= this.now) {
        nextBeat += this.config.beatUs;
        for (const worker of this.workers.values()) if (!silent.includes(worker)) this.beat(worker);
      } else {
        return;
      }
    }
  }

  // ---- looking --------------------------------------------------------------------------------------------------

  mark(): void {
    this.effects = [];
    this.told = [];
    this.appends = [];
    for (const worker of this.workers.values()) worker.heard.length = 0;
  }

  decided(decision: Decision): Decide[] {
    return this.effects.filter(
      (effect): effect is Decide => effect.type === 'decide' && effect.decision === decision,
    );
  }

  job(id = 1): DurableJob {
    return findJob(this.master.durable, id)!;
  }

  /** What a worker runs, in words: `map-0@2`. */
  runs(worker: FakeWorker): string[] {
    return worker.running.map((attempt) => this.name(attempt));
  }

  name(attempt: AttemptId): string {
    return `${taskName(attempt.task, this.job(attempt.job).spec.maps)}@${attempt.n}`;
  }

  /** The verdicts a worker was given, in words: `map-0@2 superseded`. */
  verdicts(worker: FakeWorker): string[] {
    return worker.heard.flatMap((message) =>
      message.type === 'attempt.answer' ? [`${this.name(message.attempt)} ${message.verdict}`] : [],
    );
  }

  /** What a worker was told to stop, in words: `map-0@2 superseded`. */
  revoked(worker: FakeWorker): string[] {
    return worker.heard.flatMap((message) =>
      message.type === 'attempt.revoke' ? [`${this.name(message.attempt)} ${message.reason}`] : [],
    );
  }

  commits(): TaskCommit[] {
    return this.records().flatMap((record) =>
      record.type === 'task.committed'
        ? [`${this.name(record.attempt)} by ${record.holder.node}` as const]
        : [],
    );
  }
}

type TaskCommit = `${string} by ${string}`;

function drop(list: AttemptId[], attempt: AttemptId): boolean {
  const position = list.findIndex((other) => sameAttempt(other, attempt));
  if (position >= 0) list.splice(position, 1);
  return position >= 0;
}

/** A leader with a job and `workers` workers of one slot, or of as many as said. */
export function benchWith(
  workers: number,
  spec: JobSpec = specOf(),
  options: BenchOptions & { slots?: number } = {},
): { bench: Bench; workers: FakeWorker[] } {
  const bench = new Bench(options);
  bench.submit(spec);
  const joined = Array.from({ length: workers }, (_, index) =>
    bench.join(`worker-${index + 1}`, { slots: options.slots ?? 1 }),
  );
  return { bench, workers: joined };
}

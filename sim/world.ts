/**
 * The world: virtual time, nodes, and the models of everything between them. It hands events to the machines, performs
 * their effects, and tells facts to whoever listens. It decides nothing that a machine should decide.
 */
import { chainText, extendChain, newChain } from '../core/chain.js';
import { type ClusterConfig, defaultClusterConfig } from '../core/config.js';
import { earliest } from '../core/deadlines.js';
import type { Effect } from '../core/effects.js';
import type { MachineEvent } from '../core/events.js';
import { mixInt } from '../core/hash.js';
import { taskName } from '../core/ids.js';
import { type MachineSetup, type Role, startMachine } from '../core/machine.js';
import type { JobStatus } from '../core/messages.js';
import type { JobSpec } from '../core/records.js';
import { ExecutorModel } from './executor-model.js';
import { FileModel } from './file-model.js';
import type { Host, Pause, Steps } from './host.js';
import { JournalModel } from './journal-model.js';
import { LeaseModel } from './lease-model.js';
import { Network } from './network.js';
import { type Life, livingLife, newNode, type SimNode } from './nodes.js';
import type { Observer } from './observer.js';
import { OutputModel } from './output-model.js';
import type { Plants } from './plants.js';
import { EventQueue, type Task } from './queue.js';
import { draw, drawKey, type Seed, within } from './random.js';
import type { FactName } from './scenario/fact-names.js';
import { type Fact, newFactReader, ordinalOf, readFacts } from './scenario/facts.js';
import { clientName, masterNames, type Scenario, workerNames } from './scenario/types.js';
import { type JobRegistry, Work } from './work.js';

/** One of the scenario's jobs on its way. */
export interface WorldJob {
  readonly work: Work;
  readonly requestId: string;
  readonly spec: JobSpec;
  /** What its client was told in the end. */
  conclusion: { readonly atUs: number; readonly status?: JobStatus; readonly refused?: string } | undefined;
}

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly seed: Seed;
  readonly registry: JobRegistry;
  readonly plants: Plants;
  /** Hears every fact as it comes about, after the step that brought it. */
  readonly heard: (fact: Fact) => void;
}

const startTime = drawKey('start time');
const startUs = { min: 0, max: 50_000 };
const timerOrder = drawKey('timer order');

export class World implements Host {
  readonly scenario: Scenario;
  readonly seed: Seed;
  readonly plants: Plants;
  readonly observers: Observer[] = [];
  readonly nodes = new Map<string, SimNode>();
  readonly jobs: readonly WorldJob[];
  readonly facts: Fact[] = [];
  readonly reader = newFactReader();
  readonly config: ClusterConfig;
  readonly network: Network;
  readonly journal: JournalModel;
  readonly lease: LeaseModel;
  readonly files: FileModel;
  readonly outputs: OutputModel;
  readonly executors: ExecutorModel;
  nowUs = 0;
  steps = 0;
  readonly #queue = new EventQueue();
  readonly #chain = newChain();
  readonly #heard: (fact: Fact) => void;
  readonly #worksByHash: ReadonlyMap<string, Work>;

  constructor(options: WorldOptions) {
    const { scenario, seed, registry, plants } = options;
    const { cluster } = scenario;
    this.scenario = scenario;
    this.seed = seed;
    this.plants = plants;
    this.#heard = options.heard;
    this.config = configOf(scenario);
    this.jobs = scenario.jobs.map((_, index) => newJob(scenario, index, registry));
    this.#worksByHash = new Map(this.jobs.map(({ work }) => [work.hash, work]));
    for (const name of masterNames(cluster)) this.#addNode(name, 'master');
    for (const name of workerNames(cluster)) this.#addNode(name, 'worker');
    for (const index of scenario.jobs.keys()) this.#addNode(clientName(index), 'client');
    this.network = new Network(this, this.nodes, cluster.latencyUs, cluster.suspectUs);
    this.journal = new JournalModel(this);
    this.lease = new LeaseModel(this);
    this.files = new FileModel(this, cluster.mapOutputs);
    this.outputs = new OutputModel(this, this.files);
    this.executors = new ExecutorModel(this, {
      files: this.files,
      network: this.network,
      works: this.#worksByHash,
      beatUs: cluster.beatUs,
    });
  }

  /** The hash over every step so far. */
  get chain(): string {
    return chainText(this.#chain);
  }

  get nextUs(): number {
    return this.#queue.nextUs;
  }

  /** Everybody starts, within a few milliseconds; the first job is submitted. */
  start(): void {
    for (const node of this.nodes.values()) {
      if (node.kind === 'client' && node.name !== clientName(0)) continue;
      this.later(within(startUs, draw(this.seed, startTime, node.key)), () => this.startNode(node));
    }
  }

  /** Takes what comes next. False when nothing does. */
  advance(): boolean {
    const atUs = this.#queue.nextUs;
    const task = this.#queue.pop();
    if (!task) return false;
    this.nowUs = atUs;
    task();
    return true;
  }

  // ---- time and lives -------------------------------------------------------------------------------------------

  later(delayUs: number, task: Task): void {
    this.#queue.push(this.nowUs + delayUs, task);
  }

  laterFor(life: Life, delayUs: number, task: Task): void {
    this.#queue.push(this.nowUs + delayUs, () => this.runFor(life, task));
  }

  runFor(life: Life, task: Task): void {
    if (life.ended) return;
    if (life.node.status === 'paused') life.node.held.push(task);
    else task();
  }

  play<T>(life: Life, steps: Steps<T>, done: (result: T) => void): void {
    const { value, done: ended } = steps.next();
    if (ended) {
      done(value);
      return;
    }
    this.laterFor(life, value.delayUs, () => {
      if (value.point !== undefined) this.#reach(life, value, value.point);
      this.runFor(life, () => this.play(life, steps, done));
    });
  }

  #reach(life: Life, { job, attempt }: Pause, point: string): void {
    const detail = { point };
    if (!attempt) {
      this.tell('point-reached', life.node.name, { ...(job === undefined ? {} : { job }), detail });
      return;
    }
    const task = taskName(attempt.task, this.reader.mapsOfJob.get(attempt.job)!);
    const ordinal = ordinalOf(this.reader, attempt);
    const about = { job: attempt.job, attempt, task, ordinal, worker: life.node.name };
    this.tell('point-reached', life.node.name, { ...about, detail });
  }

  startNode(node: SimNode): void {
    const before = node.life;
    const incarnation = ++node.incarnations;
    const life: Life = { node, incarnation, machine: startMachine(this.#setup(node, before)), ended: false };
    node.life = life;
    node.status = 'up';
    node.timerUs = Number.POSITIVE_INFINITY;
    node.timerDue = false;
    node.held = [];
    if (before) this.tell('node-restarted', node.name);
    const job = node.kind === 'client' ? this.#jobOf(node) : undefined;
    if (job && !before) this.outputs.prepare(job.spec.output, job.requestId);
    this.feed(life, { type: 'node.started' });
    if (job) this.feed(life, { type: 'job.requested', requestId: job.requestId, spec: job.spec });
  }

  /** As kill -9. */
  crash(node: SimNode): boolean {
    const life = livingLife(node);
    if (!life) return false;
    life.ended = true;
    node.status = 'down';
    node.held = [];
    this.network.ended(life);
    this.journal.ended(life);
    this.lease.ended(life);
    this.executors.ended(life);
    this.files.ended(life);
    this.tell('node-crashed', node.name);
    return true;
  }

  /** As SIGSTOP: sockets stay open, what arrives waits. */
  pause(node: SimNode): boolean {
    if (node.status !== 'up') return false;
    node.status = 'paused';
    node.pauses++;
    this.tell('node-paused', node.name);
    return true;
  }

  resume(node: SimNode): boolean {
    const { life } = node;
    if (node.status !== 'paused' || !life) return false;
    node.status = 'up';
    this.tell('node-resumed', node.name);
    const timersFirst = draw(this.seed, timerOrder, node.key, node.pauses) % 2 === 0;
    const timer = (): void => this.runFor(life, () => this.#onTimer(life));
    const due = node.timerDue;
    node.timerDue = false;
    if (due && timersFirst) timer();
    for (const task of node.held.splice(0)) this.runFor(life, task);
    if (due && !timersFirst) timer();
    return true;
  }

  // ---- steps ----------------------------------------------------------------------------------------------------

  feed(life: Life, event: MachineEvent): void {
    if (life.ended) return;
    const { node, machine } = life;
    const told = this.plants.event ? this.plants.event(life, event) : event;
    if (!told) return;
    this.steps++;
    let effects = machine.step(told, this.nowUs);
    machine.check();
    if (this.plants.effects) effects = this.plants.effects(life, told, effects);
    mixInt(this.#chain.hash, node.key);
    extendChain(this.#chain, this.nowUs, event, effects);
    const facts = readFacts(this.reader, { node: node.name, atUs: this.nowUs, event, effects });
    const step = { index: this.steps, atUs: this.nowUs, life, event, effects };
    for (const observer of this.observers) observer.stepped?.(step);
    for (const effect of effects) this.#perform(life, effect);
    this.#armTimer(life);
    for (const fact of facts) this.#note(fact);
  }

  tell(name: FactName, node: string, more: Partial<Fact> = {}): void {
    this.#note({ name, atUs: this.nowUs, node, ...more });
  }

  #note(fact: Fact): void {
    // Places are passed all the time: only those at which something happens are worth remembering, and that is told.
    if (fact.name !== 'point-reached') this.facts.push(fact);
    this.#heard(fact);
  }

  #armTimer(life: Life): void {
    const next = earliest(life.machine.deadlines)?.at;
    const { node } = life;
    if (next === undefined || next >= node.timerUs || life.ended) return;
    const atUs = Math.max(next, this.nowUs);
    node.timerUs = atUs;
    this.#queue.push(atUs, () => {
      if (life.ended || node.timerUs !== atUs) return;
      node.timerUs = Number.POSITIVE_INFINITY;
      if (node.status === 'paused') node.timerDue = true;
      else this.#onTimer(life);
    });
  }

  /** One event for each deadline that is due. */
  #onTimer(life: Life): void {
    for (;;) {
      const next = earliest(life.machine.deadlines);
      if (!next || next.at > this.nowUs || life.ended || life.node.status !== 'up') break;
      this.feed(life, { type: 'clock.reached', deadline: { kind: next.kind, id: next.id } });
    }
    if (!life.ended && life.node.status === 'paused') life.node.timerDue = true;
    this.#armTimer(life);
  }

  #perform(life: Life, effect: Effect): void {
    switch (effect.type) {
      case 'message.send':
        return this.network.send(life, effect.session, effect.message);
      case 'peer.connect':
        return this.network.connect(life, effect.peer, effect.session);
      case 'peer.disconnect':
        return this.network.disconnect(life, effect.session);
      case 'lease.campaign':
        return this.lease.campaign(life, effect);
      case 'lease.resign':
        return this.lease.resign(life);
      case 'journal.append':
        return this.journal.append(life, effect);
      case 'journal.read':
        return this.journal.read(life, effect.from);
      case 'output.publish':
        return this.outputs.publish(life, effect, this.#worksByHash.get(effect.work)!.scenario.overwrite);
      case 'attempt.run':
        return this.executors.run(life, effect);
      case 'attempt.abort':
        return this.executors.abort(life, effect.attempt);
      case 'outputs.learn':
        return this.executors.learn(life, effect);
      case 'output.discard':
        return this.files.discard(effect.attempt, 'order');
      case 'job.discard':
        this.executors.forget(life, effect.job);
        return this.files.discardJob(life.node.name, effect.job);
      case 'job.conclude':
        return this.#conclude(life.node, effect);
      case 'decide':
      case 'job.report':
      case 'drain.conclude':
        return;
    }
  }

  // ---- jobs -----------------------------------------------------------------------------------------------------

  #conclude(client: SimNode, effect: Effect & { type: 'job.conclude' }): void {
    const job = this.#jobOf(client);
    if (job.conclusion) return;
    const { status, refused } = effect;
    job.conclusion = {
      atUs: this.nowUs,
      ...(status ? { status } : {}),
      ...(refused ? { refused: refused.message } : {}),
    };
    const next = this.nodes.get(clientName(job.work.index + 1));
    if (next) this.later(within(startUs, draw(this.seed, startTime, next.key)), () => this.startNode(next));
  }

  #jobOf(client: SimNode): WorldJob {
    return this.jobs.find((job) => clientName(job.work.index) === client.name)!;
  }

  #addNode(name: string, kind: Role): void {
    this.nodes.set(name, newNode(name, kind));
  }

  #setup(node: SimNode, before: Life | undefined): MachineSetup {
    const life = { node: node.name, incarnation: node.incarnations };
    const { config } = this;
    if (node.kind !== 'worker') return { role: node.kind, config, life };
    const previous = before ? { previous: { incarnation: before.incarnation, end: 'killed' as const } } : {};
    return { role: 'worker', config, life, slots: this.scenario.cluster.slots, ...previous };
  }
}

function configOf({ cluster }: Scenario): ClusterConfig {
  const { beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs, mapOutputs } = cluster;
  const times = { beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs };
  return { ...defaultClusterConfig, ...times, masters: masterNames(cluster), mapOutputs };
}

function newJob(scenario: Scenario, index: number, registry: JobRegistry): WorldJob {
  const job = scenario.jobs[index]!;
  const work = new Work(index, job, registry);
  const { maps, reduces, output, policy } = job;
  const spec: JobSpec = { name: job.run, work: work.hash, maps, reduces, output, policy };
  return { work, requestId: `request-${index + 1}`, spec, conclusion: undefined };
}

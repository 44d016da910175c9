/**
 * The world: virtual time, nodes, and the models of everything between them. It hands events to the machines, performs
 * their effects, and tells facts to whoever listens. It decides nothing that a machine should decide.
 */
import type { ClusterConfig } from '../core/config.js';
import { earliest } from '../core/deadlines.js';
import type { Effect } from '../core/effects.js';
import type { MachineEvent } from '../core/events.js';
import { type AttemptId, taskName } from '../core/ids.js';
import { startMachine } from '../core/machine.js';
import { Evidence } from './evidence.js';
import { ExecutorModel } from './executor-model.js';
import { FileModel } from './file-model.js';
import type { Frame } from './frames.js';
import type { Host, Pause, Steps, Task } from './host.js';
import { JournalModel } from './journal-model.js';
import { LeaseModel } from './lease-model.js';
import { Network } from './network.js';
import { type ClockFault, clockUs, type Life, livingLife, type SimNode, setClock, worldUs } from './nodes.js';
import { newAudience, type WorldStep } from './observer.js';
import { OutputModel } from './output-model.js';
import type { Plants } from './plants.js';
import { EventQueue } from './queue.js';
import { draw, drawKey, type Seed, within } from './random.js';
import type { FactName } from './scenario/fact-names.js';
import {
  aboutJob,
  countAssigned,
  type Fact,
  type FactReader,
  newFactReader,
  ordinalOf,
  readFacts,
  type Step,
} from './scenario/facts.js';
import { clientName, hasJobsAtOnce, type Scenario } from './scenario/types.js';
import { StoreHealth } from './store-health.js';
import type { JobRegistry, Work } from './work.js';
import { configOf, newJob, newNodes, pointsAwaited, setupOf, type WorldJob } from './world-setup.js';

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly seed: Seed;
  readonly registry: JobRegistry;
  readonly plants: Plants;
  /** Whether facts are made: they cost a fifth of a run, and mostly nobody waits for any. */
  readonly tells: boolean;
  /** Hears every fact as it comes about, after the step that brought it. */
  readonly heard: (fact: Fact) => void;
}

/** What an entry of the queue means. */
const due = {
  /** `subject` is a task. */
  task: 0,
  /** `subject` is a task of the life `owner`. */
  lifeTask: 1,
  /** The timer of the node `subject`. */
  timer: 2,
  /** The frame `subject` arrives. */
  frame: 3,
  /** The pause of `subject`, a process between two steps, is over. */
  step: 4,
} as const;

type LentStep = { -readonly [Field in keyof (WorldStep & Step)]: (WorldStep & Step)[Field] };

/** What a process does between two of its steps. */
interface Playing {
  readonly life: Life;
  readonly pause: Pause;
  readonly next: Task;
}

/** Told of any frame that a fault hits, be it a beat. */
const ofFrames: ReadonlySet<FactName> = new Set([
  'message-duplicated',
  'message-held',
  'message-lost',
  'message-straggled',
]);

const noFacts: readonly Fact[] = [];

const startTime = drawKey('start time');
const startUs = { min: 0, max: 50_000 };
const timerOrder = drawKey('timer order');

export class World implements Host {
  readonly scenario: Scenario;
  readonly seed: Seed;
  readonly plants: Plants;
  readonly audience = newAudience();
  readonly nodes: ReadonlyMap<string, SimNode>;
  readonly jobs: readonly WorldJob[];
  readonly facts: Fact[] = [];
  readonly reader: FactReader;
  readonly config: ClusterConfig;
  readonly network: Network;
  readonly store: StoreHealth;
  readonly journal: JournalModel;
  readonly lease: LeaseModel;
  readonly files: FileModel;
  readonly outputs: OutputModel;
  readonly executors: ExecutorModel;
  nowUs = 0;
  steps = 0;
  /** Grows with everything that is decided, begun or told: as long as it stands still, only beats come and go. */
  stirred = 0;
  readonly #queue = new EventQueue();
  readonly #evidence = new Evidence();
  /** The last step, in an object that each step uses again. */
  #step: LentStep | undefined;
  #drained = false;
  readonly #tells: boolean;
  readonly #heard: (fact: Fact) => void;
  readonly #worksByHash: ReadonlyMap<string, Work>;
  readonly #pointsAwaited: ReadonlySet<string> | 'all';

  constructor(options: WorldOptions) {
    const { scenario, seed, registry, plants } = options;
    const { cluster } = scenario;
    this.scenario = scenario;
    this.seed = seed;
    this.plants = plants;
    this.#tells = options.tells;
    this.#heard = options.heard;
    this.#pointsAwaited = pointsAwaited(scenario.faults);
    this.config = configOf(scenario);
    this.jobs = scenario.jobs.map((_, index) => newJob(scenario, index, registry));
    this.reader = newFactReader(hasJobsAtOnce(scenario) ? this.jobs.map(({ requestId }) => requestId) : []);
    this.#worksByHash = new Map(this.jobs.map(({ work }) => [work.hash, work]));
    this.nodes = newNodes(scenario, seed);
    this.network = new Network(this, this.nodes, cluster.latencyUs, cluster.suspectUs);
    this.store = new StoreHealth(this, cluster.stores);
    this.journal = new JournalModel(this, this.store);
    this.lease = new LeaseModel(this, this.store);
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
    return this.#evidence.text;
  }

  get clientNames(): string[] {
    return this.jobs.map((_, index) => clientName(index));
  }

  get nextUs(): number {
    return this.#queue.nextUs;
  }

  /** Everybody starts, within a few milliseconds; the first job is submitted, others at their time or after it. */
  start(): void {
    for (const node of this.nodes.values()) if (node.kind !== 'client') this.#startSoon(node);
    for (const [index, { atUs }] of this.scenario.jobs.entries()) {
      const client = this.nodes.get(clientName(index))!;
      if (atUs !== undefined) this.later(atUs, () => this.#submitSoon(client));
      else if (index === 0) this.#startSoon(client);
    }
  }

  /** Unless a drain came before, or a fault has started it. */
  #submitSoon(client: SimNode): void {
    if (!this.#drained && client.firstStart === 'later') this.#startSoon(client);
  }

  /** Unless a fault starts it or puts it down before. */
  #startSoon(node: SimNode): void {
    node.firstStart = 'soon';
    this.later(within(startUs, draw(this.seed, startTime, node.key)), () => {
      if (node.firstStart === 'soon') this.startNode(node);
    });
  }

  /** Takes what comes next. False when nothing does. */
  advance(): boolean {
    const atUs = this.#queue.nextUs;
    const kind = this.#queue.pop();
    if (kind < 0) return false;
    this.nowUs = atUs;
    const { subject, owner } = this.#queue;
    switch (kind) {
      case due.frame:
        this.network.arrive(subject as Frame);
        break;
      case due.timer:
        this.#timerCame(subject as SimNode);
        break;
      case due.step:
        this.#pauseOver(subject as Playing);
        break;
      case due.lifeTask:
        this.runFor(owner as Life, subject as Task);
        break;
      default:
        (subject as Task)();
    }
    return true;
  }

  // ---- time and lives -------------------------------------------------------------------------------------------

  later(delayUs: number, task: Task): void {
    this.#queue.push(this.nowUs + delayUs, due.task, task);
  }

  laterFor(life: Life, delayUs: number, task: Task): void {
    this.#queue.push(this.nowUs + delayUs, due.lifeTask, task, life);
  }

  arriveAt(atUs: number, frame: Frame): void {
    this.#queue.push(atUs, due.frame, frame);
  }

  runFor(life: Life, task: Task): void {
    if (life.ended) return;
    if (life.node.status === 'paused') life.node.held.push(task);
    else task();
  }

  play<T>(life: Life, steps: Steps<T>, done: (result: T) => void): void {
    const next = (): void => {
      const step = steps.next();
      if (step.done) done(step.value);
      else this.goOn(life, step.value, next);
    };
    next();
  }

  goOn(life: Life, pause: Pause, next: Task): void {
    this.#queue.push(this.nowUs + pause.delayUs, due.step, { life, pause, next });
  }

  /** The pause is over: the point is reached, and unless a fault hits there, the next step is taken. */
  #pauseOver(playing: Playing): void {
    const { life, pause, next } = playing;
    if (life.ended) return;
    if (life.node.status === 'paused') {
      life.node.held.push(() => this.#pauseOver(playing));
      return;
    }
    if (pause.point !== undefined && this.#isAwaited(pause.point)) this.#reach(life, pause, pause.point);
    if (life.node.status === 'up') next();
    else this.runFor(life, next);
  }

  #isAwaited(point: string): boolean {
    const awaited = this.#pointsAwaited;
    return awaited === 'all' || (awaited.size > 0 && awaited.has(point));
  }

  #reach(life: Life, { job, attempt }: Pause, point: string): void {
    const detail = { point };
    if (!attempt) {
      const about = job === undefined ? {} : aboutJob(this.reader, job);
      this.tell('point-reached', life.node.name, { ...about, detail });
      return;
    }
    const task = taskName(attempt.task, this.reader.mapsOfJob.get(attempt.job)!);
    const ordinal = this.ordinalOf(attempt);
    const worker = life.node.name;
    const about = { ...aboutJob(this.reader, attempt.job), attempt, task, ordinal, worker };
    this.tell('point-reached', life.node.name, { ...about, detail });
  }

  startNode(node: SimNode): void {
    const before = node.life;
    const incarnation = ++node.incarnations;
    const life: Life = {
      node,
      incarnation,
      machine: startMachine(setupOf(node, before, this.config, this.scenario.cluster.slots)),
      ended: false,
    };
    node.life = life;
    node.status = 'up';
    node.firstStart = 'past';
    node.timerDue = false;
    node.held = [];
    if (before) this.tell('node-restarted', node.name);
    const job = node.kind === 'client' ? this.#jobOf(node) : undefined;
    if (job && !before) this.outputs.prepare(job.spec.output, job.requestId);
    this.feed(life, { type: 'node.started' });
    if (job) this.feed(life, { type: 'job.requested', requestId: job.requestId, spec: job.spec });
    if (job && this.#drained) this.feed(life, { type: 'drain.requested' });
  }

  /** As kill -9; or the process dies by itself, and whoever watches it sees the difference. */
  crash(node: SimNode, end: SimNode['previousEnd'] = 'killed'): boolean {
    const life = livingLife(node);
    if (!life && node.firstStart !== 'soon') return false;
    node.firstStart = 'past';
    if (life) this.#endLife(life, end);
    this.tell('node-crashed', node.name);
    return true;
  }

  #endLife(life: Life, end: SimNode['previousEnd']): void {
    const { node } = life;
    life.ended = true;
    node.status = 'down';
    node.previousEnd = end;
    node.held = [];
    this.network.ended(life);
    this.journal.ended(life);
    this.lease.ended(life);
    this.executors.ended(life);
    this.files.ended(life);
  }

  processDied({ node }: Life, replacedAfterUs: number): void {
    if (!this.crash(node, 'crashed')) return;
    this.later(replacedAfterUs, () => {
      if (node.status === 'down') this.startNode(node);
    });
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

  /** The node's clock leaps or changes its rate; its timers go by it. `hit` is called when a step has read another time. */
  changeClock(node: SimNode, change: Parameters<typeof setClock>[2], hit?: () => void): void {
    if (hit) node.clockFaults = [...node.clockFaults, { without: { ...node.clock }, hit }];
    setClock(node.clock, this.nowUs, change);
    if (node.life) this.#armTimer(node.life);
  }

  // ---- steps ----------------------------------------------------------------------------------------------------

  feed(life: Life, event: MachineEvent): void {
    if (life.ended) return;
    const { node, machine } = life;
    const told = this.plants.event ? this.plants.event(life, event) : event;
    if (!told) return;
    this.steps++;
    const ownUs = this.#readClock(node);
    let effects = machine.step(told, ownUs);
    machine.checkStep(told, effects);
    if (this.plants.effects) effects = this.plants.effects(life, told, effects);
    this.#evidence.add(node.key, ownUs, event, effects);
    const step = this.#lend(life, ownUs, event, effects);
    const facts = this.#tells ? readFacts(this.reader, step) : noFacts;
    this.#show(step);
    for (const effect of effects) this.#perform(life, effect);
    this.#armTimer(life);
    for (const fact of facts) this.#note(fact);
  }

  #readClock(node: SimNode): number {
    const ownUs = clockUs(node.clock, this.nowUs);
    if (node.clockFaults.length === 0) return ownUs;
    const differs = ({ without }: ClockFault) => clockUs(without, this.nowUs) !== ownUs;
    const seen = node.clockFaults.filter(differs);
    node.clockFaults = node.clockFaults.filter((fault) => !differs(fault));
    for (const { hit } of seen) hit();
    return ownUs;
  }

  /** To whom it concerns: a step asks few observers, each of a kind that the engine comes to know at its place. */
  #show(step: LentStep): void {
    const { audience } = this;
    switch (step.life.node.kind) {
      case 'master':
        for (const observer of audience.masterStepped) observer.masterStepped(step);
        break;
      case 'worker':
        for (const observer of audience.workerStepped) observer.workerStepped(step);
        break;
      case 'client':
        for (const observer of audience.clientStepped) observer.clientStepped(step);
        break;
    }
    for (const observer of audience.stepped) observer.stepped(step);
  }

  #lend(life: Life, ownUs: number, event: MachineEvent, effects: readonly Effect[]): LentStep {
    const { nowUs: atUs, steps: index } = this;
    const step = (this.#step ??= { index, atUs, clockUs: ownUs, life, node: '', event, effects });
    step.index = index;
    step.atUs = atUs;
    step.clockUs = ownUs;
    step.life = life;
    step.node = life.node.name;
    step.event = event;
    step.effects = effects;
    return step;
  }

  ordinalOf(attempt: AttemptId): number {
    return ordinalOf(this.reader, attempt);
  }

  tell(name: FactName, node: string, more: Partial<Fact> = {}): void {
    if (!ofFrames.has(name)) this.stirred++;
    if (this.#tells) this.#note({ name, atUs: this.nowUs, node, ...more });
  }

  #note(fact: Fact): void {
    // Places are passed all the time: only those at which something happens are worth remembering, and that is told.
    if (fact.name !== 'point-reached') this.facts.push(fact);
    this.#heard(fact);
  }

  /** One entry per node: it moves when something is due earlier, and comes in vain when that is due later. */
  #armTimer(life: Life): void {
    const next = earliest(life.machine.deadlines);
    const { node } = life;
    if (!next || life.ended) return;
    const atUs = Math.max(worldUs(node.clock, next.at), this.nowUs);
    if (atUs >= node.timerUs) return;
    node.timerUs = atUs;
    if (node.timerHandle < 0) node.timerHandle = this.#queue.push(atUs, due.timer, node);
    else this.#queue.move(node.timerHandle, atUs);
  }

  #timerCame(node: SimNode): void {
    node.timerUs = Number.POSITIVE_INFINITY;
    node.timerHandle = -1;
    const { life } = node;
    if (!life || life.ended) return;
    if (node.status === 'paused') node.timerDue = true;
    else this.#onTimer(life);
  }

  /** One event for each deadline that is due by the node's clock. */
  #onTimer(life: Life): void {
    const { node, machine } = life;
    for (;;) {
      const next = earliest(machine.deadlines);
      if (!next || next.at > clockUs(node.clock, this.nowUs) || life.ended || node.status !== 'up') break;
      this.feed(life, { type: 'clock.reached', deadline: { kind: next.kind, id: next.id } });
    }
    if (!life.ended && node.status === 'paused') node.timerDue = true;
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
      case 'journal.trim':
        return this.journal.trim(life, effect);
      case 'output.publish':
        return this.outputs.publish(life, effect, this.#worksByHash.get(effect.work)!.scenario.overwrite);
      case 'attempt.run':
        this.stirred++;
        return this.executors.run(life, effect);
      case 'attempt.abort':
        return this.executors.abort(life, effect.attempt);
      case 'outputs.learn':
        return this.executors.learn(life, effect);
      case 'output.discard':
        return this.files.discard(effect.attempt);
      case 'job.discard':
        this.executors.forget(life, effect.job);
        return this.files.discardJob(life.node, effect.job);
      case 'job.conclude':
        return this.#conclude(life.node, effect);
      case 'decide':
        if (!this.#tells) countAssigned(this.reader, effect);
        this.stirred++;
        return;
      case 'drain.conclude':
        this.#jobOf(life.node).conclusion = { atUs: this.nowUs, drained: true };
        return;
      case 'job.report':
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
    const next = job.work.index + 1;
    if (this.scenario.jobs[next] && this.scenario.jobs[next].atUs === undefined) {
      this.#submitSoon(this.nodes.get(clientName(next))!);
    }
  }

  /** The user wants no more to begin, of any job. False when nobody is there to say so, or nothing is left to be drained. */
  drain(): boolean {
    if (this.#drained) return false;
    const lives = this.jobs.flatMap((job) => {
      const { life } = this.clientOf(job);
      return !job.conclusion && life && !life.ended ? [life] : [];
    });
    if (lives.length === 0) return false;
    this.#drained = true;
    for (const life of lives) this.runFor(life, () => this.feed(life, { type: 'drain.requested' }));
    return true;
  }

  /** Whether the job will be asked for, or was: after a drain no more are. */
  isWanted(job: WorldJob): boolean {
    return !this.#drained || this.clientOf(job).firstStart !== 'later';
  }

  clientOf({ work }: WorldJob): SimNode {
    return this.nodes.get(clientName(work.index))!;
  }

  /** A drain has come to its end. */
  get isDrained(): boolean {
    return this.jobs.some(({ conclusion }) => conclusion?.drained);
  }

  #jobOf(client: SimNode): WorldJob {
    return this.jobs.find((job) => clientName(job.work.index) === client.name)!;
  }
}

/**
 * Performs a scenario's faults on real processes: listens to the steps of every node, lets the scenario's triggers say
 * what is due, and does it with signals, crash points and the file system.
 */
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { type AttemptId, type NodeId, taskName } from '../../core/ids.js';
import type { CrashPoint, ReachedFor } from '../../runtime/node/crash-points.js';
import { attemptFileName, type RunLayout } from '../../runtime/node/layout.js';
import { isLaterLife, type LocalCluster } from '../../runtime/run/local-cluster.js';
import type { FactName } from '../../sim/scenario/fact-names.js';
import { type Fact, newFactReader, ordinalOf, readFacts } from '../../sim/scenario/facts.js';
import {
  began,
  type Cast,
  type FiredFault,
  matchesTask,
  newTriggers,
  observe,
  resolveNode,
  type TimedFault,
  timedFaults,
} from '../../sim/scenario/triggers.js';
import {
  clientName,
  type Fault,
  type FaultKind,
  masterNames,
  type NodeTarget,
  type Scenario,
  type Trigger,
  workerNames,
} from '../../sim/scenario/types.js';
import { UserError } from '../user-error.js';

export class Conductor {
  readonly facts: Fact[] = [];
  /** Faults that began and changed something. */
  readonly effective = new Set<Fault>();
  readonly #scenario: Scenario;
  readonly #layout: RunLayout;
  readonly #say: (line: string) => void;
  readonly #reader = newFactReader();
  readonly #triggers;
  readonly #endings = new Map<Fault, () => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #notUp = new Set<NodeId>();
  /** The factors of those who are slow: a machine stays so when its process starts again. */
  readonly #slowed = new Map<NodeId, number[]>();
  /** When processes are started: a few moments before the first step that a trace tells of. */
  #startedAt = performance.now();
  /** Processes take their time to start, those of the simulator none: faults by the clock count from the first leader on. */
  #hasLed = false;
  #cluster: LocalCluster | undefined;

  /** Throws UserError for a fault that only the simulator can perform. */
  constructor(scenario: Scenario, layout: RunLayout, say: (line: string) => void) {
    for (const fault of scenario.faults) refuseUnreal(fault);
    const { clockOffsetUs, clockDriftPercent, latencyUs } = scenario.cluster;
    const own = scenario.jobs.findIndex(({ atUs }) => atUs !== undefined);
    if (own >= 0) refuse(`job ${own + 1}, which is submitted at a time of its own,`, oneByOne);
    if (scenario.heal) refuse('a core that is healed for good');
    if (scenario.jobs.some(({ cost }) => cost)) refuse('inputs of which only the sizes are given');
    if (clockOffsetUs.max > 0 || clockDriftPercent > 0) refuse('clocks that disagree');
    if (latencyUs.max > ownLatencyUs) refuse('a network that is slower than the machine');
    this.#scenario = scenario;
    this.#layout = layout;
    this.#say = say;
    this.#triggers = newTriggers(scenario);
  }

  begin(cluster: LocalCluster): void {
    this.#cluster = cluster;
    this.#startedAt = performance.now();
    this.#startClock(({ atUs }) => atUs === 0);
  }

  /** The crash points that count now for a node: those of faults whose turn has come and that have not hit anybody yet. */
  points(node: NodeId): CrashPoint[] {
    return [...this.#triggers.waiting].flatMap((fault) => {
      const { trigger, action } = fault;
      if (trigger.kind !== 'point' || !mayHit(trigger.on, node)) return [];
      const point = { name: trigger.point, fault: fault.index, ...this.#placeOf(trigger) };
      return [{ ...point, action: action.kind === 'crash' ? ('kill' as const) : ('stop' as const) }];
    });
  }

  watch(node: NodeId, event: MachineEvent, effects: readonly Effect[]): void {
    for (const fact of readFacts(this.#reader, { node, atUs: this.#nowUs(), event, effects }))
      this.#hear(fact);
  }

  /** A process has come to a crash point, and is hit by now. */
  pointReached(node: NodeId, point: CrashPoint, { job, attempt }: ReachedFor): void {
    const fact = { name: 'point-reached', atUs: this.#nowUs(), node, detail: { point: point.name } } as const;
    if (!attempt) return this.#hear({ ...fact, ...(job === undefined ? {} : { job }) });
    const task = taskName(attempt.task, this.#mapsOf(attempt.job));
    const ordinal = this.ordinalOf(attempt);
    this.#hear({ ...fact, job: attempt.job, attempt, task, ordinal, worker: node });
  }

  ordinalOf(attempt: AttemptId): number {
    return ordinalOf(this.#reader, attempt);
  }

  /** A trigger's job and task in the numbers that processes know. */
  #placeOf({ job, task }: Extract<Trigger, { kind: 'point' }>): Pick<CrashPoint, 'job' | 'task' | 'ordinal'> {
    if (!task) return job === undefined ? {} : { job };
    const index = task.kind === 'map' ? task.index : this.#mapsOf(job ?? 1) + task.index;
    return { job: job ?? 1, task: index, ...(task.ordinal === undefined ? {} : { ordinal: task.ordinal }) };
  }

  #mapsOf(job: number): number {
    return this.#scenario.jobs[job - 1]!.maps;
  }

  started(node: NodeId, incarnation: number): void {
    this.#notUp.delete(node);
    if (this.#slowed.has(node)) this.#tellSpeed(node);
    if (isLaterLife(incarnation)) this.#tell('node-restarted', node);
  }

  /** Ends everything that lasts, so that what was stopped can end. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.healAll();
  }

  healAll(): void {
    for (const fault of [...this.#endings.keys()]) this.#end(fault);
  }

  #nowUs(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000);
  }

  #startClock(ofThose: (timed: TimedFault) => boolean): void {
    for (const { fault, atUs } of timedFaults(this.#scenario).filter(ofThose)) {
      this.#later(atUs, () => {
        began(this.#triggers, fault);
        this.#begin(fault, undefined);
      });
    }
  }

  #later(delayUs: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, delayUs / 1000);
    this.#timers.add(timer);
  }

  #tell(name: FactName, node: NodeId): void {
    this.#hear({ name, atUs: this.#nowUs(), node });
  }

  #hear(fact: Fact): void {
    this.facts.push(fact);
    if (fact.name === 'leader-began' && !this.#hasLed) {
      this.#hasLed = true;
      this.#startClock(({ atUs }) => atUs > 0);
    }
    const before = this.#triggers.waiting.size + this.#triggers.dormant.size;
    const fired: readonly FiredFault[] = observe(this.#triggers, fact);
    const changed = this.#triggers.waiting.size + this.#triggers.dormant.size !== before || fired.length > 0;
    if (changed || this.#hasDormantPoints()) this.#sendPoints();
    for (const { fault, phase } of fired) {
      if (phase === 'begin') this.#begin(fault, fact);
      else this.#end(fault);
    }
  }

  #hasDormantPoints(): boolean {
    return [...this.#triggers.waiting].some(
      (fault) => fault.trigger.kind === 'point' && fault.after !== undefined,
    );
  }

  /** Each node hears which crash points count for it from now on. */
  #sendPoints(): void {
    if (!this.#scenario.faults.some((fault) => fault.trigger.kind === 'point')) return;
    for (const node of [...masterNames(this.#scenario.cluster), ...workerNames(this.#scenario.cluster)]) {
      this.#cluster?.supervisor.tell(node, { type: 'points', points: this.points(node) });
    }
  }

  #begin(fault: Fault, fact: Fact | undefined): void {
    const node = this.#perform(fault, fact);
    if (node === undefined) return;
    this.effective.add(fault);
    this.#say(`fault ${fault.index + 1}: ${fault.text}: ${node}`);
    if (fault.forUs !== undefined) this.#later(fault.forUs, () => this.#end(fault));
  }

  #end(fault: Fault): void {
    const ending = this.#endings.get(fault);
    this.#endings.delete(fault);
    ending?.();
  }

  /** Returns whom or what it hit; undefined when it changed nothing. */
  #perform(fault: Fault, fact: Fact | undefined): string | undefined {
    const { action, trigger } = fault;
    const { supervisor } = this.#cluster!;
    if (action.kind === 'lose' || action.kind === 'corrupt') return this.#spoil(fault, fact);
    if (action.kind === 'drain') {
      this.#cluster!.drain();
      return 'the run';
    }
    if (!('target' in action)) return undefined;
    const node = resolveNode(this.#triggers, action.target, fact, this.#cast());
    if (node === undefined) return undefined;
    const hitItself = trigger.kind === 'point';
    switch (action.kind) {
      case 'crash':
        if (!supervisor.hold(node)) return undefined;
        this.#notUp.add(node);
        this.#tell('node-crashed', node);
        if (action.restartAfterUs !== undefined)
          this.#later(action.restartAfterUs, () => supervisor.release(node));
        break;
      case 'restart':
        if (!supervisor.release(node)) return undefined;
        break;
      case 'pause':
        if (!hitItself && (this.#notUp.has(node) || !supervisor.signal(node, 'SIGSTOP'))) return undefined;
        this.#notUp.add(node);
        this.#tell('node-paused', node);
        this.#endings.set(fault, () => {
          supervisor.signal(node, 'SIGCONT');
          this.#notUp.delete(node);
          this.#tell('node-resumed', node);
        });
        break;
      case 'slow':
        if (!this.#cast().workers.includes(node)) return undefined;
        return this.#slow(fault, node, action.by);
    }
    return node;
  }

  /** Faults that overlap multiply, as in the simulator. */
  #slow(fault: Fault, node: NodeId, by: number): string | undefined {
    const factors = this.#slowed.get(node) ?? [];
    this.#slowed.set(node, factors);
    factors.push(by);
    if (!this.#tellSpeed(node)) {
      factors.pop();
      return undefined;
    }
    this.#tell('node-slowed', node);
    this.#endings.set(fault, () => {
      factors.splice(factors.indexOf(by), 1);
      this.#tellSpeed(node);
    });
    return node;
  }

  #tellSpeed(node: NodeId): boolean {
    const factor = (this.#slowed.get(node) ?? []).reduce((product, by) => product * by, 1);
    return this.#cluster?.supervisor.tell(node, { type: 'slow', factor }) ?? false;
  }

  /** Deletes or damages files of committed map attempts. */
  #spoil(fault: Fault, fact: Fact | undefined): string | undefined {
    const { action } = fault;
    if (action.kind !== 'lose' && action.kind !== 'corrupt') return undefined;
    const wanted = this.#filesOf(action.files, fact);
    const names = readdirSync(this.#layout.work, { recursive: true, encoding: 'utf8' }).filter((name) =>
      wanted.has(basename(name)),
    );
    for (const name of names) {
      const path = join(this.#layout.work, name);
      if (action.kind === 'lose') {
        rmSync(path);
      } else {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(path, bytes);
      }
    }
    if (names.length === 0) return undefined;
    for (const name of new Set(names.map((path) => basename(path))))
      this.#tellSpoiled(wanted.get(name)!, action.kind);
    return names.join(', ');
  }

  /** In the words of the simulator: with the attempt whose file it is, on its writer. */
  #tellSpoiled({ detail: _, ...finished }: Fact, how: 'lose' | 'corrupt'): void {
    const name = how === 'lose' ? 'files-lost' : 'files-corrupted';
    this.#hear({ ...finished, name, atUs: this.#nowUs(), worker: finished.node });
  }

  /** By the names of the files, what tells that each was finished. */
  #filesOf(
    files: Extract<Fault['action'], { files: unknown }>['files'],
    fact: Fact | undefined,
  ): Map<string, Fact> {
    const finished = this.facts.filter(
      (one) => one.name === 'finished' && one.attempt && one.task?.startsWith('map'),
    );
    const chosen = finished.filter((one) => {
      if (files.kind === 'its-output') return one.task === fact?.task && one.ordinal === fact?.ordinal;
      if (files.kind === 'attempt') return matchesTask(files.task, one);
      return one.node === resolveNode(this.#triggers, files.worker, fact, this.#cast());
    });
    return new Map(chosen.map((one) => [attemptFileName(one.attempt!, this.#mapsOf(one.job!)), one]));
  }

  #cast(): Cast {
    const { cluster } = this.#scenario;
    return {
      masters: masterNames(cluster),
      workers: workerNames(cluster),
      clients: this.#scenario.jobs.map((_, index) => clientName(index)),
      isUp: (node) => !this.#notUp.has(node),
      pick: (below) => randomInt(below),
    };
  }
}

/** Whether something that processes do themselves depends on which attempt of its task one is. */
export function namesAttempts({ jobs, faults }: Scenario): boolean {
  const ofJobs = jobs.flatMap(({ misbehaviours, times = [] }) => [...misbehaviours, ...times]);
  const ofPoints = faults.flatMap(({ trigger }) => (trigger.kind === 'point' ? [trigger] : []));
  return [...ofJobs, ...ofPoints].some(({ task }) => task?.ordinal !== undefined);
}

function mayHit(on: NodeTarget | undefined, node: NodeId): boolean {
  if (!on) return true;
  if (on.kind === 'node') return on.node === node;
  if (on.kind === 'leader') return node.startsWith('master');
  if (on.kind === 'any') return node.startsWith(on.of === 'worker' ? 'worker' : 'master');
  return true;
}

/** What scenarios that say nothing of latencies have at most: sessions within a machine are not slower. */
const ownLatencyUs = 2_000;

/** What signals, crash points, the file system and the user can do to real processes; the rest needs its own world. */
export const canBeReal = {
  crash: true,
  restart: true,
  pause: true,
  slow: true,
  lose: true,
  corrupt: true,
  // Power, clocks and disks belong to the machine, not to a process.
  blackout: false,
  jump: false,
  drift: false,
  fill: false,
  // Processes speak over sockets of the machine's own.
  drop: false,
  flap: false,
  partition: false,
  delay: false,
  loss: false,
  duplicate: false,
  reorder: false,
  hold: false,
  clog: false,
  // User code misbehaves from its start, or not at all.
  misbehave: false,
  // The store and the lease are files.
  obscure: false,
  expire: false,
  lag: false,
  sever: false,
  blur: false,
  halt: false,
  rewind: false,
  forget: false,
  failSync: false,
  drain: true,
} satisfies Record<FaultKind, boolean>;

const realKinds = (Object.keys(canBeReal) as FaultKind[]).filter((kind) => canBeReal[kind]);

function refuseUnreal(fault: Fault): void {
  if (!canBeReal[fault.action.kind]) refuse(`fault ${fault.index + 1} (${fault.text})`);
}

const oneByOne = 'a command runs one job at a time: the next is submitted when the one before has ended';

function refuse(
  what: string,
  why = `on real processes these faults can be performed: ${realKinds.join(', ')}`,
): never {
  throw new UserError({
    code: 'S020',
    what: `${what} can only be simulated`,
    why,
    next: 'rehearse sim plays the same file in virtual time',
  });
}

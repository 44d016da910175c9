/**
 * Keeps the processes of a local run alive: starts workers and standby masters, replaces those that end, with a growing
 * pause when they end quickly, and at the end kills them for certain, stopped ones too.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClusterConfig } from '../../core/config.js';
import { type AttemptId, lifeName, type NodeId } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import type { CrashPoint } from '../node/crash-points.js';
import type { RunLayout } from '../node/layout.js';
import { keepOutput } from './child-output.js';
import { takeChild } from './child-process.js';
import type { ChildSetup, Said, ToChild, ToParent } from './child-setup.js';
import { recordProcess } from './process-register.js';
import { SocketsGoneError } from './sockets-gone.js';

export interface SupervisorOptions {
  readonly config: ClusterConfig;
  readonly layout: RunLayout;
  readonly dataDirectory: string;
  readonly addresses: readonly (readonly [NodeId, string])[];
  readonly shuffleDirectory?: string;
  /** Incarnations begin above this: every start of the same run gets its own range. */
  readonly incarnationBase: number;
  /** What masters of former starts have left a record of. */
  readonly formerly?: EpochPlace;
  readonly workers: readonly NodeId[];
  /** Masters that run in processes of their own. */
  readonly masters: readonly NodeId[];
  readonly slots: number;
  readonly heapMiB: number;
  /** Workers are started before, and dial then. */
  readonly masterLeads: Promise<void>;
  readonly observer: ProcessObserver;
  /** A process cannot be started again, or not be written down. */
  failed(error: Error): void;
  /** For a rehearsal: where a node is hit, and that its steps are wanted. */
  readonly rehearsed?: {
    points(node: NodeId): readonly CrashPoint[];
    ordinalOf?(attempt: AttemptId): number;
  };
}

export interface ProcessObserver {
  started?(node: NodeId, incarnation: number, pid: number): void;
  /** `how` is an exit code or the name of a signal. */
  ended?(node: NodeId, incarnation: number, how: string, restartMs: number): void;
  said?(node: NodeId, message: Said): void;
}

interface Child {
  readonly node: NodeId;
  readonly role: 'master' | 'worker';
  incarnation: number;
  process: ChildProcess | undefined;
  startedAt: number;
  /** Ends in a row that came soon after the start. */
  quickEnds: number;
  /** Whether its process has become a node. */
  began: boolean;
  /** Lives in a row that ended before they began, by nobody's will; the system may have refused them a process. */
  unbegun: number;
  /** Until it has begun. */
  overdue: NodeJS.Timeout | undefined;
  /** It was killed because it did not begin. */
  hung: boolean;
  refusal: Error | undefined;
  previous: ChildSetup['previous'];
  /** Its processes so far are dead, and their logs hold what they printed. */
  exit: Promise<void>;
  timer: NodeJS.Timeout | undefined;
  /** A rehearsal wants it down until it says otherwise. */
  held: boolean;
}

/** An end this soon after the start counts towards the pause before the next start. */
const quickMs = 5000;
const pauseMsMax = 5000;
/** Who has not begun after so long hangs: Node does, when the system refuses it a thread while it starts. */
const beginsWithinMs = 30_000;
/** So many lives that do not begin, one after the other, take some seconds: there may not be so many processes, or open files. */
const unbegunBorne = 6;

/** Of a role there is no process, and none can be had: they end before they have done anything. */
export class UnbegunError extends Error {
  override readonly name = 'UnbegunError';
  readonly node: NodeId;
  /** An exit code, or the name of a signal. */
  readonly how: string;
  /** Where the last of them has said why, if it did. */
  readonly log: string;

  constructor(node: NodeId, how: string, log: string) {
    super(`${node} ended before it began (${how})`);
    this.node = node;
    this.how = how;
    this.log = log;
  }
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<NodeId, Child>();
  #stopping = false;
  #staying = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    mkdirSync(options.layout.logs, { recursive: true });
    const add = (role: 'master' | 'worker') => (node: NodeId) => {
      this.#children.set(node, {
        node,
        role,
        incarnation: options.incarnationBase,
        process: undefined,
        startedAt: 0,
        quickEnds: 0,
        began: false,
        unbegun: 0,
        overdue: undefined,
        hung: false,
        refusal: undefined,
        previous: undefined,
        exit: Promise.resolve(),
        timer: undefined,
        held: false,
      });
    };
    options.masters.forEach(add('master'));
    options.workers.forEach(add('worker'));
  }

  start(): void {
    for (const child of this.#children.values()) this.#spawn(child);
  }

  /** Sends a signal to a node's process; false when it has none. */
  signal(node: NodeId, signal: NodeJS.Signals): boolean {
    return this.#children.get(node)?.process?.kill(signal) ?? false;
  }

  /** Kills a node's process, if there is one, and starts no other until `release`. */
  hold(node: NodeId): boolean {
    const child = this.#children.get(node);
    if (!child || child.held) return false;
    child.held = true;
    clearTimeout(child.timer);
    child.process?.kill('SIGKILL');
    return true;
  }

  release(node: NodeId): boolean {
    const child = this.#children.get(node);
    if (!child?.held) return false;
    child.held = false;
    if (!child.process && !this.#stopping) this.#spawnAgain(child);
    return true;
  }

  tell(node: NodeId, message: ToChild): boolean {
    const child = this.#children.get(node)?.process;
    return child?.connected ? child.send(message) : false;
  }

  /** From now on children end with the run, and not because somebody tells a whole group of processes to end. */
  stay(): void {
    this.#staying = true;
    for (const node of this.#children.keys()) this.tell(node, { type: 'stay' });
  }

  /** Every child is dead when this resolves, whatever state it was in, and its log is written. */
  async killAll(): Promise<void> {
    this.#stopping = true;
    for (const child of this.#children.values()) {
      clearTimeout(child.timer);
      clearTimeout(child.overdue);
      child.process?.kill('SIGKILL'); // ends a stopped process too
    }
    await Promise.all([...this.#children.values()].map((child) => child.exit));
  }

  #spawn(child: Child): void {
    const options = this.#options;
    child.incarnation++;
    child.startedAt = performance.now();
    child.began = false;
    child.hung = false;
    const setup: ChildSetup = {
      role: child.role,
      life: { node: child.node, incarnation: child.incarnation },
      config: options.config,
      ...(options.formerly && child.role === 'master' ? { formerly: options.formerly } : {}),
      dataDirectory: options.dataDirectory,
      runId: options.layout.runId,
      addresses: options.addresses,
      ...(options.shuffleDirectory === undefined ? {} : { shuffleDirectory: options.shuffleDirectory }),
      slots: options.slots,
      heapMiB: options.heapMiB,
      ...(child.previous ? { previous: child.previous } : {}),
      points: options.rehearsed?.points(child.node) ?? [],
      watched: options.rehearsed !== undefined,
      asksOrdinals: options.rehearsed?.ordinalOf !== undefined,
    };
    const process_ = takeChild();
    child.process = process_;
    this.#listen(child, process_);
    const tell = (message: ToChild): void => {
      if (process_.connected) process_.send(message, () => {});
    };
    tell({ type: 'setup', setup });
    if (this.#staying) tell({ type: 'stay' });
    void options.masterLeads.then(() => tell({ type: 'dial' }));
    if (process_.pid !== undefined) {
      if (!options.rehearsed) this.#expectBegin(child, process_);
      recordProcess(options.layout, 'child', process_.pid);
      options.observer.started?.(child.node, child.incarnation, process_.pid);
    }
  }

  #expectBegin(child: Child, process_: ChildProcess): void {
    child.overdue = setTimeout(() => {
      child.hung = process_.kill('SIGKILL');
    }, beginsWithinMs).unref();
  }

  #listen(child: Child, process_: ChildProcess): void {
    const { layout, observer, rehearsed } = this.#options;
    const isStarted = process_.pid !== undefined;
    process_.on('error', (error) => {
      if (isStarted) return;
      child.refusal = error;
      this.#ended(child, error.message);
    });
    if (!isStarted) return; // it has no pipes, and nothing to say
    if (rehearsed)
      createInterface({ input: process_.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
        observer.said?.(child.node, JSON.parse(line) as Said);
      });
    process_.on('message', (message: ToParent) => {
      if (message.type === 'began') return begin(child);
      if (message.type !== 'ordinal-wanted') return observer.said?.(child.node, message);
      const { attempt } = message;
      const ordinal = rehearsed!.ordinalOf!(attempt);
      process_.send({ type: 'ordinal', attempt, ordinal } satisfies ToChild, () => {});
    });
    process_.once('exit', (code, signal) =>
      this.#ended(child, child.hung ? 'it hung' : (signal ?? String(code))),
    );
    const said = keepOutput(process_, join(layout.logs, `${lifeName(child)}.log`));
    child.exit = Promise.all([child.exit, said]).then(() => {}); // of the life before, too
  }

  #ended(child: Child, how: string): void {
    child.process = undefined;
    clearTimeout(child.overdue);
    if (this.#stopping) return;
    const quick = performance.now() - child.startedAt < quickMs;
    child.quickEnds = quick ? child.quickEnds + 1 : 0;
    child.previous = { incarnation: child.incarnation, end: outsideKill.has(how) ? 'killed' : 'crashed' };
    // What a rehearsed process said last, on its own pipe, must be heard before it is started again.
    const pauseMsMin = this.#options.rehearsed ? 100 : 0;
    const pauseMs = child.quickEnds < 2 ? pauseMsMin : Math.min(pauseMsMax, 100 * 2 ** (child.quickEnds - 2));
    this.#options.observer.ended?.(child.node, child.incarnation, how, pauseMs);
    if (child.held) return;
    child.timer = setTimeout(() => {
      if (!this.#stopping && !child.held && !child.process) this.#spawnAgain(child);
    }, pauseMs);
    if (!child.began && !outsideKill.has(how)) this.#endedUnbegun(child, how);
  }

  /** Without one that cannot be had the run goes on as long as another has its role. */
  #endedUnbegun(child: Child, how: string): void {
    const alike = [...this.#children.values()].filter(({ role }) => role === child.role);
    if (++child.unbegun < unbegunBorne || alike.some(({ began, process }) => began && process)) return;
    const log = join(this.#options.layout.logs, `${lifeName(child)}.log`);
    this.#options.failed(child.refusal ?? new UnbegunError(child.node, how, log));
  }

  /** Those that live have their sessions: workers that are left may come to the end, unless they need each other. */
  #refuseWithoutSockets({ role }: Child): void {
    const { addresses, shuffleDirectory } = this.#options;
    const sockets = dirname(addresses[0]![1]);
    if (existsSync(sockets)) return;
    const isLast = ![...this.#children.values()].some((other) => other.role === role && other.process);
    if (role === 'master' || shuffleDirectory !== undefined || isLast) throw new SocketsGoneError(sockets);
  }

  /** Nobody waits for it. */
  #spawnAgain(child: Child): void {
    try {
      this.#refuseWithoutSockets(child);
      this.#spawn(child);
    } catch (error) {
      this.#options.failed(error as Error);
    }
  }
}

function begin(child: Child): void {
  clearTimeout(child.overdue);
  child.began = true;
  child.unbegun = 0;
  child.refusal = undefined;
}

/** Signals that come from outside; anything else a process did to itself. */
const outsideKill = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

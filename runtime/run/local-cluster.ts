/**
 * A cluster on this machine for one run: the client here, one master here too or several in children, workers in
 * children, all of them talking over Unix sockets in a directory that only this user can enter. Of a small run the only
 * worker is here as well.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import type { AttemptId, NodeId } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import type { JobStatus } from '../../core/messages.js';
import type { JobSpec } from '../../core/records.js';
import { ClientNode, type Conclusion } from '../node/client-node.js';
import { type CrashPoint, CrashPoints } from '../node/crash-points.js';
import { type RunLayout, tracePath } from '../node/layout.js';
import type { MasterNode } from '../node/master-node.js';
import type { WorkerNode } from '../node/worker-node.js';
import { openMaster } from '../process/open-master.js';
import { type ProcessObserver, Supervisor } from '../process/supervisor.js';
import { removeFile, removeTree } from '../remove-tree.js';
import { FileFiles } from '../store/file-files.js';
import type { Role } from '../transport/dialogues.js';
import type { DialedWire } from '../transport/session.js';
import type { RunRequest } from './run-request.js';
import { socketRoot } from './socket-root.js';

export interface LocalClusterOptions {
  readonly request: Omit<RunRequest, 'spec'>;
  readonly layout: RunLayout;
  readonly dataDirectory: string;
  /** What masters of former starts of this run have left a record of (former-masters.ts). */
  readonly formerly?: EpochPlace | undefined;
  readonly observer: ProcessObserver;
  report(status: JobStatus): void;
  /** A node in this process cannot go on, or no other process be started. */
  failed(error: Error): void;
  /** The only worker is a thread of this process: for a small input whose job is one of ours, and cannot end a process. */
  readonly workerHere?: boolean;
  readonly rehearsed?: RehearsedCluster;
}

/** A rehearsal wants to see every step, and every node in a process of its own, where it can be hit. */
export interface RehearsedCluster {
  points(node: NodeId): readonly CrashPoint[];
  watch(node: NodeId, event: MachineEvent, effects: readonly Effect[]): void;
  /** The N of `map-0@N`. There when something depends on it: then each attempt begins with that question. */
  ordinalOf?(attempt: AttemptId): number;
}

/** A lone master leads in a few milliseconds; if it does not, its client may as well ask. */
const leadsWithinMs = 1000;

export class LocalCluster {
  readonly supervisor: Supervisor;
  readonly #options: LocalClusterOptions;
  readonly #sockets: string;
  readonly #addresses: (readonly [NodeId, string])[];
  /** To a master in this process, unless masters are elsewhere. */
  #dial = (role: Role, _master: NodeId): DialedWire => this.#master!.openHere(role);
  readonly #incarnationBase: number;
  readonly #masterHere: boolean;
  readonly #workers: readonly NodeId[];
  readonly #masterLeads: Promise<void>;
  #masterNowLeads: () => void = () => {};
  #master: MasterNode | undefined;
  /** The one in this process, as it opens. */
  #worker: Promise<WorkerNode> | undefined;
  #client: ClientNode | undefined;
  #clients = 0;
  #draining = false;
  /** Each settles when a client that has its answer is gone. */
  readonly #clientsClosed: Promise<void>[] = [];

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    const { request, layout } = options;
    // In this order: a run with a trace and no work is over.
    for (const directory of [layout.work, layout.trace, layout.logs])
      mkdirSync(directory, { recursive: true });
    this.#incarnationBase = nextIncarnationBase(layout);
    this.#sockets = makeSocketDirectory(layout);
    this.#addresses = request.config.masters.map(
      (node) => [node, join(this.#sockets, `${node}.sock`)] as const,
    );
    const { masters } = request.config;
    this.#masterHere = masters.length === 1 && !options.rehearsed;
    this.#workers = Array.from({ length: request.workers }, (_, index) => `worker-${index + 1}`);
    this.#masterLeads = new Promise((resolve) => {
      this.#masterNowLeads = resolve;
    });
    this.supervisor = new Supervisor({
      config: request.config,
      layout,
      dataDirectory: options.dataDirectory,
      addresses: this.#addresses,
      ...(request.config.mapOutputs === 'worker' ? { shuffleDirectory: this.#sockets } : {}),
      incarnationBase: this.#incarnationBase,
      ...(options.formerly ? { formerly: options.formerly } : {}),
      workers: options.workerHere ? [] : this.#workers,
      masters: this.#masterHere ? [] : masters,
      slots: request.slots,
      heapMiB: request.heapMiB,
      masterLeads: this.#masterLeads,
      observer: options.observer,
      failed: options.failed,
      ...(options.rehearsed ? { rehearsed: options.rehearsed } : {}),
    });
  }

  /** Starts every process. */
  async start(): Promise<void> {
    this.supervisor.start();
    if (this.#options.workerHere) this.#worker = this.#openWorker();
    this.#worker?.catch(() => {}); // the master may fail first
    if (this.#masterHere) await this.#startMaster();
    else await this.#dialElsewhere();
    this.#masterNowLeads();
    await (await this.#worker)?.start();
  }

  async #dialElsewhere(): Promise<void> {
    const { dialByGrpc } = await import('../transport/grpc-dial.js');
    const addresses = new Map(this.#addresses);
    this.#dial = (role, master) => dialByGrpc(role, addresses.get(master)!);
  }

  async #openWorker(): Promise<WorkerNode> {
    const { request, layout, failed } = this.#options;
    const node = this.#workers[0]!;
    const [{ WorkerNode }, files] = await Promise.all([
      import('../node/worker-node.js'),
      FileFiles.open(layout.files),
    ]);
    return new WorkerNode({
      config: request.config,
      life: { node, incarnation: this.#incarnationBase + 1 },
      slots: request.slots,
      heapMiB: request.heapMiB,
      layout,
      files,
      dial: (master) => this.#dial('worker', master),
      points: new CrashPoints([]),
      failed,
      untraced: (error) => this.#sayUntraced(node, error),
    });
  }

  async #startMaster(): Promise<void> {
    const { request, layout, failed, workerHere, formerly } = this.#options;
    const first = request.config.masters[0]!;
    this.#master = await openMaster({
      config: request.config,
      life: { node: first, incarnation: this.#incarnationBase + 1 },
      layout,
      addresses: this.#addresses,
      ...(formerly ? { formerly } : {}),
      ...(workerHere ? { alone: true } : {}),
      points: new CrashPoints([]),
      failed,
      untraced: (error) => this.#sayUntraced(first, error),
      wentBack: (facts) => this.#options.observer.said?.(first, { type: 'went-back', facts }),
      unpublished: (trouble) => this.#options.observer.said?.(first, { type: 'unpublished', ...trouble }),
    });
    await this.#master.start();
    // Client and workers: whoever asks a master that does not lead yet is sent away, and comes back a while later.
    await Promise.race([
      this.#master.leads,
      new Promise((resolve) => setTimeout(resolve, leadsWithinMs).unref()),
    ]);
  }

  /** Runs one job to its conclusion. One job at a time. */
  async run(requestId: string, spec: JobSpec): Promise<Conclusion> {
    const { request, layout, report, failed, rehearsed } = this.#options;
    const node = `client-${++this.#clients}`;
    const life = { node, incarnation: this.#incarnationBase + 1 };
    this.#client = new ClientNode({
      config: request.config,
      life,
      tracePath: tracePath(layout, life.node, life.incarnation),
      dial: (master) => this.#dial('client', master),
      report,
      failed,
      untraced: (error) => this.#sayUntraced(node, error),
      ...(rehearsed ? { stepped: (event, effects) => rehearsed.watch(node, event, effects) } : {}),
    });
    try {
      const concluded = this.#client.run(requestId, spec);
      if (this.#draining) this.#client.drain();
      return await concluded;
    } finally {
      this.#clientsClosed.push(this.#client.close());
      this.#client = undefined;
    }
  }

  /** As a child would. */
  #sayUntraced(node: NodeId, { message }: Error): void {
    this.#options.observer.said?.(node, { type: 'untraced', message });
  }

  /** Whatever runs now or later: running attempts may finish, and nothing more begins. */
  drain(): void {
    this.#draining = true;
    this.supervisor.stay();
    this.#client?.drain();
  }

  /**
   * Every process of this cluster is dead, and its sockets are gone, when this resolves. `meanwhile` is called when all
   * have been killed, which takes them some milliseconds; it must not throw.
   */
  async stop(meanwhile: () => void = () => {}): Promise<void> {
    const killed = this.supervisor.killAll();
    meanwhile();
    const worker = await this.#worker?.catch(() => undefined); // or it would begin behind our back
    await Promise.all([worker?.close(), this.#client?.close(), ...this.#clientsClosed]);
    await this.#master?.close();
    await killed;
    this.#removeSockets();
  }

  #removeSockets(): void {
    removeTree(this.#sockets);
    removeFile(this.#options.layout.sockets);
  }

  /** The last resort: nothing is awaited, nothing is left running. */
  abandon(): void {
    void this.supervisor.killAll();
    try {
      this.#removeSockets();
    } catch {
      // Somebody was just making one; who resumes the run removes them.
    }
  }
}

/**
 * A new directory that only this user can enter. Its name is kept in the run's folder: who resumes a run that was killed
 * removes the one that was left.
 */
function makeSocketDirectory(layout: RunLayout): string {
  if (existsSync(layout.sockets)) removeTree(readFileSync(layout.sockets, 'utf8'));
  const directory = mkdtempSync(join(socketRoot(), 'rehearse-'));
  try {
    writeFileSync(layout.sockets, directory);
  } catch (error) {
    removeTree(directory);
    throw error;
  }
  return directory;
}

/** Lives of earlier starts of this run are told by their traces; this start's begin above all of them. */
function nextIncarnationBase(layout: RunLayout): number {
  let last = 0;
  for (const name of readdirSync(layout.trace)) {
    const incarnation = Number(/\.(\d+)\.ndjson$/.exec(name)?.[1] ?? 0);
    last = Math.max(last, incarnation);
  }
  return Math.ceil(last / livesPerStart) * livesPerStart;
}

/** Incarnations of one start of a run lie between two multiples of this. */
const livesPerStart = 1000;

/** Whether a node of this start of the run has lived before. */
export function isLaterLife(incarnation: number): boolean {
  return incarnation % livesPerStart > 1;
}

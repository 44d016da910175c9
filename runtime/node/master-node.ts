/**
 * A master for real: the master machine with a journal, a lease, a publisher and, where there are other processes, a socket
 * around it.
 */
import { join } from 'node:path';
import type { ClusterConfig } from '../../core/config.js';
import type { DecisionFacts, Effect, JournalAppend, OutputPublish } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import type { JobId, NodeLife } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import type { MasterMessage } from '../../core/messages.js';
import type { JournalRecord } from '../../core/records.js';
import type { Cause } from '../../core/trace.js';
import { Burst, gatherMs } from '../burst.js';
import {
  attemptsPath,
  type PublishFailureCode,
  type PublishRequest,
  type PublishResult,
  publishOutput,
} from '../data/publish.js';
import { removeFile } from '../remove-tree.js';
import type { Files, Journal, Lease } from '../store/ports.js';
import type { Role } from '../transport/dialogues.js';
import type { GrpcListener } from '../transport/grpc-listener.js';
import { SessionServer } from '../transport/server.js';
import type { DialedWire } from '../transport/session.js';
import type { CrashPoints } from './crash-points.js';
import { attemptFileName } from './layout.js';
import { NodeDriver } from './node-driver.js';
import { countersRefusal, successText } from './success.js';
import { loadWorkOrder, mapsOf } from './work-order.js';

export interface MasterNodeOptions {
  readonly config: ClusterConfig;
  readonly life: NodeLife;
  /** What masters of former starts of this cluster have left a record of. */
  readonly formerly?: EpochPlace;
  /** Where other processes reach it; undefined where there are none. */
  readonly socketPath: string | undefined;
  readonly tracePath: string;
  readonly journal: Journal<JournalRecord>;
  readonly lease: Lease;
  readonly files: Files;
  readonly points: CrashPoints;
  /** The node cannot go on: a rule of ours is broken, or its store refused a write. */
  failed(error: Error): void;
  /** The disk takes no more of the trace: the node goes on without. */
  untraced(error: Error): void;
  /** The store has lost what it had acknowledged; the master goes on above that. */
  wentBack(facts: DecisionFacts): void;
  /** The output is not in its place, and nobody can tell from here whether it ever will be. */
  unpublished(trouble: PublishTrouble): void;
  stepped?(event: MachineEvent, effects: readonly Effect[]): void;
}

export interface PublishTrouble {
  readonly code: PublishFailureCode;
  readonly place: string;
  readonly message: string;
  /** This master tries it no more; another life of it may. Otherwise it goes on trying, and says nothing more of that. */
  readonly gaveUp: boolean;
}

/** How long the store may take to answer an append before its outcome counts as unknown. */
const appendDeadlineMs = 5000;
/** Entries per read of the journal. */
const readLimit = 1000;
/** Pause before publishing is tried again when nobody can tell how it went. */
const publishRetryMs = 500;
const publishTriesMax = 20;
/** What does not pass in a while. */
const lastingFailures: ReadonlySet<PublishFailureCode> = new Set(['read-only', 'workspace-missing']);

function isCommit({ type }: JournalRecord): boolean {
  return type === 'task.committed';
}

export class MasterNode {
  readonly #options: MasterNodeOptions;
  readonly #driver: NodeDriver;
  readonly #server: SessionServer;
  #listener: GrpcListener | undefined;
  /** Resolves when this master leads for the first time. */
  readonly leads: Promise<void>;
  #nowLeads: () => void = () => {};
  readonly #appends = new Burst();
  #publishes = 0;
  #closed = false;

  constructor(options: MasterNodeOptions) {
    this.#options = options;
    this.leads = new Promise((resolve) => {
      this.#nowLeads = resolve;
    });
    const { config, life, formerly } = options;
    this.#driver = new NodeDriver({
      setup: { role: 'master', config, life, ...(formerly ? { formerly } : {}) },
      tracePath: options.tracePath,
      perform: (effect, cause) => this.#perform(effect, cause),
      failed: (error) => options.failed(error as Error),
      untraced: (error) => options.untraced(error),
      ...(options.stepped ? { stepped: options.stepped } : {}),
    });
    this.#server = new SessionServer({
      node: life.node,
      handlers: {
        connected: (peer, session) => this.#driver.feed({ type: 'peer.connected', peer, session }),
        lost: (peer, session) => this.#driver.feed({ type: 'peer.lost', peer, session }),
        message: (from, session, message, cause) =>
          this.#driver.feed({ type: 'message.received', from, session, message } as MachineEvent, cause),
      },
    });
    options.lease.onGranted((request) => this.#driver.feed({ type: 'lease.granted', request }));
    options.lease.onFailed((reason) => {
      if (!this.#closed) options.failed(new StoreFailedError(reason));
    });
    options.lease.onLost(() => this.#driver.feed({ type: 'lease.lost' }));
  }

  async start(): Promise<void> {
    const { socketPath } = this.#options;
    if (socketPath !== undefined) {
      const { GrpcListener } = await import('../transport/grpc-listener.js');
      this.#listener = await GrpcListener.listen(socketPath, this.#server);
    }
    this.#driver.start();
  }

  /** A wire for a client or worker in this process. */
  openHere(role: Role): DialedWire {
    return this.#server.openHere(role);
  }

  /** Leaves nothing behind but the trace and the journal. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#driver.stop();
    await this.#options.lease.close();
    await Promise.all([this.#listener?.close(), this.#server.close()]);
    await this.#options.journal.close();
    if (this.#options.socketPath !== undefined) removeFile(this.#options.socketPath);
  }

  #perform(effect: Effect, cause: Cause): void {
    switch (effect.type) {
      case 'message.send':
        this.#server.send(effect.session, effect.message as MasterMessage, cause);
        return;
      case 'peer.disconnect':
        this.#server.disconnect(effect.session);
        return;
      case 'lease.campaign':
        this.#options.lease.request(effect.request, effect.ttlUs / 1000);
        return;
      case 'lease.resign':
        this.#settle(this.#options.lease.resign());
        return;
      case 'journal.append':
        this.#settle(this.#append(effect));
        return;
      case 'journal.read':
        this.#settle(this.#read(effect.from));
        return;
      case 'journal.trim':
        this.#settle(this.#options.journal.trim(effect.first, effect.nonce));
        return;
      case 'output.publish':
        this.#settle(this.#publish(effect));
        return;
      case 'decide':
        if (effect.decision === 'leader-began') this.#nowLeads();
        if (effect.decision === 'store-went-back') this.#options.wentBack(effect.facts!);
        return;
    }
  }

  /** Nobody awaits an effect: what goes wrong in one is this node's failure. */
  #settle(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#closed) this.#options.failed(error as Error);
    });
  }

  async #append({ slot, nonce, after, records }: JournalAppend): Promise<void> {
    const { journal, points } = this.#options;
    // What comes meanwhile makes one batch, the next; and more tasks are under way than wait for this.
    if (records.every(isCommit) && this.#appends.hurries())
      await new Promise((resolve) => setTimeout(resolve, gatherMs));
    points.reach('master.before_append');
    const result = await journal.append(slot, { nonce, after, records }, appendDeadlineMs);
    points.reach('master.after_append_before_ack');
    if (result.outcome === 'ok') this.#driver.feed({ type: 'journal.appended', entry: result.entry });
    else if (result.outcome === 'taken')
      this.#driver.feed({ type: 'journal.taken', slot, ...pick(result.entry) });
    else this.#driver.feed({ type: 'journal.unknown', slot, reason: result.reason });
    if (journal.failed !== undefined) throw new StoreFailedError(journal.failed);
  }

  async #read(from: number): Promise<void> {
    const { entries, end, first } = await this.#options.journal.read(from, readLimit);
    if (from < first) this.#driver.feed({ type: 'journal.trimmed', from, first });
    else this.#driver.feed({ type: 'journal.entries', from, entries, end });
  }

  async #publish(effect: OutputPublish): Promise<void> {
    const { files, points } = this.#options;
    const refusal = countersRefusal(effect.counters);
    if (refusal !== undefined) {
      this.#driver.feed({ type: 'output.refused', job: effect.job, message: refusal });
      return;
    }
    const order = await loadWorkOrder(files, effect.work);
    const directory = attemptsPath(effect.output, order.runId);
    await this.#publishUntilKnown(effect.job, {
      output: effect.output,
      runId: order.runId,
      overwrite: order.overwrite,
      parts: effect.parts.map(({ attempt }, partition) => ({
        partition,
        path: join(directory, attemptFileName(attempt, mapsOf(order))),
      })),
      success: successText(effect, order),
      step: (name: string) => points.reach(name, { job: effect.job }),
    });
  }

  async #publishUntilKnown(job: JobId, request: Omit<PublishRequest, 'publisher'>): Promise<void> {
    const { life, unpublished } = this.#options;
    // Tries that follow one that failed find only that it did.
    let cause: string | undefined;
    for (let tries = 1; !this.#closed; tries++) {
      const publisher = `${life.node}-${life.incarnation}-${++this.#publishes}`;
      const result: PublishResult = await publishOutput({ ...request, publisher });
      if (result.outcome !== 'failed') return this.#driver.feed({ type: 'output.published', job });
      const { code, place, message, definite } = result;
      if (code !== 'voided') cause = message;
      if (definite) return this.#driver.feed({ type: 'output.refused', job, message: cause ?? message });
      const gaveUp = lastingFailures.has(code) || tries === publishTriesMax;
      if (gaveUp || tries === 1) unpublished({ code, place, message, gaveUp });
      if (gaveUp) return;
      await new Promise((resolve) => setTimeout(resolve, publishRetryMs));
    }
  }
}

/** A store that refused a write cannot be trusted by this process any more. */
export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError';
}

function pick<T>(entry: T | undefined): { entry?: T } {
  return entry === undefined ? {} : { entry };
}

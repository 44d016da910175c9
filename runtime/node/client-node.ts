/**
 * The client for real: the client machine with a session to whoever leads. It asks for one job and says how it goes.
 */
import type { ClusterConfig } from '../../core/config.js';
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import type { NodeId, NodeLife } from '../../core/ids.js';
import type { ClientMessage, JobRefused, JobStatus } from '../../core/messages.js';
import type { JobSpec } from '../../core/records.js';
import type { Cause } from '../../core/trace.js';
import { SessionDialer } from '../transport/dialer.js';
import { NodeDriver } from './node-driver.js';

export interface ClientNodeOptions {
  readonly config: ClusterConfig;
  readonly life: NodeLife;
  readonly tracePath: string;
  readonly addresses: ReadonlyMap<NodeId, string>;
  report(status: JobStatus): void;
  failed(error: Error): void;
  stepped?(event: MachineEvent, effects: readonly Effect[]): void;
}

/** What became of the request. */
export type Conclusion =
  | { readonly type: 'ended'; readonly status: JobStatus }
  | { readonly type: 'refused'; readonly refused: JobRefused }
  | { readonly type: 'drained' };

export class ClientNode {
  readonly #options: ClientNodeOptions;
  readonly #driver: NodeDriver;
  readonly #dialer: SessionDialer<'client'>;
  #conclude: (conclusion: Conclusion) => void = () => {};

  constructor(options: ClientNodeOptions) {
    this.#options = options;
    const { config, life } = options;
    this.#driver = new NodeDriver({
      setup: { role: 'client', config, life },
      tracePath: options.tracePath,
      perform: (effect, cause) => this.#perform(effect, cause),
      failed: (error) => options.failed(error as Error),
      ...(options.stepped ? { stepped: options.stepped } : {}),
    });
    this.#dialer = new SessionDialer({
      node: life.node,
      role: 'client',
      addressOf: (peer) => options.addresses.get(peer)!,
      handlers: {
        connected: (peer, session) => this.#driver.feed({ type: 'peer.connected', peer, session }),
        lost: (peer, session) => this.#driver.feed({ type: 'peer.lost', peer, session }),
        message: (from, session, message, cause) =>
          this.#driver.feed({ type: 'message.received', from, session, message } as MachineEvent, cause),
      },
    });
  }

  /** Asks for the job until there is an answer. Asking again with the same `requestId` follows the same job. */
  run(requestId: string, spec: JobSpec): Promise<Conclusion> {
    return new Promise((resolve) => {
      this.#conclude = resolve;
      this.#driver.start();
      this.#driver.feed({ type: 'job.requested', requestId, spec });
    });
  }

  /** Running attempts may finish, nothing more begins; then `run` concludes with `drained`. */
  drain(): void {
    this.#driver.feed({ type: 'drain.requested' });
  }

  async close(): Promise<void> {
    this.#driver.stop();
    await this.#dialer.close();
  }

  #perform(effect: Effect, cause: Cause): void {
    switch (effect.type) {
      case 'message.send':
        this.#dialer.send(effect.session, effect.message as ClientMessage, cause);
        return;
      case 'peer.connect':
        this.#dialer.connect(effect.peer, effect.session);
        return;
      case 'peer.disconnect':
        this.#dialer.disconnect(effect.session);
        return;
      case 'job.report':
        this.#options.report(effect.status);
        return;
      case 'job.conclude':
        if (effect.refused) this.#conclude({ type: 'refused', refused: effect.refused });
        else if (effect.status) this.#conclude({ type: 'ended', status: effect.status });
        return;
      case 'drain.conclude':
        this.#conclude({ type: 'drained' });
        return;
    }
  }
}

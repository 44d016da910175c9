/**
 * What a worker and a client have in common: a driver, and sessions that this side dials. The subclass performs what is
 * its own.
 */
import type { ClusterConfig } from '../../core/config.js';
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import type { NodeId } from '../../core/ids.js';
import type { MachineSetup } from '../../core/machine.js';
import type { Cause } from '../../core/trace.js';
import { SessionDialer } from '../transport/dialer.js';
import type { Role, Said } from '../transport/dialogues.js';
import type { DialedWire } from '../transport/session.js';
import { NodeDriver } from './node-driver.js';

export interface DialingNodeOptions {
  readonly config: ClusterConfig;
  /** A wire to this master, wherever it is. */
  dial(peer: NodeId): DialedWire;
  /** The machine broke one of its own rules: the process has to end. */
  failed(error: Error): void;
  /** The disk takes no more of the trace: the node goes on without. */
  untraced(error: Error): void;
  stepped?(event: MachineEvent, effects: readonly Effect[]): void;
}

export abstract class DialingNode<R extends Role> {
  protected readonly driver: NodeDriver;
  readonly #dialer: SessionDialer<R>;

  constructor(role: R, setup: MachineSetup, tracePath: string, options: DialingNodeOptions) {
    this.driver = new NodeDriver({
      setup,
      tracePath,
      perform: (effect, cause) => this.#perform(effect, cause),
      failed: (error) => options.failed(error as Error),
      untraced: (error) => options.untraced(error),
      ...(options.stepped ? { stepped: options.stepped } : {}),
    });
    this.#dialer = new SessionDialer({
      node: setup.life.node,
      role,
      dial: (peer) => options.dial(peer),
      handlers: {
        connected: (peer, session) => this.driver.feed({ type: 'peer.connected', peer, session }),
        lost: (peer, session) => this.driver.feed({ type: 'peer.lost', peer, session }),
        message: (from, session, message, cause) =>
          this.driver.feed({ type: 'message.received', from, session, message } as MachineEvent, cause),
      },
    });
  }

  async close(): Promise<void> {
    this.driver.stop();
    await this.#dialer.close();
  }

  /** Performs an effect that is not about sessions. */
  protected abstract performOwn(effect: Effect): void;

  #perform(effect: Effect, cause: Cause): void {
    switch (effect.type) {
      case 'message.send':
        this.#dialer.send(effect.session, effect.message as Said<R>, cause);
        return;
      case 'peer.connect':
        this.#dialer.connect(effect.peer, effect.session);
        return;
      case 'peer.disconnect':
        this.#dialer.disconnect(effect.session);
        return;
      default:
        this.performOwn(effect);
    }
  }
}

/**
 * The wire of a session whose two ends live in one process: a client, or a worker, beside its master. The same frames
 * travel as through a socket, each in a turn of its own, but no gRPC is between them, whose first connection costs 20 ms.
 */
import { type DialedWire, hungUp, type WireEnd } from './session.js';

export class LocalWire implements DialedWire {
  #session: WireEnd | undefined;
  #far: LocalWire = this;

  /** Two wires: what is written to one is received by the session of the other. */
  static pair(): readonly [LocalWire, LocalWire] {
    const [one, other] = [new LocalWire(), new LocalWire()];
    one.#far = other;
    other.#far = one;
    return [one, other];
  }

  /** Whose wire this is. Before anything is written to the other. */
  attach(session: WireEnd): void {
    this.#session = session;
  }

  write(bytes: Buffer, written: () => void): void {
    setImmediate(() => {
      written();
      this.#far.#session?.receive(bytes);
    });
  }

  /** What was written before arrives before. */
  end(): void {
    setImmediate(() => {
      this.#far.#session?.closed(hungUp);
      this.#session?.closed(hungUp);
    });
  }

  cut(): void {
    this.end();
  }
}

type Kind = 'connected' | 'lost' | 'message';

/** What one end has seen, in order; and a way to wait for it. */
export class Seen {
  readonly events: unknown[][] = [];
  /** True while the test is inside a call of the end under test, where no handler may be called. */
  inside = false;
  reason = '';
  readonly #counts = { connected: 0, lost: 0, message: 0 };
  #wake = (): void => {};

  add(kind: Kind, ...event: unknown[]): void {
    if (this.inside) throw new Error('a handler was called from inside a call');
    this.events.push([kind, ...event]);
    this.#counts[kind]++;
    this.#wake();
  }

  /** Settles once there are so many events of this kind. */
  async has(kind: Kind, times = 1): Promise<void> {
    while (this.count(kind) < times) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  count(kind: Kind): number {
    return this.#counts[kind];
  }

  /** Handlers that write down everything but the causes, which come last where there is one. */
  handlers<M>() {
    return {
      connected: (peer: string, session: number) => this.add('connected', peer, session),
      lost: (peer: string, session: number, reason: string) => {
        this.reason = reason;
        this.add('lost', peer, session);
      },
      message: (peer: string, session: number, message: M, cause: unknown) =>
        this.add('message', peer, session, message, ...(cause === undefined ? [] : [cause])),
    };
  }
}

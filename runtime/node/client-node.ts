/**
 * The client for real: the client machine with a session to whoever leads. It asks for one job and says how it goes.
 */
import type { Effect } from '../../core/effects.js';
import type { NodeLife } from '../../core/ids.js';
import type { JobRefused, JobStatus } from '../../core/messages.js';
import type { JobSpec } from '../../core/records.js';
import { DialingNode, type DialingNodeOptions } from './dialing-node.js';

export interface ClientNodeOptions extends DialingNodeOptions {
  readonly life: NodeLife;
  readonly tracePath: string;
  report(status: JobStatus): void;
}

/** What became of the request. */
export type Conclusion =
  | { readonly type: 'ended'; readonly status: JobStatus }
  | { readonly type: 'refused'; readonly refused: JobRefused }
  | { readonly type: 'drained' };

export class ClientNode extends DialingNode<'client'> {
  readonly #report: (status: JobStatus) => void;
  #conclude: (conclusion: Conclusion) => void = () => {};

  constructor(options: ClientNodeOptions) {
    const { config, life, tracePath } = options;
    super('client', { role: 'client', config, life }, tracePath, options);
    this.#report = (status) => options.report(status);
  }

  /** Asks for the job until there is an answer. Asking again with the same `requestId` follows the same job. */
  run(requestId: string, spec: JobSpec): Promise<Conclusion> {
    return new Promise((resolve) => {
      this.#conclude = resolve;
      this.driver.start();
      this.driver.feed({ type: 'job.requested', requestId, spec });
    });
  }

  /** Running attempts may finish, nothing more begins; then `run` concludes with `drained`. */
  drain(): void {
    this.driver.feed({ type: 'drain.requested' });
  }

  protected override performOwn(effect: Effect): void {
    switch (effect.type) {
      case 'job.report':
        this.#report(effect.status);
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

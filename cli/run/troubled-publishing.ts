/**
 * A job that is done but for its output, which does not come to its place: told once, given up when its master has, and
 * left as it is for a signal, since a drain waits for publishing to end.
 */
import { workspacePath } from '../../runtime/data/publish.js';
import type { Conclusion } from '../../runtime/node/client-node.js';
import type { PublishTrouble } from '../../runtime/node/master-node.js';
import type { RunRequest } from '../../runtime/run/run-request.js';
import { exitCodes, UserError } from '../user-error.js';
import { sayPath } from './prepare.js';
import type { ProgressView } from './progress.js';

export interface TroubledPublishingOptions {
  readonly request: RunRequest;
  /** The command that goes on with the run. */
  readonly goOn: string;
  readonly progress: ProgressView;
  fail(error: Error): void;
}

export class TroubledPublishing {
  readonly #options: TroubledPublishingOptions;
  #isTroubled = false;
  #isToStop = false;
  /** Resolves when a signal has come, and publishing does not get on. */
  readonly stopped: Promise<Conclusion>;
  #conclude: (conclusion: Conclusion) => void = () => {};

  constructor(options: TroubledPublishingOptions) {
    this.#options = options;
    this.stopped = new Promise((resolve) => {
      this.#conclude = resolve;
    });
  }

  met(trouble: PublishTrouble): void {
    this.#isTroubled = true;
    const { fail, progress } = this.#options;
    if (trouble.gaveUp) fail(this.#errorOf(trouble));
    else progress.event(`publishing fails, and is tried again: ${trouble.message}`);
    this.#stopIfBoth();
  }

  /** A signal has come. */
  stop(): void {
    this.#isToStop = true;
    this.#stopIfBoth();
  }

  #stopIfBoth(): void {
    if (this.#isTroubled && this.#isToStop) this.#conclude({ type: 'drained' });
  }

  #errorOf({ code, message }: PublishTrouble): UserError {
    const { request, goOn } = this.#options;
    const { output } = request.spec;
    if (code === 'workspace-missing') {
      return new UserError({
        code: 'E006',
        what: 'the folder in which the run kept its results is gone',
        where: workspacePath(output, request.runId),
        why: 'it lay beside the output until that is published; perhaps it was moved, or its disk is not mounted',
        next: `bring it back, and then: ${goOn}; or start the job anew: rehearse run …`,
        exit: exitCodes.environment,
      });
    }
    return new UserError({
      code: 'E005',
      what: 'the output cannot be published',
      where: sayPath(output),
      why: message,
      next: `all else is done; once that is mended: ${goOn}`,
      exit: exitCodes.environment,
    });
  }
}

/** C7, C8, C15: what users see at the place of an output. */
import type { DurableJob } from '../../core/durable/state.js';
import type { OutputPublish } from '../../core/effects.js';
import { sameAttempt } from '../../core/ids.js';
import { successName } from '../../jobs/output-names.js';
import type { Directory } from '../object-tree.js';
import type { Observer, WorldStep } from '../observer.js';
import type { PublishRequest } from '../output-model.js';
import type { World } from '../world.js';
import type { Ledger } from './ledger.js';
import { InvariantViolation, type WorldInvariant } from './violation.js';

export class OutputChecker implements Observer {
  readonly #world: World;
  readonly #ledger: Ledger;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  masterStepped({ effects }: WorldStep): void {
    for (const effect of effects) if (effect.type === 'output.publish') this.#checkRequest(effect);
  }

  outputChanged(path: string, now: Directory | undefined, by: PublishRequest): void {
    const jobs = this.#ledger.everJob(by.job);
    if (!jobs.some(({ phase, spec }) => phase === 'publishing' && spec.output === path)) {
      const who = `${by.life.node.name} for job ${by.job}, which is ${jobs[0]?.phase ?? 'unknown'}`;
      this.#violated('C7', `${path} was changed by ${who}`);
    }
    if (now && !this.#isWhole(now)) {
      this.#violated('C8', `${path} holds ${[...now.keys()].join(', ') || 'nothing'}`);
    }
  }

  #isWhole(directory: Directory): boolean {
    const success = directory.get(successName);
    return this.#world.jobs.some(({ work, requestId }) => {
      if (!success?.includes(`"${requestId}"`)) return false;
      return directory.size === work.scenario.reduces + 1;
    });
  }

  #checkRequest(effect: OutputPublish): void {
    const job = this.#ledger.job(effect.job);
    if (!job || !wasPublishing(job)) {
      this.#violated('C15', `job ${effect.job} is ${job?.phase ?? 'unknown'} and is to be published`);
    }
    const reduces = job.commits.slice(job.spec.maps);
    const same = effect.parts.every(({ attempt }, partition) => {
      const commit = reduces[partition];
      return commit !== undefined && sameAttempt(commit.attempt, attempt);
    });
    if (!same || effect.parts.length !== reduces.length) {
      this.#violated('C15', `job ${effect.job} is to be published with parts that are not its commits`);
    }
  }

  #violated(id: WorldInvariant, detail: string): never {
    throw new InvariantViolation(id, detail, this.#world);
  }
}

/** A master that was deposed may not know yet that another one was refused: that it changes nothing then is C7's. */
function wasPublishing({ phase, failure }: DurableJob): boolean {
  return phase === 'publishing' || phase === 'published' || failure?.reason === 'publish-refused';
}

/**
 * The lease service: says who may try to lead, never who is right. It grants to one life at a time; a campaign that finds
 * the lease taken waits until it is free. It knows nothing of whether its holder still runs.
 */
import type { LeaseCampaign } from '../core/effects.js';
import type { Host, Task } from './host.js';
import type { Life } from './nodes.js';
import { draw, drawKey, within } from './random.js';
import { StoreHealth } from './store-health.js';

interface Candidate {
  readonly life: Life;
  readonly request: number;
  readonly ttlUs: number;
}

const answerTime = drawKey('lease answer');
const answerUs = { min: 100, max: 1_000 };
/** There and back. */
export const leaseAnswerUsMax = 2 * answerUs.max;

export class LeaseModel {
  readonly #host: Host;
  readonly #health: StoreHealth;
  #holder: Life | undefined;
  #untilUs = 0;
  /** A lease that was taken away, while nobody else was granted it: its holder may ask for more of it as if nothing had been. */
  #takenAway: { readonly from: Life; readonly untilUs: number; readonly hit: () => void } | undefined;
  /** The last request that has arrived of each life. */
  readonly #asked = new Map<Life, number>();
  /** The last request of each node, first come first served. */
  readonly #waiting = new Map<string, Candidate>();

  constructor(host: Host, health = new StoreHealth(host)) {
    this.#host = host;
    this.#health = health;
  }

  campaign(life: Life, { request, ttlUs }: LeaseCampaign): void {
    this.#travel(life, request, 1, () => {
      // A process asks one thing at a time: what it asked before is void.
      if (request < (this.#asked.get(life) ?? 0)) return;
      this.#asked.set(life, request);
      const held = this.#holder !== undefined && this.#holder !== life && this.#untilUs > this.#host.nowUs;
      this.#waiting.delete(life.node.name);
      if (!held) this.#grant({ life, request, ttlUs });
      else this.#waiting.set(life.node.name, { life, request, ttlUs });
    });
  }

  /** Between the process and the service, either way: whoever cannot reach it tries until it can. */
  #travel(life: Life, request: number, step: number, task: Task): void {
    this.#host.laterFor(life, this.#time(life, request, step), () => this.#health.whenReached(life, task));
  }

  resign(life: Life): void {
    this.#waiting.delete(life.node.name);
    if (this.#takenAway?.from === life) this.#takenAway = undefined;
    if (this.#holder !== life) return;
    this.#untilUs = this.#host.nowUs;
    this.#next();
  }

  /**
   * Forgets the holder, who does not hear of it, and grants to whoever waits. Answers who held it. `hit` is called when
   * somebody else is granted it before it would have run out.
   */
  expire(hit: () => void): string | undefined {
    const holder = this.#holder;
    if (!holder || this.#untilUs <= this.#host.nowUs) return undefined;
    this.#takenAway = { from: holder, untilUs: this.#untilUs, hit };
    this.#holder = undefined;
    this.#untilUs = this.#host.nowUs;
    this.#next();
    return holder.node.name;
  }

  /** A process that dies is noticed by the other processes of its host; a paused one is not. */
  ended(life: Life): void {
    this.resign(life);
  }

  #grant({ life, request, ttlUs }: Candidate): void {
    const takenAway = this.#takenAway;
    this.#takenAway = undefined;
    if (takenAway && takenAway.from !== life && takenAway.untilUs > this.#host.nowUs) takenAway.hit();
    const before = this.#holder;
    this.#holder = life;
    this.#untilUs = this.#host.nowUs + ttlUs;
    this.#host.later(ttlUs, () => this.#next());
    this.#travel(life, request, 2, () => this.#host.feed(life, { type: 'lease.granted', request }));
    if (before && before !== life) {
      this.#travel(before, request, 3, () => {
        if (this.#holder !== before) this.#host.feed(before, { type: 'lease.lost' });
      });
    }
  }

  /** Grants to whoever waits longest, if the lease is free. */
  #next(): void {
    if (this.#untilUs > this.#host.nowUs || this.#waiting.size === 0) return;
    if (!this.#health.available) return this.#health.whenAvailable(() => this.#next());
    for (const [name, candidate] of this.#waiting) {
      this.#waiting.delete(name);
      if (candidate.life.ended) continue;
      this.#grant(candidate);
      return;
    }
  }

  #time(life: Life, request: number, step: number): number {
    const bits = draw(this.#host.seed, answerTime, life.node.key, life.incarnation, request, step);
    return this.#health.slowedUs(life.node, within(answerUs, bits));
  }
}

/**
 * When to do what is better done for several things at once: at once as long as it is asked for now and then; in a hurry,
 * once in each `gatherMs`, for all that has come meanwhile.
 */

/** Who has done it more than `burstMax` times in as many of these intervals is in a hurry. */
export const gatherMs = 8;
const burstMax = 8;

export class Burst {
  /** Times of late: one is forgotten in each `gatherMs`. */
  #times = 0;
  #lastMs = 0;

  /** Counts one more time. True: it is to wait for `gatherMs`. */
  hurries(): boolean {
    const nowMs = performance.now();
    this.#times = Math.max(0, this.#times - (nowMs - this.#lastMs) / gatherMs) + 1;
    this.#lastMs = nowMs;
    return this.#times > burstMax;
  }
}

/**
 * Who is missing while a job runs: nobody has led for a while, or no worker has come. It is said, once for each such while; and
 * a drain that no leader answers is over: what runs could be reported to nobody.
 *
 * Time in which this process took no step (stopped, or the machine asleep) does not count: nobody can have been heard then.
 */
import type { ClusterConfig } from '../../core/config.js';
import type { JobStatus } from '../../core/messages.js';

const lookMs = 250;
/** However short the leases: processes take that long to start on a busy machine. */
const awayMsMin = 5000;

export interface AbsenceOptions {
  readonly config: ClusterConfig;
  say(line: string): void;
  /** No leader answers the drain. */
  unanswered(): void;
}

export class Absence {
  readonly #options: AbsenceOptions;
  readonly #timer: NodeJS.Timeout;
  #lookedMs = performance.now();
  /** For how long no leader has spoken. */
  #silentMs = 0;
  /** For how long leaders have said that there is no worker. */
  #alone = false;
  #aloneMs = 0;
  #draining = false;

  constructor(options: AbsenceOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  /** A leader has spoken. */
  heard({ workers }: JobStatus): void {
    this.#silentMs = 0;
    this.#alone = workers === 0;
    if (!this.#alone) this.#aloneMs = 0;
  }

  drain(): void {
    this.#draining = true;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - this.#lookedMs, 2 * lookMs);
    this.#lookedMs = nowMs;
    const { config, say, unanswered } = this.#options;
    const awayMs = Math.max(awayMsMin, (3 * config.masterLeaseUs) / 1000);
    const isNews = (beforeMs: number): boolean => beforeMs < awayMs && beforeMs + passedMs >= awayMs;
    const seconds = Math.round(awayMs / 1000);
    if (isNews(this.#silentMs)) say(`no master has led for ${seconds} s`);
    this.#silentMs += passedMs;
    if (this.#alone && isNews(this.#aloneMs)) say(`no worker has come for ${seconds} s`);
    if (this.#alone) this.#aloneMs += passedMs;
    if (!this.#draining || this.#silentMs < answerMsMax(config)) return;
    this.end();
    say('no master leads that could let running attempts finish: stopping at once');
    unanswered();
  }
}

/** In that time a rival has taken the lease, even if another died while it did, and whoever looks for a leader has found it. */
function answerMsMax({ masterLeaseUs, suspectUs, beatUs }: ClusterConfig): number {
  return (2 * masterLeaseUs + suspectUs + beatUs) / 1000;
}

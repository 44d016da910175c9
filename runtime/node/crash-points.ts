/**
 * Named places at which a rehearsal can kill or stop this very process. Without a rehearsal every call is a comparison
 * with an empty map.
 */

export interface CrashPoint {
  /** `publish.before_rename`, `journal.after_write`, `attempt.after_write_before_report` … */
  readonly name: string;
  readonly action: 'kill' | 'stop';
  /** Only when the place is reached for this job. */
  readonly job?: number;
  /** Tells the faults of a rehearsal apart. */
  readonly fault: number;
}

export class CrashPoints {
  #points: readonly CrashPoint[];
  readonly #announce: (point: CrashPoint, job: number | undefined) => void;

  /** `announce` is called, synchronously, before the process is hit: it may be the last thing this process says. */
  constructor(
    points: readonly CrashPoint[],
    announce: (point: CrashPoint, job: number | undefined) => void = () => {},
  ) {
    this.#points = points;
    this.#announce = announce;
  }

  /** From now on these count, and no others. */
  set(points: readonly CrashPoint[]): void {
    this.#points = points;
  }

  /** Each point hits once. */
  reach(name: string, job?: number): void {
    if (this.#points.length === 0) return;
    const hit = this.#points.find(
      (point) => point.name === name && (point.job === undefined || point.job === job),
    );
    if (!hit) return;
    this.#points = this.#points.filter((point) => point !== hit);
    this.#announce(hit, job);
    process.kill(process.pid, hit.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  }
}

/**
 * Named places at which a rehearsal can kill or stop this very process. Without a rehearsal every call is a comparison
 * with an empty map.
 */

export interface CrashPoint {
  /** `publish.before_rename`, `journal.after_write`, `worker.map.after_write_before_report` … */
  readonly name: string;
  readonly action: 'kill' | 'stop';
  /** Which time the place is reached: 1 for the first. */
  readonly occurrence: number;
}

export class CrashPoints {
  readonly #points: readonly CrashPoint[];
  readonly #reached = new Map<string, number>();
  readonly #announce: (point: CrashPoint) => void;

  /** `announce` is called, synchronously, before the process is hit: it may be the last thing this process says. */
  constructor(points: readonly CrashPoint[], announce: (point: CrashPoint) => void = () => {}) {
    this.#points = points;
    this.#announce = announce;
  }

  reach(name: string): void {
    if (this.#points.length === 0) return;
    const times = (this.#reached.get(name) ?? 0) + 1;
    this.#reached.set(name, times);
    const hit = this.#points.find((point) => point.name === name && point.occurrence === times);
    if (!hit) return;
    this.#announce(hit);
    process.kill(process.pid, hit.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  }
}

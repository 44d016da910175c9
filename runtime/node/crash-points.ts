/**
 * Named places at which a rehearsal can kill or stop this very process. Without a rehearsal every call is a comparison
 * with an empty map.
 */
import type { AttemptId } from '../../core/ids.js';

export interface CrashPoint {
  /** `publish.before_rename`, `journal.after_write`, `attempt.after_write_before_report` … */
  readonly name: string;
  readonly action: 'kill' | 'stop';
  /** Only when the place is reached for this job, this task of it, this one of the attempts at it as they were given out. */
  readonly job?: number;
  readonly task?: number;
  readonly ordinal?: number;
  /** Tells the faults of a rehearsal apart. */
  readonly fault: number;
}

/** What a place was reached for, where it belongs to one job or attempt. */
export interface ReachedFor {
  readonly job?: number;
  readonly attempt?: AttemptId;
  /** Which attempt of its task that is, where it is known. */
  readonly ordinal?: number | undefined;
}

export class CrashPoints {
  #points: readonly CrashPoint[];
  readonly #announce: (point: CrashPoint, on: ReachedFor) => void;

  /** `announce` is called, synchronously, before the process is hit: it may be the last thing this process says. */
  constructor(
    points: readonly CrashPoint[],
    announce: (point: CrashPoint, on: ReachedFor) => void = () => {},
  ) {
    this.#points = points;
    this.#announce = announce;
  }

  /** From now on these count, and no others. */
  set(points: readonly CrashPoint[]): void {
    this.#points = points;
  }

  /** Each point hits once. */
  reach(name: string, on: ReachedFor = {}): void {
    if (this.#points.length === 0) return;
    const hit = this.#points.find((point) => point.name === name && isFor(point, on));
    if (!hit) return;
    this.#points = this.#points.filter((point) => point !== hit);
    this.#announce(hit, on);
    process.kill(process.pid, hit.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  }
}

function isFor({ job, task, ordinal }: CrashPoint, on: ReachedFor): boolean {
  const { attempt } = on;
  if (job !== undefined && job !== (attempt?.job ?? on.job)) return false;
  return (task === undefined || task === attempt?.task) && (ordinal === undefined || ordinal === on.ordinal);
}

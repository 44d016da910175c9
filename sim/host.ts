/**
 * What the models of the world stand on: time, lives of nodes, and work that belongs to a life.
 *
 * The rule that makes crashes and pauses honest: everything a process does after a while is scheduled *for its life*.
 * When the life has ended, it does not happen; while the life is paused, it waits; so a fault lands between any two steps.
 */
import type { MachineEvent } from '../core/events.js';
import type { AttemptId, JobId } from '../core/ids.js';
import type { Frame } from './frames.js';
import type { Life } from './nodes.js';
import type { Audience } from './observer.js';
import type { Plants } from './plants.js';
import type { Seed } from './random.js';
import type { CrashPoint, FactName } from './scenario/fact-names.js';
import type { Fact } from './scenario/facts.js';

/** Something to be done when its time has come. */
export type Task = () => void;

export interface Host {
  readonly seed: Seed;
  /** Virtual time in microseconds. */
  readonly nowUs: number;
  readonly audience: Audience;
  readonly plants: Plants;
  /** Happens whatever becomes of any node: frames on a wire, the store's own clock. */
  later(delayUs: number, task: Task): void;
  /** Done by a process: after `delayUs`, if it lives, and not while it is paused. */
  laterFor(life: Life, delayUs: number, task: Task): void;
  /** The frame arrives at this time. */
  arriveAt(atUs: number, frame: Frame): void;
  /** Now if the life is up, on resume if it is paused, never if it has ended. */
  runFor(life: Life, task: Task): void;
  /** One step of the life's machine, and its effects. */
  feed(life: Life, event: MachineEvent): void;
  /** A process goes on after a pause, unless a fault hits at the point that it reaches then. */
  goOn(life: Life, pause: Pause, next: Task): void;
  /** Plays the steps of a process with their delays and crash points, then hands on what they return. */
  play<T>(life: Life, steps: Steps<T>, done: (result: T) => void): void;
  /** A process dies by itself; another one takes its place after a while. */
  processDied(life: Life, replacedAfterUs: number): void;
  /** The N of `map-0@N`. */
  ordinalOf(attempt: AttemptId): number;
  /** Something happened to the world, not in a machine. */
  tell(name: FactName, node: string, more?: Partial<Fact>): void;
}

/** What a process does in several interruptible steps. */
export type Steps<T> = Generator<Pause, T, void>;

/** Between two steps: time passes, and then a crash point may be reached. */
export interface Pause {
  readonly delayUs: number;
  readonly point?: CrashPoint;
  readonly job?: JobId;
  readonly attempt?: AttemptId;
}

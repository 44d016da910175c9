/** A host for tests of single models: virtual time and lives, machines that only listen. */
import type { MachineEvent } from '../../core/events.js';
import type { AttemptId } from '../../core/ids.js';
import type { Machine, Role } from '../../core/machine.js';
import type { Frame } from '../../sim/frames.js';
import type { Host, Pause, Steps, Task } from '../../sim/host.js';
import type { Network } from '../../sim/network.js';
import { type Life, newNode } from '../../sim/nodes.js';
import { newAudience } from '../../sim/observer.js';
import type { Plants } from '../../sim/plants.js';
import { EventQueue } from '../../sim/queue.js';
import { expandSeed } from '../../sim/random.js';

export interface Heard {
  readonly atUs: number;
  readonly node: string;
  readonly event: MachineEvent;
}

export class SmallHost implements Host {
  readonly seed = expandSeed('1');
  readonly audience = newAudience();
  readonly plants: Plants = {};
  readonly heard: Heard[] = [];
  readonly told: string[] = [];
  nowUs = 0;
  /** Called at every crash point, before its process goes on. */
  atPoint: (point: string, life: Life) => void = () => {};
  /** Where frames arrive; set by tests of the network. */
  network: Network | undefined;
  readonly #queue = new EventQueue();
  #nodes = 0;

  life(name: string, kind: Role, incarnation = 1): Life {
    const node = newNode(name, kind, this.#nodes++);
    node.status = 'up';
    const life: Life = { node, incarnation, machine: {} as Machine, ended: false };
    node.life = life;
    return life;
  }

  run(): void {
    this.runUntil(Number.MAX_SAFE_INTEGER);
  }

  /** Everything that is due by then. */
  runUntil(atUs: number): void {
    while (this.#queue.nextUs <= atUs) {
      this.nowUs = this.#queue.nextUs;
      const kind = this.#queue.pop();
      const { subject } = this.#queue;
      if (kind === 1) this.network!.arrive(subject as Frame);
      else (subject as Task)();
    }
  }

  resume(life: Life): void {
    life.node.status = 'up';
    for (const task of life.node.held.splice(0)) task();
  }

  later(delayUs: number, task: Task): void {
    this.#queue.push(this.nowUs + delayUs, 0, task);
  }

  arriveAt(atUs: number, frame: Frame): void {
    this.#queue.push(atUs, 1, frame);
  }

  processDied(life: Life): void {
    life.ended = true;
    life.node.status = 'down';
  }

  laterFor(life: Life, delayUs: number, task: Task): void {
    this.later(delayUs, () => this.runFor(life, task));
  }

  runFor(life: Life, task: Task): void {
    if (life.ended) return;
    if (life.node.status === 'paused') life.node.held.push(task);
    else task();
  }

  feed(life: Life, event: MachineEvent): void {
    if (!life.ended) this.heard.push({ atUs: this.nowUs, node: life.node.name, event });
  }

  play<T>(life: Life, steps: Steps<T>, done: (result: T) => void): void {
    const { value, done: ended } = steps.next();
    if (ended) return done(value);
    this.goOn(life, value, () => this.play(life, steps, done));
  }

  goOn(life: Life, { delayUs, point }: Pause, next: Task): void {
    this.laterFor(life, delayUs, () => {
      if (point !== undefined) this.atPoint(point, life);
      this.runFor(life, next);
    });
  }

  ordinalOf(attempt: AttemptId): number {
    return attempt.n;
  }

  tell(name: string, node: string): void {
    this.told.push(`${node} ${name}`);
  }

  /** What a node heard, without the times. */
  eventsOf(life: Life): MachineEvent[] {
    return this.heard.filter(({ node }) => node === life.node.name).map(({ event }) => event);
  }
}

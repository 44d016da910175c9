/** Performs the faults of a scenario on the world, when triggers or the clock say so, and remembers which did anything. */

import { taskName } from '../core/ids.js';
import type { AttemptFile } from './file-model.js';
import { livingLife, type SimNode } from './nodes.js';
import { draw, drawKey } from './random.js';
import type { Fact } from './scenario/facts.js';
import { ordinalOf } from './scenario/facts.js';
import {
  began,
  type Cast,
  newTriggers,
  observe,
  resolveNode,
  type Triggers,
  timedFaults,
} from './scenario/triggers.js';
import {
  type Fault,
  type FilesTarget,
  masterNames,
  type NodeTarget,
  taskPatternText,
  workerNames,
} from './scenario/types.js';
import type { World } from './world.js';

const choice = drawKey('choice of target');

export class Faults {
  /** Begun, and changed something. */
  readonly effective = new Set<Fault>();
  /** When a fault last began or ended; 0 before any. */
  lastUs = 0;
  readonly #world: World;
  readonly #triggers: Triggers;
  /** How to end what lasts. */
  readonly #endings = new Map<Fault, () => void>();
  /** Restarts to come. */
  #restarts = 0;

  constructor(world: World) {
    this.#world = world;
    this.#triggers = newTriggers(world.scenario);
    for (const { fault, atUs } of timedFaults(world.scenario)) {
      world.later(atUs, () => {
        began(this.#triggers, fault);
        this.#begin(fault, undefined);
      });
    }
  }

  heard(fact: Fact): void {
    for (const { fault, phase } of observe(this.#triggers, fact)) {
      if (phase === 'begin') this.#begin(fault, fact);
      else this.#end(fault);
    }
  }

  /** Ends everything that still lasts; false when there was nothing. */
  healAll(): boolean {
    const lasting = [...this.#endings.keys()];
    for (const fault of lasting) this.#end(fault);
    return lasting.length > 0;
  }

  /** Whether some fault still holds something back. */
  get lasting(): boolean {
    return this.#endings.size > 0 || this.#restarts > 0;
  }

  #begin(fault: Fault, fact: Fact | undefined): void {
    if (!this.#perform(fault, fact)) return;
    this.effective.add(fault);
    this.lastUs = this.#world.nowUs;
    if (fault.forUs !== undefined) this.#world.later(fault.forUs, () => this.#end(fault));
  }

  #end(fault: Fault): void {
    const ending = this.#endings.get(fault);
    if (!ending) return;
    this.#endings.delete(fault);
    this.lastUs = this.#world.nowUs;
    ending();
  }

  /** False when it changes nothing. */
  #perform(fault: Fault, fact: Fact | undefined): boolean {
    const world = this.#world;
    const { action } = fault;
    switch (action.kind) {
      case 'lose':
      case 'corrupt':
        return this.#spoil(fault, action.kind, action.files, fact);
      case 'partition': {
        const from = this.#resolve(fault, action.from, fact);
        const to = this.#resolve(fault, action.to, fact);
        return from !== undefined && to !== undefined && this.#cut(fault, from, to, action.oneWay);
      }
      case 'expire': {
        const holder = world.lease.expire();
        if (holder !== undefined) world.tell('lease-taken-away', holder);
        return holder !== undefined;
      }
    }
    const node = this.#resolve(fault, action.target, fact);
    if (!node) return false;
    switch (action.kind) {
      case 'crash':
        if (!world.crash(node)) return false;
        if (action.restartAfterUs !== undefined) this.#restartLater(node, action.restartAfterUs);
        return true;
      case 'restart':
        if (node.status !== 'down') return false;
        world.startNode(node);
        return true;
      case 'pause':
        if (!world.pause(node)) return false;
        this.#endings.set(fault, () => world.resume(node));
        return true;
      case 'slow':
        node.slowBy *= action.by;
        world.tell('node-slowed', node.name, { detail: { by: action.by } });
        world.executors.speedChanged(node);
        this.#endings.set(fault, () => {
          node.slowBy /= action.by;
          world.executors.speedChanged(node);
        });
        return true;
      case 'drop':
        if (world.network.drop(node) === 0) return false;
        world.tell('session-dropped', node.name);
        return true;
      case 'obscure':
        world.journal.obscure(node);
        return livingLife(node) !== undefined;
    }
  }

  #restartLater(node: SimNode, delayUs: number): void {
    this.#restarts++;
    this.#world.later(delayUs, () => {
      this.#restarts--;
      this.lastUs = this.#world.nowUs;
      if (node.status === 'down') this.#world.startNode(node);
    });
  }

  #cut(fault: Fault, from: SimNode, to: SimNode, oneWay: boolean): boolean {
    if (from === to) return false;
    const { network } = this.#world;
    const detail = { other: to.name, oneWay };
    network.block(from.name, to.name);
    if (!oneWay) network.block(to.name, from.name);
    this.#world.tell('partition-began', from.name, { detail });
    this.#endings.set(fault, () => {
      network.heal(from.name, to.name);
      if (!oneWay) network.heal(to.name, from.name);
      this.#world.tell('partition-healed', from.name, { detail });
    });
    return true;
  }

  #spoil(fault: Fault, kind: 'lose' | 'corrupt', target: FilesTarget, fact: Fact | undefined): boolean {
    const world = this.#world;
    const files = this.#filesOf(fault, target, fact);
    const spoiled = files.filter((file) => world.files.spoil(file, kind === 'lose' ? 'lost' : 'corrupt'));
    for (const { attempt, writer } of spoiled) {
      const ordinal = ordinalOf(world.reader, attempt);
      const task = this.#taskOf(attempt);
      const about = { job: attempt.job, attempt, task, ordinal, worker: writer.node.name };
      world.tell(kind === 'lose' ? 'files-lost' : 'files-corrupted', writer.node.name, about);
    }
    return spoiled.length > 0;
  }

  #filesOf(fault: Fault, target: FilesTarget, fact: Fact | undefined): AttemptFile[] {
    const { files, reader } = this.#world;
    if (target.kind === 'its-output') {
      const file = fact?.attempt && files.find(fact.attempt);
      return file ? [file] : [];
    }
    if (target.kind === 'outputs-of') {
      const worker = this.#resolve(fault, target.worker, fact);
      return [...files.all()].filter((file) => 'map' in file.content && file.writer.node === worker);
    }
    const { task } = target;
    return [...files.all()].filter(({ attempt }) => {
      if (this.#taskOf(attempt) !== taskPatternText({ kind: task.kind, index: task.index })) return false;
      return task.ordinal === undefined || task.ordinal === ordinalOf(reader, attempt);
    });
  }

  #taskOf(attempt: AttemptFile['attempt']): string {
    return taskName(attempt.task, this.#world.reader.mapsOfJob.get(attempt.job)!);
  }

  #resolve(fault: Fault, target: NodeTarget, fact: Fact | undefined): SimNode | undefined {
    const { cluster } = this.#world.scenario;
    const cast: Cast = {
      masters: masterNames(cluster),
      workers: workerNames(cluster),
      isUp: (name) => this.#world.nodes.get(name)?.status === 'up',
      pick: (below) => draw(this.#world.seed, choice, fault.index) % below,
    };
    const name = resolveNode(this.#triggers, target, fact, cast);
    return name === undefined ? undefined : this.#world.nodes.get(name);
  }
}
